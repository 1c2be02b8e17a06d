"""phrase: words that are said, found by sound."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, NamedTuple, cast

from pydantic import AfterValidator, Field, ValidationInfo

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.exceptions import Place, cancelled
from pipeline.detect.heard import Heard
from pipeline.detect.match import Fit, Match, Matcher
from pipeline.detect.pattern import parse
from pipeline.detect.scene import DOUBTFUL_SHARE, NEARLY, Scene
from pipeline.detect.wordlists import checked
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import Rule
from pipeline.units import Ms, clock

MERGE_CHARACTERS = 6
MERGE_GAP: Ms = 800
NEAREST = 3


def _phrase(text: str, info: ValidationInfo) -> str:
    return checked(text, info)


class PhraseParameters(Parameters):
    """What is listened for."""

    phrases: tuple[Annotated[str, AfterValidator(_phrase)], ...] = Field(min_length=1)
    match: Literal["sound", "text", "exact"] = "sound"
    max_edits: int | None = Field(None, ge=0, le=5)
    anchor: Literal["anywhere", "start", "end", "turn"] = "anywhere"


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One finding for each place; see `Detect`."""
    if rule.role is not None and not scene.roles_known:
        return (_roles_unknown(rule, scene),)
    found = _matches(rule, scene)
    wanted = scene.thresholds.match_confidence
    sure = [m for m in found.matches if m.fits and m.confidence * scene.role_factor >= wanted]
    if sure:
        return tuple(_present(rule, scene, group) for group in _groups(scene.heard, sure))
    return (_nothing(rule, scene, found),)


class _Found(NamedTuple):
    """The best of the matches that overlap, by position, and what exceptions said of the others."""

    matches: list[Match]
    cancelled: tuple[str, ...]


def _matches(rule: Rule, scene: Scene, *, any_role: bool = False) -> _Found:
    parameters = cast(PhraseParameters, rule.parameters)
    heard = scene.heard
    matcher = Matcher(heard=heard, fit=Fit(parameters.match), max_edits=parameters.max_edits)
    starts = _starts(rule, scene, any_role=any_role)
    raw = [m for text in parameters.phrases for m in matcher.search(parse(text), starts)]
    raw = [m for m in raw if _anchored(heard, m, parameters.anchor)]
    fitting = [Place(m.start, m.end) for m in raw if m.fits]
    causes = cancelled(rule, heard, matcher.fit, (Place(m.start, m.end) for m in raw), fitting)
    kept = _best(m for m in raw if (m.start, m.end) not in causes)
    told = dict.fromkeys(causes[place] for place in fitting if place in causes)
    return _Found(kept, tuple(told))


def _starts(rule: Rule, scene: Scene, *, any_role: bool) -> int:
    heard = scene.heard
    if any_role:
        return heard.words
    starts = scene.within(rule)
    anchor = cast(PhraseParameters, rule.parameters).anchor
    if anchor == "start":
        starts &= _past_fillers(heard, heard.pauses)
    if anchor == "turn":
        starts &= _past_fillers(heard, heard.turn_edges)
    return starts


def _past_fillers(heard: Heard, edges: int) -> int:
    """The edges, and the positions behind the fillers that follow them."""
    for _ in range(4):
        edges |= (edges & heard.fillers) << 1
    return edges


def _anchored(heard: Heard, match: Match, anchor: str) -> bool:
    """Whether the turn ends where the match does, fillers aside, if the rule asks for that."""
    if anchor not in ("end", "turn"):
        return True
    at = match.end
    while not heard.turn_edges >> at & 1 and heard.fillers >> at & 1:
        at += 1
    return bool(heard.turn_edges >> at & 1)


def _best(raw: Iterable[Match]) -> list[Match]:
    """Of overlapping matches the one that fits best, by position."""
    kept: list[Match] = []
    order = sorted(raw, key=lambda m: (not m.fits, -m.slack, m.start - m.end, m.start, m.phrase))
    for match in order:
        if not any(match.start < other.end and other.start < match.end for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda m: m.start)


def _groups(heard: Heard, matches: list[Match]) -> Iterator[list[Match]]:
    """Matches that belong to one uninterrupted utterance of the rule."""
    group = [matches[0]]
    for match in matches[1:]:
        if _close(heard, group[-1], match):
            group.append(match)
        else:
            yield group
            group = [match]
    yield group


def _close(heard: Heard, one: Match, other: Match) -> bool:
    last, first = heard.marks[one.end - 1], heard.marks[other.start]
    if last.stretch != first.stretch:
        return False
    return other.start - one.end <= MERGE_CHARACTERS or first.span.start - last.span.end <= MERGE_GAP


def _evidence(scene: Scene, match: Match) -> Evidence:
    heard, turns = scene.heard, scene.call.transcript.turns
    mark = heard.marks[match.start]
    return Evidence(
        span=heard.span(match.start, match.end),
        role=mark.role,
        turn=turns[mark.turn].index,
        quote=heard.quote(match.start, match.end),
        phrase=match.phrase,
        how=match.how,
        distance=match.cost,
        detail=match.detail,
    )


def _told(evidence: Evidence) -> str:
    said = f"{evidence.role.chinese}在 {clock(evidence.span.start)} 说“{evidence.quote}”"
    if evidence.how is How.EXACT:
        return f"{said}，符合“{evidence.phrase}”"
    difference = f"：{evidence.detail}" if evidence.detail else ""
    return f"{said}，与“{evidence.phrase}”{evidence.how.chinese}{difference}"


def _present(rule: Rule, scene: Scene, group: list[Match]) -> Finding:
    evidence = [_evidence(scene, match) for match in group]
    told = "；".join(_told(e) for e in evidence)
    confidence = max(m.confidence for m in group) * scene.role_factor
    return scene.finding(rule, Outcome.PRESENT, evidence, f"{rule.title}：{told}。", confidence)


def _nothing(rule: Rule, scene: Scene, found: _Found) -> Finding:
    """Absent, or cannot_tell where too little was understood; the nearest candidates are named."""
    nearest = sorted(found.matches, key=lambda m: (-m.confidence, m.start))[:NEAREST]
    evidence = [_evidence(scene, match) for match in nearest]
    wanted = scene.thresholds.match_confidence
    seen = "".join(f"；{cause}，所以不算" for cause in found.cancelled)
    seen += "；最接近的：" + "；".join(_told(e) for e in evidence) if evidence else ""
    where = f"在 {scene.searched(rule)} 内"
    who = rule.role.chinese if rule.role else "双方"
    best = max((m.confidence * scene.role_factor for m in nearest if m.fits), default=0.0)
    doubt = scene.doubtful_share(rule)
    if best >= NEARLY * wanted:
        why = f"{rule.title}：{where}{who}的话像是说了，但把握不足{seen}。"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, best)
    if doubt >= DOUBTFUL_SHARE:
        why = f"{rule.title}：{where}{who}有 {doubt:.0%} 的话没有听清，无法判断{seen}。"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, 1.0 - doubt)
    why = f"{rule.title}：{where}没有听到{who}说{seen}。"
    return scene.finding(rule, Outcome.ABSENT, evidence, why, (1.0 - doubt) * scene.role_factor)


def _roles_unknown(rule: Rule, scene: Scene) -> Finding:
    seen = [m for m in _matches(rule, scene, any_role=True).matches if m.fits]
    evidence = [_evidence(scene, match) for match in seen]
    confidence = scene.call.transcript.roles.confidence
    where = "；".join(f"{clock(e.span.start)} “{e.quote}”" for e in evidence) or "没有听到相关的话"
    why = f"{rule.title}：角色把握只有 {confidence:.0%}，不能确定是谁说的：{where}。"
    return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, confidence)


DETECTOR = Detector(parameters=PhraseParameters, detect=detect)
