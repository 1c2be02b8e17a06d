"""A rule's answer from the few stretches of a call where it may match: the same as from the whole call."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from pipeline.detect.archive.compact import Unpacked
from pipeline.detect.heard import Heard
from pipeline.detect.scene import DOUBTFUL_PROBABILITY, Scene, Thresholds
from pipeline.ruleset import Rule
from pipeline.timeline import Call, Recording, total


@dataclass(eq=False)
class PartScene(Scene):
    """A call of which only the chosen stretches are laid out. Only for rules that `can_be_sieved`."""

    stored: Unpacked = field(kw_only=True)
    chosen: tuple[int, ...] = field(kw_only=True)

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        return self.stored.groups

    @cached_property
    def heard(self) -> Heard:
        return Heard.of_some(self.call, self.stored.groups, self.chosen, self.terms)

    def doubtful_share(self, rule: Rule) -> float:
        """As `Scene.doubtful_share`, over the whole call."""
        inside, span = self.stretches(rule), self.searched(rule)
        stretches, starts, ends, sure = self.stored.speech
        middles = (starts + ends) // 2
        spoken = np.isin(stretches, list(inside)) & (middles >= span.start) & (middles < span.end)
        doubtful = int((ends - starts)[spoken & (sure < DOUBTFUL_PROBABILITY)].sum())
        heard = int((ends - starts)[spoken].sum())
        unclear = total(part & span for part in self.call.transcript.unclear)
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
