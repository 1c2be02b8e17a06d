"""interruption: the role begins to speak while the other side speaks, and goes on with words."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.likelihood import beyond
from pipeline.detect.listening import is_backchannel
from pipeline.detect.pattern import matchable
from pipeline.detect.scene import Scene, timing
from pipeline.detect.telling import absent, cannot_tell, roles_unknown
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Overlap, Span, Transcript, Turn, Word
from pipeline.units import Ms, clock, to_ms

CONFIDENCE = 0.9
ERROR: Ms = 150
"""Standard deviation of the measured length of an overlap."""
RESUMED_MS: Ms = 700
"""Who paused for less than this had not ended: the other side broke in, not they."""
BREATH_MS: Ms = 300
SEAMLESS_MS: Ms = 150
"""On mono: a change of speakers without a longer pause may hide an overlap."""
CANDIDATES = 5


class InterruptionParameters(Parameters):
    """打断：对方正在说，这一方（`role`）开口，并且两人同时说了一阵。

    只说“嗯”“好的”“我明白”之类表示在听的话不算；自己停顿一下接着说、是对方插进来的也不算。
    时间从第一个不是应声的字算到一方停下。单声道录音听不出两人同时说话，结果是“无法判断”，
    并列出前一人没有停顿就换了人的地方，供人去听。
    """

    longer_than_seconds: float = Field(1.0, ge=0, description="两人至少同时说了几秒")


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each interruption; cannot_tell where overlaps cannot be heard (mono)."""
    unknown = roles_unknown(rule, scene)
    if unknown:
        return unknown
    transcript = scene.call.transcript
    if not transcript.overlaps_audible:
        return _on_mono(rule, scene)
    least = to_ms(cast(InterruptionParameters, rule.parameters).longer_than_seconds)
    measured = list(_measured(rule, scene))
    long = [(overlap, together) for overlap, together in measured if together.duration >= least]
    if long:
        return tuple(_present(rule, scene, overlap, together, least) for overlap, together in long)
    hidden = _hidden(rule, scene, least)
    if hidden:
        return cannot_tell(rule, scene, f"{hidden[0]} 有没听清的声音压着对方的话")
    longest = max((together.duration for _, together in measured), default=0)
    told = f"没有，最长同时说 {longest / 1000:.1f} 秒" if longest else "没有"
    return absent(rule, scene, CONFIDENCE * beyond(least, longest, ERROR) * scene.role_factor, told)


def _measured(rule: Rule, scene: Scene) -> Iterator[tuple[Overlap, Span]]:
    """Overlaps in which the role breaks in, and how much of each is with words."""
    transcript, searched = scene.call.transcript, scene.searched(rule)
    for overlap in transcript.overlaps:
        if overlap.span.start in searched and _begins(rule, transcript, overlap):
            yield overlap, _with_words(transcript, overlap)


def _hidden(rule: Rule, scene: Scene, least: Ms) -> list[Span]:
    """Unclear speech under the other side's words that is long enough for an interruption."""
    transcript, searched = scene.call.transcript, scene.searched(rule)
    others = [turn.span & searched for turn in transcript.turns if rule.role in (None, turn.role.opposite)]
    together = (unclear & span for unclear in transcript.unclear for span in others)
    return sorted(part for part in together if part.duration >= max(least, 1))


def _begins(rule: Rule, transcript: Transcript, overlap: Overlap) -> bool:
    """Whether the second speaker is of the role, breaks in with words, and was not broken into."""
    first, second = transcript.turns[overlap.first], transcript.turns[overlap.second]
    if rule.role not in (None, second.role) or is_backchannel(second.text) or is_backchannel(first.text):
        return False
    before = [t for t in transcript.turns[: overlap.second] if t.speaker == second.speaker]
    return not any(
        t.span.start <= first.span.start and second.span.start - t.span.end < RESUMED_MS for t in before
    )


def _with_words(transcript: Transcript, overlap: Overlap) -> Span:
    """The overlap without the back-channels that the second speaker begins with."""
    skipped = 0
    clauses = _clauses(transcript.turns[overlap.second].words)
    while skipped < len(clauses) and is_backchannel("".join(word.text for word in clauses[skipped])):
        skipped += 1
    start = clauses[skipped][0].span.start if 0 < skipped < len(clauses) else overlap.span.start
    return Span(min(max(start, overlap.span.start), overlap.span.end), overlap.span.end)


def _clauses(words: Sequence[Word]) -> list[list[Word]]:
    """Words up to a mark of punctuation or a breath."""
    clauses = [[word] for word in words[:1]]
    for before, after in pairwise(words):
        if not matchable(before.text[-1]) or after.span.start - before.span.end >= BREATH_MS:
            clauses.append([])
        clauses[-1].append(after)
    return clauses


def _present(rule: Rule, scene: Scene, overlap: Overlap, together: Span, least: Ms) -> Finding:
    first, second = (scene.call.transcript.turns[i] for i in (overlap.first, overlap.second))
    told = (
        f"{rule.title}：{together} {second.role.chinese}在{first.role.chinese}说话时开口，"
        f"同时说话 {together.duration / 1000:.1f} 秒。"
    )
    evidence = timing(overlap.span, second.role, turn=second.index, quote=second.text)
    confidence = CONFIDENCE * beyond(together.duration, least, ERROR) * scene.role_factor
    return scene.finding(rule, Outcome.PRESENT, [evidence], told, confidence)


def _on_mono(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """cannot_tell, with the places where the role took over without a pause."""
    seamless = [turn for turn in _seamless(scene) if rule.role in (None, turn.role)]
    shown = [_opening(turn) for turn in seamless if turn.span.start in scene.searched(rule)][:CANDIDATES]
    places = "、".join(clock(evidence.span.start) for evidence in shown)
    seen = f"；没有停顿就换人的地方：{places}" if shown else ""
    return cannot_tell(rule, scene, f"单声道录音听不出两人同时说话{seen}", shown)


def _seamless(scene: Scene) -> Iterator[Turn]:
    for before, after in pairwise(scene.call.transcript.turns):
        touching = after.span.start - before.span.end <= SEAMLESS_MS
        if touching and after.role is before.role.opposite and not is_backchannel(after.text):
            yield after


def _opening(turn: Turn) -> Evidence:
    until = min(turn.span.end, turn.span.start + 1000)
    return timing(Span(turn.span.start, until), turn.role, turn=turn.index, quote=turn.text)


DETECTOR = Detector(parameters=InterruptionParameters, detect=detect)
