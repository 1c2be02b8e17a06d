"""What cancels a finding: words around it, or a finding of another rule close by.

The phrase detector asks `cancelled` before it chooses among overlapping matches; `applied` does the rest
for every detector.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pipeline.detect import nearby
from pipeline.detect.heard import Heard
from pipeline.detect.match import Fit, Match, Matcher
from pipeline.detect.pattern import parse
from pipeline.detect.scene import Scene
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Near, Rule
from pipeline.timeline import Span
from pipeline.units import clock


class Place(NamedTuple):
    """Characters of the call, as positions in `Heard`."""

    start: int
    end: int


def cancelled(
    rule: Rule, heard: Heard, fit: Fit, places: Iterable[Place], phrases: Iterable[Place]
) -> Mapping[Place, str]:
    """The places that an exception in words speaks of, each with what cancels it, told for people.

    `phrases` are those that `{phrase}` may stand for.
    """
    listed = tuple(sorted(set(places)))
    if not listed or not rule.patterns:
        return {}
    held = tuple(sorted(set(phrases)))
    guard = Matcher(heard=heard, fit=fit, phrases=held)
    found = [m for text in rule.patterns for m in guard.search(parse(text), heard.words) if m.fits]
    causes: dict[Place, str] = {}
    for place in listed:
        cause = next((m for m in found if _speaks_of(heard, m, place, held)), None)
        if cause:
            causes[place] = f"“{heard.quote(cause.start, cause.end)}”属于例外“{cause.phrase}”"
    return causes


def _speaks_of(heard: Heard, exception: Match, place: Place, phrases: tuple[Place, ...]) -> bool:
    """Whether an exception speaks of this place.

    One with {phrase} speaks of the phrases that it holds, and of what overlaps these. Any other speaks of
    what it overlaps, unless it goes on behind the place over a gap and into another clause.
    """
    if place.end <= exception.start or exception.end <= place.start:
        return False
    if "{phrase}" in exception.phrase:
        held = (p for p in phrases if exception.start <= p.start and p.end <= exception.end)
        return any(p.start < place.end and place.start < p.end for p in held)
    beyond = heard.breaks[place.end : exception.end]
    return not ("…" in exception.phrase and place.start < exception.start and any(beyond))


def applied(rule: Rule, scene: Scene, found: tuple[Finding, ...], *, words: bool) -> tuple[Finding, ...]:
    """The findings that no exception cancels; when none is left, an absence that says what did.

    `words`: exceptions in words are looked at, too.
    """
    present = [f for f in found if f.outcome is Outcome.PRESENT]
    if not present or not rule.exceptions:
        return found
    causes = {f.id: _causes(rule, scene, f, words=words) for f in present}
    left = [f for f in present if not causes[f.id]]
    if not left:
        told = "；".join(dict.fromkeys(cause for f in present for cause in causes[f.id]))
        return (_instead(rule, scene, present, Outcome.ABSENT, f"{told}，所以不算"),)
    unsure = [near.rule for near in rule.cancelling if _cannot_tell(scene, near)]
    if unsure:
        told = f"{_places(left)}像是有，但不知道有没有例外“{scene.title(unsure[0])}”"
        return (_instead(rule, scene, left, Outcome.CANNOT_TELL, told),)
    return tuple(left)


def _instead(rule: Rule, scene: Scene, present: Iterable[Finding], outcome: Outcome, told: str) -> Finding:
    listed = list(present)
    evidence = [piece for f in listed for piece in f.evidence]
    confidence = max(f.confidence for f in listed)
    return scene.finding(rule, outcome, evidence, f"{rule.title}：{told}。", confidence)


def _places(found: Iterable[Finding]) -> str:
    return "、".join(clock(f.span.start) for f in found) + " "


def _cannot_tell(scene: Scene, near: Near) -> bool:
    return any(f.outcome is Outcome.CANNOT_TELL for f in scene.found.get(near.rule, ()))


def _causes(rule: Rule, scene: Scene, finding: Finding, *, words: bool) -> list[str]:
    """What cancels a finding: something for each piece of its evidence, or nothing."""
    quoted = [_place(scene, piece) if words else None for piece in finding.evidence]
    places = [place for place in quoted if place]
    spoken = cancelled(rule, scene.heard, Fit.SOUND, places, places)
    causes: list[str] = []
    spans = [piece.span for piece in finding.evidence] or [finding.span]
    for span, place in zip(spans, quoted or [None], strict=True):
        cause = (spoken.get(place) if place else None) or next(_close_by(rule, scene, span), None)
        if cause is None:
            return []
        causes.append(cause)
    return causes


def _close_by(rule: Rule, scene: Scene, span: Span) -> Iterator[str]:
    for near in rule.cancelling:
        for other in nearby.anchors(scene, near):
            reach = nearby.zone(scene, rule.role, "within", near, other.span)
            if span.overlaps(reach):
                yield f"{clock(span.start)} 旁边有例外“{scene.title(near.rule)}”（{clock(other.span.start)}）"


def _place(scene: Scene, evidence: Evidence) -> Place | None:
    """The characters that a piece of evidence quotes; None where it is a moment without words."""
    heard = scene.heard
    if evidence.turn is None:
        return None
    stretch = next((n for n, group in enumerate(heard.groups) if evidence.turn in group), None)
    inside = [i for i, m in enumerate(heard.marks) if m.stretch == stretch and m.span.middle in evidence.span]
    return Place(inside[0], inside[-1] + 1) if inside and stretch is not None else None
