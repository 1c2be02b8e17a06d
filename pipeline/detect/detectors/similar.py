"""similar: what is meant rather than which words are said, learned from example sentences."""

from collections.abc import Iterable
from typing import NamedTuple, cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import DOUBTFUL_SHARE, NEARLY, Scene
from pipeline.detect.sound import sounds_of
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.meaning import Head, Meaning
from pipeline.ruleset import Rule
from pipeline.timeline import Span, Word
from pipeline.units import clock
from pipeline.vectors import Place, Sentences

FEWEST = 5
NEAREST = 3
"""At most so many near misses are told with an absence."""


class SimilarParameters(Parameters):
    """意思和例句相近就算，不必用同样的字。"""

    examples: tuple[str, ...] = Field(min_length=FEWEST, description="例句：这样的意思要听出来")
    unlike: tuple[str, ...] = Field((), description="反例：看着像，其实不是")
    confirmed: tuple[str, ...] = Field(
        (), description="质检员判对的原话，也当例句学；由 rules learn 写进来，也可以手改"
    )
    rejected: tuple[str, ...] = Field(
        (), description="质检员判错的原话，也当反例学；由 rules learn 写进来，也可以手改"
    )
    beside: str | None = Field(None, description="一条规则的 id：它已经找到的地方不再报")
    precision: float = Field(0.9, ge=0.5, le=1, description="交叉验证时至少要有的精确率；高则少报，低则多报")

    def needs(self) -> tuple[str, ...]:
        return (self.beside,) if self.beside else ()


class Likeness(NamedTuple):
    """A sentence of the call held against the rule."""

    place: Place
    confidence: float
    row: int


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One finding for each sentence that means what the examples do; see `Detect`."""
    meaning, sentences = scene.meaning, scene.call.sentences
    if meaning is None or rule.id not in meaning.heads or sentences is None:
        return (_cannot_tell(rule, scene, "没有句子模型，意思无法比较"),)
    if sentences.encoder != meaning.encoder:
        return (_cannot_tell(rule, scene, "句子向量由另一个模型算出，无法比较"),)
    head = meaning.heads[rule.id]
    if rule.role is not None and not scene.roles_known:
        return (_roles_unknown(rule, scene, _best(_likenesses(rule, scene, meaning, any_role=True))),)
    weighed, known = _best(_likenesses(rule, scene, meaning)), _known(rule, scene)
    wanted = scene.thresholds.match_confidence
    sure = [found for found in weighed if found.confidence * scene.role_factor >= wanted]
    new = [found for found in sure if not any(_at(scene, found.place).overlaps(span) for span in known)]
    if new:
        return tuple(_present(rule, scene, head, found) for found in new)
    if sure:
        return (_told_already(rule, scene, head, sure),)
    return (_nothing(rule, scene, head, weighed),)


def _known(rule: Rule, scene: Scene) -> list[Span]:
    """Where the rule beside this one found its words."""
    beside = cast(SimilarParameters, rule.parameters).beside
    found = scene.found.get(beside, ()) if beside else ()
    return [e.span for f in found if f.outcome is Outcome.PRESENT for e in f.evidence]


def _at(scene: Scene, place: Place) -> Span:
    return _span(scene.call.transcript.turns[place.turn].words, place)


def _told_already(rule: Rule, scene: Scene, head: Head, sure: list[Likeness]) -> Finding:
    evidence = [_evidence(scene, head, found) for found in sure]
    beside = scene.title(cast(SimilarParameters, rule.parameters).beside or "")
    why = f"{rule.title}：有这个意思的话都已由“{beside}”找到。"
    return scene.finding(rule, Outcome.ABSENT, evidence, why, scene.role_factor)


def _likenesses(rule: Rule, scene: Scene, meaning: Meaning, *, any_role: bool = False) -> list[Likeness]:
    """Every sentence of the rule's role in its window, with its confidence."""
    sentences = cast(Sentences, scene.call.sentences)
    inside = _inside(rule, scene, sentences, any_role=any_role)
    if not inside:
        return []
    head, transcript = meaning.heads[rule.id], scene.call.transcript
    texts = (transcript.quote(sentences.places[i]) for i in inside)
    sounds = [meaning.weighed_runs(sounds_of(text)) for text in texts]
    scores = head.scores(sentences.vectors[inside], sounds)
    pairs = zip(inside, scores, strict=True)
    return [Likeness(sentences.places[i], head.confidence(score), i) for i, score in pairs]


def _inside(rule: Rule, scene: Scene, sentences: Sentences, *, any_role: bool) -> list[int]:
    turns, searched = scene.call.transcript.turns, scene.searched(rule)
    wanted = scene.stretches(rule)
    known = {turn for n, group in enumerate(scene.groups) if any_role or n in wanted for turn in group}
    places = enumerate(sentences.places)
    return [i for i, p in places if p.turn in known and _span(turns[p.turn].words, p).middle in searched]


def _span(words: tuple[Word, ...], place: Place) -> Span:
    return Span(words[place.first].span.start, max(w.span.end for w in words[place.first : place.last]))


def _best(weighed: Iterable[Likeness]) -> list[Likeness]:
    """Of overlapping sentences the one that fits best, the shorter one where they fit alike; by place."""
    kept: list[Likeness] = []
    order = sorted(weighed, key=lambda f: (-round(f.confidence, 4), f.place.last - f.place.first, f.place))
    for one in order:
        if not any(_overlap(one.place, other.place) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda f: f.place)


def _overlap(one: Place, other: Place) -> bool:
    return one.turn == other.turn and one.first < other.last and other.first < one.last


def _evidence(scene: Scene, head: Head, found: Likeness) -> Evidence:
    turn = scene.call.transcript.turns[found.place.turn]
    vector = cast(Sentences, scene.call.sentences).vectors[found.row]
    example, cosine = head.nearest(vector)
    return Evidence(
        span=_span(turn.words, found.place),
        role=turn.role,
        turn=turn.index,
        quote=scene.call.transcript.quote(found.place),
        phrase=example,
        how=How.MEANING,
        distance=round(1.0 - cosine, 4),
        detail=f"意思的把握 {found.confidence:.0%}",
    )


def _told(evidence: Evidence) -> str:
    said = f"{evidence.role.chinese}在 {clock(evidence.span.start)} 说“{evidence.quote}”"
    return f"{said}，最像例句“{evidence.phrase}”"


def _present(rule: Rule, scene: Scene, head: Head, found: Likeness) -> Finding:
    evidence = _evidence(scene, head, found)
    confidence = found.confidence * scene.role_factor
    return scene.finding(rule, Outcome.PRESENT, [evidence], f"{rule.title}：{_told(evidence)}。", confidence)


def _nothing(rule: Rule, scene: Scene, head: Head, weighed: list[Likeness]) -> Finding:
    """Absent, or cannot_tell where it is nearly present or too little was understood."""
    nearest = sorted(weighed, key=lambda f: (-f.confidence, f.place))[:NEAREST]
    evidence = [_evidence(scene, head, found) for found in nearest]
    seen = "；最接近的：" + "；".join(_told(e) for e in evidence) if evidence else ""
    best = max((f.confidence * scene.role_factor for f in nearest), default=0.0)
    doubt = scene.doubtful_share(rule)
    who = rule.role.chinese if rule.role else "双方"
    where = f"在 {scene.searched(rule)} 内{who}"
    if best >= NEARLY * scene.thresholds.match_confidence:
        why = f"{rule.title}：{where}像是说了这个意思，但把握不足{seen}。"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, best)
    if doubt >= DOUBTFUL_SHARE:
        why = f"{rule.title}：{where}有 {doubt:.0%} 的话没有听清，无法判断{seen}。"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, 1.0 - doubt)
    why = f"{rule.title}：{where}没有说这个意思的话{seen}。"
    return scene.finding(rule, Outcome.ABSENT, evidence, why, (1.0 - doubt) * scene.role_factor)


def _cannot_tell(rule: Rule, scene: Scene, why: str) -> Finding:
    return scene.finding(rule, Outcome.CANNOT_TELL, (), f"{rule.title}：{why}。", 0.0)


def _roles_unknown(rule: Rule, scene: Scene, weighed: list[Likeness]) -> Finding:
    head = cast(Meaning, scene.meaning).heads[rule.id]
    wanted = scene.thresholds.match_confidence
    evidence = [_evidence(scene, head, f) for f in weighed if f.confidence >= wanted]
    confidence = scene.call.transcript.roles.confidence
    where = "；".join(f"{clock(e.span.start)} “{e.quote}”" for e in evidence) or "没有听到相关的话"
    why = f"{rule.title}：角色把握只有 {confidence:.0%}，不能确定是谁说的：{where}。"
    return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, confidence)


DETECTOR = Detector(parameters=SimilarParameters, detect=detect)
