"""What the first visitor would wait for, loaded while nobody waits."""

import gc
import logging
from collections.abc import Callable
from threading import Thread

from pipeline.detect.archive import sweep
from pipeline.errors import CallscoreError
from pipeline.review.render import environment
from pipeline.review.site import Site
from pipeline.storage.queue_records import PageOf, QueueFilter
from pipeline.workflows.accounts.passwords import fits
from pipeline.workflows.review.queue import plans_lately
from pipeline.workflows.review.sheet import sheet
from pipeline.workflows.rulebook.health import healths
from pipeline.workflows.rules import load_rules

LOG = logging.getLogger("callscore.review")


def warm_behind(site: Site) -> None:
    """Begin, and do not wait."""
    Thread(target=warm, args=(site,), daemon=True, name="warm").start()


def warm(site: Site) -> None:
    """Templates, today's rules, those of the call that is opened first, what a search needs. What cannot be
    loaded is left to whoever asks for it: they are told why."""
    for name in environment().list_templates():
        environment().get_template(name)
    for load in LOADS:
        try:
            load(site)
        except CallscoreError as error:
            LOG.warning("not loaded in advance: %s", type(error).__name__)
    gc.collect()
    gc.freeze()  # rules and templates stay: looking for garbage in them stops every page


def _counts(site: Site) -> None:
    healths(site.store)
    plans_lately(site.store)


def _first_call(site: Site) -> None:
    for line in site.store.queue(QueueFilter(), PageOf(size=1), at=site.clock()).lines:
        sheet(site.store, line.recording_id, "")


LOADS: tuple[Callable[[Site], object], ...] = (
    _first_call,
    lambda site: load_rules(site.settings),
    lambda site: sweep.warm(),
    lambda site: fits("", None),
    _counts,
)
