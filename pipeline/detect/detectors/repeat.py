"""repeat: one side says nearly the same sentence again later in the call, compared by sound."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from pydantic import Field
from rapidfuzz.fuzz import partial_ratio_alignment

from pipeline.detect.alike import sounds
from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.heard import Heard
from pipeline.detect.listening import is_backchannel
from pipeline.detect.scene import Scene
from pipeline.detect.telling import absent, not_understood, roles_unknown
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import Rule
from pipeline.units import clock

DIGITS = frozenset("零〇一二三四五六七八九两幺")
MOST_DIGITS = 0.5
"""Numbers and letters are read out again to be written down; that is not repeating oneself."""


class RepeatParameters(Parameters):
    """同一方（`role`）在通话里把差不多的一句话又说了一遍，按读音比较，不看写成什么字。

    两遍之间要隔着别人的话或长停顿；连着说的不算。应声和以数字为主的话（报号码、核对）不算。
    开头的问候、结尾的致谢之类每次都一样的话，用 `except` 除外。
    """

    least_characters: int = Field(8, ge=4, description="一句话至少几个字")
    similarity: float = Field(0.8, gt=0.5, le=1, description="读音至少相同几成")
    times: int = Field(2, ge=2, description="至少说了几遍")


class Sentence(NamedTuple):
    """Characters `start` .. `end - 1` of a call's words; `alike` is how much of it sounds the same."""

    start: int
    end: int
    alike: float = 1.0


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each sentence that comes again; see `Detect`."""
    unknown = roles_unknown(rule, scene) if rule.role else ()
    if unknown:
        return unknown
    wanted = cast(RepeatParameters, rule.parameters)
    factor = scene.role_factor if rule.role else 1.0
    groups = [group for group in _groups(rule, scene) if len(group) >= wanted.times]
    sure = [g for g in groups if _confidence(scene.heard, g) * factor >= scene.thresholds.match_confidence]
    if sure:
        return tuple(_present(rule, scene, group, factor) for group in sure)
    return not_understood(rule, scene) or absent(rule, scene, (1 - scene.doubtful_share(rule)) * factor)


def _groups(rule: Rule, scene: Scene) -> Iterator[list[Sentence]]:
    """Each sentence with its later repetitions; what is part of one group begins no other."""
    wanted, heard = cast(RepeatParameters, rule.parameters), scene.heard
    inside = scene.within(rule)
    stretches = [s for s in _stretches(heard) if inside >> s.start & 1]
    taken: list[Sentence] = []
    for number, stretch in enumerate(stretches):
        for sentence in _sentences(heard, stretch, wanted.least_characters):
            if _left_out(heard, sentence) or any(_overlap(sentence, other) for other in taken):
                continue
            again = [_again(heard, sentence, later, wanted) for later in stretches[number + 1 :]]
            group = [sentence, *(s for s in again if s and not _left_out(heard, s))]
            if len(group) >= wanted.times:
                taken.extend(group)
                yield group


def _stretches(heard: Heard) -> list[Sentence]:
    """The rows of characters that one speaker says without another between."""
    rows: list[Sentence] = []
    for i, mark in enumerate(heard.marks):
        if mark.stretch < 0:
            continue
        if rows and heard.marks[rows[-1].start].stretch == mark.stretch:
            rows[-1] = Sentence(rows[-1].start, i + 1)
        else:
            rows.append(Sentence(i, i + 1))
    return rows


def _sentences(heard: Heard, stretch: Sentence, least: int) -> Iterator[Sentence]:
    """From each clause on, as many clauses as make the least length."""
    edges = [i for i in range(stretch.start + 1, stretch.end) if heard.breaks[i] > 0]
    edges = [stretch.start, *edges, stretch.end]
    for position, start in enumerate(edges[:-1]):
        end = next((edge for edge in edges[position + 1 :] if edge - start >= least), None)
        if end is not None:
            yield Sentence(start, end)


def _left_out(heard: Heard, sentence: Sentence) -> bool:
    text = heard.text[sentence.start : sentence.end]
    digits = sum(char in DIGITS or char.isascii() for char in text)
    return digits >= MOST_DIGITS * len(text) or is_backchannel(text)


def _overlap(one: Sentence, other: Sentence) -> bool:
    return one.start < other.end and other.start < one.end


def _again(heard: Heard, sentence: Sentence, stretch: Sentence, wanted: RepeatParameters) -> Sentence | None:
    """Where the sentence sounds again in a later stretch, best fit."""
    first, second = (sounds(heard.text[row.start : row.end]) for row in (sentence, stretch))
    if len(second) < wanted.similarity * len(first):
        return None
    found = partial_ratio_alignment(first, second, score_cutoff=100 * wanted.similarity)
    if found is None:
        return None
    start, end = stretch.start + found.dest_start, stretch.start + found.dest_end
    return Sentence(start, end, found.score / 100) if end > start else None


def _confidence(heard: Heard, group: Sequence[Sentence]) -> float:
    """From how alike the sentences sound and how well their words were heard."""
    alike = min(sentence.alike for sentence in group)
    heard_well = sum(heard.probability(s.start, s.end) for s in group) / len(group)
    return alike * (0.5 + 0.5 * heard_well)


def _present(rule: Rule, scene: Scene, group: Sequence[Sentence], factor: float) -> Finding:
    heard = scene.heard
    evidence = [_evidence(scene, group[0], sentence) for sentence in group]
    times = "、".join(clock(piece.span.start) for piece in evidence)
    who = evidence[0].role.chinese
    alike = min(sentence.alike for sentence in group)
    told = (
        f"{rule.title}：{who}在 {times} 说了 {len(group)} 遍差不多的话“{evidence[0].quote}”，"
        f"读音相同 {alike:.0%}。"
    )
    return scene.finding(rule, Outcome.PRESENT, evidence, told, _confidence(heard, group) * factor)


def _evidence(scene: Scene, first: Sentence, sentence: Sentence) -> Evidence:
    heard, mark = scene.heard, scene.heard.marks[sentence.start]
    said, quote = heard.quote(first.start, first.end), heard.quote(sentence.start, sentence.end)
    return Evidence(
        span=heard.span(sentence.start, sentence.end),
        role=mark.role,
        turn=scene.call.transcript.turns[mark.turn].index,
        quote=quote,
        phrase=said,
        how=How.EXACT if quote == said else How.NEAR_SOUND,
        distance=round(1 - sentence.alike, 4),
    )


DETECTOR = Detector(parameters=RepeatParameters, detect=detect)
