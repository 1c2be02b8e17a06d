"""A folder that gets recordings all day: a small night whenever something in it changed."""

from collections.abc import Iterable, Iterator

from pipeline.media.archive import find_recordings
from pipeline.workflows.night.job import Stamp
from pipeline.workflows.night.jobs import answering, metadata_path
from pipeline.workflows.night.values import NightPlan, NightTools, Summary, Watcher
from pipeline.workflows.nightly import run_night


def watch(plan: NightPlan, tools: NightTools, watcher: Watcher, pauses: Iterable[None]) -> Iterator[Summary]:
    """Look at the folder at each of `pauses`; how each small night ended. `plan.known` keeps what need not be
    looked at again by this process. Raises what `run_night` raises."""
    before: object = None
    waiting = False
    for _ in pauses:
        with answering(plan, tools) as folder:
            now = folder.ask(lambda: _looks(plan))
        if now == before and not waiting:
            continue
        before = now
        summary = run_night(plan, tools, watcher)
        waiting = bool(summary.pending or summary.elsewhere)
        if summary.scored or summary.quarantined:
            yield summary


def _looks(plan: NightPlan) -> object:
    """Something that is another when anything about the folder is."""
    count = size = 0
    newest = None
    for found in find_recordings(plan.folder, report=lambda error: None):
        count, size = count + 1, size + found.size
        newest = found.modified_at if newest is None else max(newest, found.modified_at)
    path = metadata_path(plan)
    return count, size, newest, Stamp.of(path) if path.is_file() else None
