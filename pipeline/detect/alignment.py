"""An alignment step by step, and how it is told: how close, which wording, and where it differs."""

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.detect.heard import Heard
from pipeline.detect.sound import NEGATED, SAME_BUT_TONE, UNRELATED, readings
from pipeline.findings import How


class Step(NamedTuple):
    """One edit of an alignment: `meant` is "" for an extra character, `position` -1 for a missing one."""

    before: "Step | None"
    meant: str
    position: int
    cost: float


def as_meant(heard: Heard, start: int, steps: tuple[Step, ...]) -> str:
    """The wording of the pattern that fits, with `…` for what a gap passed over: `你找…部门`."""
    spelled, at = "", start
    for step in steps:
        if step.meant and step.position >= 0:
            passed = step.position > at and not step.meant.startswith("{")
            same = not step.cost and len(step.meant) == 1
            spelled += ("…" if passed else "") + (heard.marks[step.position].char if same else step.meant)
        elif step.meant:
            spelled += step.meant
        at = max(at, step.position + 1)
    return spelled


def trail(step: Step | None) -> tuple[Step, ...]:
    steps: list[Step] = []
    while step is not None:
        steps.append(step)
        step = step.before
    return tuple(reversed(steps))


def how(steps: Iterable[Step]) -> How:
    worst = 0.0
    for step in steps:
        edited = not step.meant or step.position < 0
        other = SAME_BUT_TONE if step.cost == NEGATED else step.cost
        worst = max(worst, UNRELATED if edited else other)
    if worst >= UNRELATED:
        return How.EDITS
    if worst > SAME_BUT_TONE:
        return How.NEAR_SOUND
    return How.SAME_SOUND if worst else How.EXACT


def detail(heard: Heard, steps: Iterable[Step]) -> str:
    """Where the words differ, with their syllables: `部bu4→不bu4`."""
    parts = []
    for step in steps:
        if step.cost and step.meant and step.position >= 0:
            parts.append(f"{_spelled(step.meant)}→{_spelled(heard.marks[step.position].char)}")
        elif step.cost and step.meant:
            parts.append(f"缺{step.meant}")
        elif step.cost:
            parts.append(f"多{heard.marks[step.position].raw}")
    return "，".join(parts)


def _spelled(char: str) -> str:
    return char + "".join(readings(char)[:1])
