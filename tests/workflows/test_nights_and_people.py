"""Several nights and inspectors at once on one database: nobody waits for ever, nothing is lost."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from at_once import at_once
from night_help import MADE_BY, NOON, FakeListener, Notes, archive, tools

from pipeline.scorecard import Decision
from pipeline.storage.store import Store
from pipeline.timeline import Provenance, Recording, Transcript
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night
from pipeline.workflows.review.decide import review
from pipeline.workflows.review.marks import Marks

CALLS = 9
EACH = 8
NEWER = replace(MADE_BY, pipeline="newer")


class OtherModel(FakeListener):
    """Hears the same."""

    def __init__(self, provenance: Provenance) -> None:
        super().__init__()
        self._provenance = provenance

    def hear(
        self, recordings: Iterable[Recording], beat: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Recording, Transcript]]:
        for recording, transcript in super().hear(recordings, beat):
            yield recording, replace(transcript, provenance=self._provenance)


def night(provenance: Provenance, folder: Path, url: str) -> None:
    with Store.open(url) as store:
        ready = replace(tools(store, OtherModel(provenance)), provenance=provenance)
        run_night(NightPlan(folder=folder), ready, Notes())


def inspect(who: str, url: str) -> None:
    """Decides about the same three calls over and over."""
    with Store.open(url) as store:
        names = sorted(call.recording.id for call in store.calls())[:3]
        for number in range(EACH):
            level = ("clear_expression", "良好")
            marks = Marks(who=who, values=(level,), reason="听过", note=f"第 {number} 次")
            review(store, names[number % 3], marks, at=NOON + timedelta(minutes=number))


def test_two_nights_hear_anew_while_two_inspectors_decide_and_nothing_is_lost(
    url: str, tmp_path: Path
) -> None:
    folder = archive(tmp_path / "in", calls=CALLS)
    night(MADE_BY, folder, url)
    at_once(
        lambda: night(NEWER, folder, url),
        lambda: night(NEWER, folder, url),
        lambda: inspect("王", url),
        lambda: inspect("李", url),
    )
    with Store.open(url) as store:
        calls = [store.latest(call.recording.id) for call in store.calls()]
        assert len(calls) == CALLS
        made: list[tuple[str, str]] = []
        for call in calls:
            name = call.recording.id
            nights = [line for line in store.history(name) if line.reason.startswith("nightly")]
            reviews = store.reviews(name)
            assert len(nights) == 2
            assert call.transcript.provenance == NEWER
            assert store.history(name)[-1].reviews == len(reviews)
            made += [(one.who, one.value) for one in reviews if one.decision is Decision.NOTE]
        assert sorted(made) == sorted((who, f"第 {n} 次") for who in "王李" for n in range(EACH))
