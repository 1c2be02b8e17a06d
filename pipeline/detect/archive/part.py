"""A rule's answer from the few stretches of a call where it may match: the same as from the whole call."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from pipeline.detect.archive.compact import Unpacked
from pipeline.detect.heard import Heard
from pipeline.detect.scene import DOUBTFUL_PROBABILITY, Scene, Thresholds
from pipeline.ruleset import Rule
from pipeline.timeline import Call, Recording, Span, total


@dataclass(eq=False)
class PartScene(Scene):
    """A call of which only the chosen stretches are laid out. Only for rules that `can_be_sieved`."""

    stored: Unpacked = field(kw_only=True)
    chosen: tuple[int, ...] = field(kw_only=True)

    @cached_property
    def heard(self) -> Heard:
        return Heard.of_some(self.call, self.stored.groups, self.chosen, self.terms)

    @cached_property
    def _speech(self) -> tuple[tuple[int, Span, float], ...]:
        return tuple(self.stored.speech())

    def doubtful_share(self, rule: Rule) -> float:
        """As `Scene.doubtful_share`, over the whole call."""
        inside, span = self.stretches(rule), self.searched(rule)
        spoken = [(time, sure) for n, time, sure in self._speech if n in inside and time.middle in span]
        doubtful = sum(time.duration for time, sure in spoken if sure < DOUBTFUL_PROBABILITY)
        unclear = total(part & span for part in self.call.transcript.unclear)
        heard = sum(time.duration for time, _ in spoken)
        return (doubtful + unclear) / (heard + unclear) if heard + unclear else 1.0


def part_scene(
    recording: Recording,
    stored: Unpacked,
    chosen: Iterable[int],
    thresholds: Thresholds,
    terms: frozenset[str] = frozenset(),
) -> PartScene:
    """The scene of some stretches of a stored call."""
    stretches = tuple(sorted(chosen))
    transcript = replace(stored.bare, turns=stored.turns(stretches))
    call = Call(recording=recording, transcript=transcript)
    return PartScene(call=call, thresholds=thresholds, terms=terms, stored=stored, chosen=stretches)

