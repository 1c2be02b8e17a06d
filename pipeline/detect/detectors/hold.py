"""hold: the customer waits, with music or without, longer than so many seconds."""

from collections.abc import Sequence
from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene, timing
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Hold, Role, Span
from pipeline.units import Ms, clock, to_ms

CONFIDENCE = 0.9
"""Music is told from speech by its sound, a silent wait by the announcement before it."""

UPDATE_MS: Ms = 15_000
"""Two waits with at most this much talk between them are one wait with an update."""


class HoldParameters(Parameters):
    """`music` None: either; `joined`: waits that only an update separates count as one."""

    music: bool | None = None
    longer_than_seconds: float = Field(0.0, ge=0)
    joined: bool = False


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each wait that fits; see `Detect`."""
    wanted = cast(HoldParameters, rule.parameters)
    searched = scene.searched(rule)
    holds = [h for h in scene.call.transcript.holds if h.span.start in searched]
    fitting = [hold for hold in holds if wanted.music in (None, hold.music)]
    waits = _waits(fitting, joined=wanted.joined)
    long = [w for w in waits if sum(s.duration for s in w) > to_ms(wanted.longer_than_seconds)]
    if not long:
        told = f"{rule.title}：没有，在 {searched} 之间找过。"
        return (scene.finding(rule, Outcome.ABSENT, (), told, CONFIDENCE),)
    return tuple(_present(rule, scene, wait) for wait in long)


def _waits(holds: Sequence[Hold], *, joined: bool) -> list[list[Span]]:
    waits: list[list[Span]] = []
    for hold in holds:
        if joined and waits and hold.span.gap(waits[-1][-1]) <= UPDATE_MS:
            waits[-1].append(hold.span)
        else:
            waits.append([hold.span])
    return waits


def _present(rule: Rule, scene: Scene, wait: Sequence[Span]) -> Finding:
    seconds = sum(span.duration for span in wait) / 1000
    where = "，".join(f"{clock(span.start)}–{clock(span.end)}" for span in wait)
    told = f"{rule.title}：等待 {seconds:.1f} 秒（{where}）。"
    return scene.finding(rule, Outcome.PRESENT, _evidence(wait), told, CONFIDENCE)


def _evidence(wait: Sequence[Span]) -> list[Evidence]:
    return [timing(span, Role.OTHER) for span in wait]


DETECTOR = Detector(parameters=HoldParameters, detect=detect)
