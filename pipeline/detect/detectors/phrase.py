"""phrase: words that are said, found by sound."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, NamedTuple, Self, cast

from pydantic import AfterValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from pipeline.detect import expressions
from pipeline.detect.detectors.base import Detector, Parameters, at_least_one
from pipeline.detect.exceptions import Place, cancelled
from pipeline.detect.heard import Heard
from pipeline.detect.match import Fit, Match, Matcher
from pipeline.detect.pattern import PatternError, parse
from pipeline.detect.scene import DOUBTFUL_SHARE, NEARLY, Scene
from pipeline.detect.wordlists import at_column, checked
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import Rule
from pipeline.units import Ms, clock

MERGE_CHARACTERS = 6
MERGE_GAP: Ms = 800
NEAREST = 3


def _phrase(text: str, info: ValidationInfo) -> str:
    return checked(text, info)


def _expression(text: str) -> str:
    try:
        expressions.compiled(text)
    except PatternError as error:
        raise at_column(str(error), error.column) from error
    return text


Phrase = Annotated[str, AfterValidator(_phrase)]
Expression = Annotated[str, AfterValidator(_expression)]


class PhraseParameters(Parameters):
    """听到某些话：按读音、按字，或用正则表达式。"""

    phrases: tuple[Phrase, ...] = Field((), min_length=1, description="说法，一行一条")
    regex: tuple[Expression, ...] = Field(
        (), min_length=1, description="正则表达式（RE2），按听到的原文匹配，标点也在内"
    )
    require: Literal["any", "all"] | Annotated[int, Field(ge=1)] = Field(
        "any", description="any：任何一条听到就算；all：每一条都要听到；整数：至少听到几条不同的"
    )
    none_of: tuple[Phrase, ...] = Field(
        (), min_length=1, description="同一段里一条都不许听到的说法；听到了就算没有"
    )
    match: Literal["sound", "text", "exact"] = Field(
        "sound", description="sound：按读音；text：必须同字，语气词可有可无；exact：一字不差"
    )
    max_edits: int | None = Field(
        None, ge=0, le=5, description="最多几个不同的、多出的或缺少的字；不写：按音匹配看长度，按字匹配为 0"
    )
    anchor: Literal["anywhere", "start", "end", "turn"] = Field(
        "anywhere", description="在一轮的哪里：anywhere 哪里都行；start 开头；end 结尾；turn 整轮只有这句"
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if not (self.phrases or self.regex or self.none_of):
            raise at_least_one(("phrases", "regex", "none_of"))
        if isinstance(self.require, int) and self.require > len(self.wanted):
            raise PydanticCustomError("too_many", "不大于说法和正则表达式条数的 `require`")
        return self

    def matcher(self, heard: Heard) -> Matcher:
        """How these phrases are looked for in what was heard."""
        return Matcher(heard=heard, fit=Fit(self.match), max_edits=self.max_edits)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Everything that is listened for."""
        return self.phrases + self.regex

    @property
    def needed(self) -> int:
        """How many of those must be heard."""
        if isinstance(self.require, int):
            return self.require
        return len(self.wanted) if self.require == "all" else min(1, len(self.wanted))


class _Found(NamedTuple):
    """The best of the matches that overlap, by position; all matches of each pattern, by its number; and
    what exceptions said of the others."""

    matches: list[Match]
    each: list[list[Match]]
    cancelled: tuple[str, ...]


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One finding for each place, or one for all of them where several phrases must be heard."""
    if rule.role is not None and not scene.roles_known:
        return (_roles_unknown(rule, scene),)
    parameters = cast(PhraseParameters, rule.parameters)
    found = _matches(rule, scene)
    unwanted = _unwanted(rule, scene)
    sure = [m for m in found.matches if _is_sure(scene, m)]
    complete = [matches for matches in found.each if any(_is_sure(scene, m) for m in matches)]
    if not (sure if parameters.needed == 1 else len(complete) >= parameters.needed):
        return (_nothing(rule, scene, found, len(complete)),)
    if parameters.none_of and (spoiled := _spoiled(rule, scene, sure, unwanted)):
        return (spoiled,)
    if parameters.needed > 1:
        sure = _best(max(matches, key=lambda m: (_is_sure(scene, m), m.slack)) for matches in complete)
        weakest = min(max(m.confidence for m in matches) for matches in complete)
        return (_present(rule, scene, sure, weakest),)
    if not parameters.wanted:
        return (_unheard(rule, scene),)
    groups = _groups(scene.heard, sure)
    return tuple(_present(rule, scene, group, max(m.confidence for m in group)) for group in groups)


def _is_sure(scene: Scene, match: Match) -> bool:
    return match.fits and match.confidence * scene.role_factor >= scene.thresholds.match_confidence


def _matches(rule: Rule, scene: Scene, *, any_role: bool = False) -> _Found:
    parameters = cast(PhraseParameters, rule.parameters)
    heard, matcher = scene.heard, parameters.matcher(scene.heard)
    starts = _starts(rule, scene, any_role=any_role)
    each = [list(matcher.search(parse(text), starts)) for text in parameters.phrases]
    each += [list(expressions.search(heard, text, starts)) for text in parameters.regex]
    each = [[m for m in matches if _anchored(heard, m, parameters.anchor)] for matches in each]
    raw = [m for matches in each for m in matches]
    fitting = [Place(m.start, m.end) for m in raw if m.fits]
    causes = cancelled(rule, heard, matcher.fit, (Place(m.start, m.end) for m in raw), fitting)
    each = [[m for m in matches if (m.start, m.end) not in causes] for matches in each]
    told = dict.fromkeys(causes[place] for place in fitting if place in causes)
    return _Found(_best(m for matches in each for m in matches), each, tuple(told))


def _unwanted(rule: Rule, scene: Scene) -> list[Match]:
    """What must not be heard, where it was heard."""
    parameters = cast(PhraseParameters, rule.parameters)
    matcher, starts = parameters.matcher(scene.heard), scene.within(rule)
    return _best(m for text in parameters.none_of for m in matcher.search(parse(text), starts) if m.fits)


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


def _present(rule: Rule, scene: Scene, group: list[Match], confidence: float) -> Finding:
    evidence = [_evidence(scene, match) for match in group]
    told = "；".join(_told(e) for e in evidence)
    confidence *= scene.role_factor
    return scene.finding(rule, Outcome.PRESENT, evidence, f"{rule.title}：{told}。", confidence)


def _spoiled(rule: Rule, scene: Scene, sure: list[Match], unwanted: list[Match]) -> Finding | None:
    """Absent, or cannot_tell, because of what must not be heard; None: it was not heard."""
    heard = [m for m in unwanted if _is_sure(scene, m)]
    wanted = NEARLY * scene.thresholds.match_confidence
    near = [m for m in unwanted if m.confidence * scene.role_factor >= wanted]
    doubt = scene.doubtful_share(rule)
    evidence = [_evidence(scene, match) for match in (*sure, *(heard or near))]
    told = "；".join(_told(_evidence(scene, match)) for match in heard or near)
    if heard:
        why, confidence = f"不该有的话说了：{told}", max(m.confidence for m in heard) * scene.role_factor
        return scene.finding(rule, Outcome.ABSENT, evidence, f"{rule.title}：{why}。", confidence)
    if near or doubt >= DOUBTFUL_SHARE:
        why = f"像是说了不该有的话，但把握不足：{told}" if near else f"有 {doubt:.0%} 的话没有听清，无法判断"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, f"{rule.title}：{why}。", 1.0 - doubt)
    return None


def _unheard(rule: Rule, scene: Scene) -> Finding:
    """Present: nothing of what must not be heard was."""
    who = rule.role.chinese if rule.role else "双方"
    why = f"{rule.title}：在 {scene.searched(rule)} 内没有听到{who}说所列的任何一条。"
    confidence = (1.0 - scene.doubtful_share(rule)) * scene.role_factor
    return scene.finding(rule, Outcome.PRESENT, (), why, confidence)


def _nothing(rule: Rule, scene: Scene, found: _Found, complete: int) -> Finding:
    """Absent, or cannot_tell where too little was understood; the nearest candidates are named."""
    nearest = sorted(found.matches, key=lambda m: (-m.confidence, m.start))[:NEAREST]
    evidence = [_evidence(scene, match) for match in nearest]
    wanted = scene.thresholds.match_confidence
    seen = "".join(f"；{cause}，所以不算" for cause in found.cancelled)
    seen += "；最接近的：" + "；".join(_told(e) for e in evidence) if evidence else ""
    where = f"在 {scene.searched(rule)} 内"
    who = rule.role.chinese if rule.role else "双方"
    needed = cast(PhraseParameters, rule.parameters).needed
    share = f"，{needed} 条里只有 {complete} 条" if needed > 1 else ""
    best = _nearly(scene, found, needed)
    doubt = scene.doubtful_share(rule)
    if best >= NEARLY * wanted:
        why = f"{rule.title}：{where}{who}的话像是说了，但把握不足{seen}。"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, best)
    if doubt >= DOUBTFUL_SHARE:
        why = f"{rule.title}：{where}{who}有 {doubt:.0%} 的话没有听清，无法判断{seen}。"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, 1.0 - doubt)
    why = f"{rule.title}：{where}没有听到{who}说{share}{seen}。"
    return scene.finding(rule, Outcome.ABSENT, evidence, why, (1.0 - doubt) * scene.role_factor)


def _nearly(scene: Scene, found: _Found, needed: int) -> float:
    """Confidence that so many phrases were said: that of the one that is still missing."""
    if needed == 1:
        return max((m.confidence * scene.role_factor for m in found.matches if m.fits), default=0.0)
    best = sorted((max((m.confidence for m in ms if m.fits), default=0.0) for ms in found.each), reverse=True)
    return best[needed - 1] * scene.role_factor


def _roles_unknown(rule: Rule, scene: Scene) -> Finding:
    seen = [m for m in _matches(rule, scene, any_role=True).matches if m.fits]
    evidence = [_evidence(scene, match) for match in seen]
    confidence = scene.call.transcript.roles.confidence
    where = "；".join(f"{clock(e.span.start)} “{e.quote}”" for e in evidence) or "没有听到相关的话"
    why = f"{rule.title}：角色把握只有 {confidence:.0%}，不能确定是谁说的：{where}。"
    return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, confidence)


DETECTOR = Detector(parameters=PhraseParameters, detect=detect, weighs_exceptions=True)
