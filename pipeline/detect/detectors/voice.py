"""voice: a turn is spoken louder or higher than the same person mostly speaks in this call."""

from collections.abc import Callable, Sequence
from math import log2
from statistics import median
from typing import NamedTuple, Self, cast

from pydantic import Field, model_validator

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene, timing
from pipeline.detect.telling import absent, cannot_tell, roles_unknown
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Turn
from pipeline.units import to_ms

CONFIDENCE = 0.75
"""Loudness and pitch also change with the line, the distance to the microphone and the words."""
MONO_FACTOR = 0.8
"""On mono another voice may sound under the turn."""
DECIBEL_ERROR, SEMITONE_ERROR = 1.5, 1.0


class VoiceParameters(Parameters):
    """一轮话的音量、音高与同一个人在这通电话里的平常水平（各轮的中位数）相比。

    两个都写就要同时满足，这样提高嗓门和走近话筒能分开。音量是一轮里声音的有效值，音高是浊音的
    中位基频，一个八度是 12 个半音。不足 `least_seconds` 的一轮不算；不足 `least_turns` 轮就没有平常水平可比，
    结果是“无法判断”。
    """

    louder_by_db: float | None = Field(None, gt=0, description="比平常响几分贝")
    higher_by_semitones: float | None = Field(None, gt=0, description="比平常高几个半音")
    least_seconds: float = Field(1.0, gt=0, description="一轮至少几秒才算")
    least_turns: int = Field(5, ge=3, description="至少几轮才有平常水平可比")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        return self.needs_one_of("louder_by_db", "higher_by_semitones")


class Change(NamedTuple):
    """A turn against the person's median; None: not to be measured."""

    turn: Turn
    decibels: float | None
    semitones: float | None


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each turn that stands out; see `Detect`."""
    unknown = roles_unknown(rule, scene)
    if unknown:
        return unknown
    wanted = cast(VoiceParameters, rule.parameters)
    role = rule.role or Role.AGENT
    turns = [t for t in scene.call.transcript.of(role) if t.span.duration >= to_ms(wanted.least_seconds)]
    if len(turns) < wanted.least_turns or not _measurable(wanted, turns):
        return cannot_tell(rule, scene, f"{role.chinese}只有 {len(turns)} 轮够长的话，没有平常水平可比")
    searched = scene.searched(rule)
    changes = [c for c in _changes(turns) if c.turn.span.middle in searched]
    found = [change for change in changes if _margin(wanted, change) > 0]
    factor = CONFIDENCE * scene.role_factor * (1.0 if scene.call.transcript.overlaps_audible else MONO_FACTOR)
    if not found:
        return absent(rule, scene, factor)
    return tuple(_present(rule, scene, change, factor) for change in found)


def _measurable(wanted: VoiceParameters, turns: Sequence[Turn]) -> bool:
    loud = sum(turn.loudness_dbfs is not None for turn in turns)
    high = sum(turn.pitch_hz is not None for turn in turns)
    enough_loud = wanted.louder_by_db is None or loud >= wanted.least_turns
    return enough_loud and (wanted.higher_by_semitones is None or high >= wanted.least_turns)


def _changes(turns: Sequence[Turn]) -> list[Change]:
    decibels = _against_median(turns, lambda turn: turn.loudness_dbfs)
    semitones = _against_median(turns, lambda turn: 12 * log2(turn.pitch_hz) if turn.pitch_hz else None)
    return [Change(*row) for row in zip(turns, decibels, semitones, strict=True)]


def _against_median(turns: Sequence[Turn], measure: Callable[[Turn], float | None]) -> list[float | None]:
    values = [measure(turn) for turn in turns]
    usual = median([value for value in values if value is not None] or [0.0])
    return [None if value is None else value - usual for value in values]


def _margin(wanted: VoiceParameters, change: Change) -> float:
    """By how many errors of measurement the change exceeds what is asked for; not above 0: it does not."""
    margins = []
    if wanted.louder_by_db is not None:
        margins.append(((change.decibels or 0.0) - wanted.louder_by_db) / DECIBEL_ERROR)
    if wanted.higher_by_semitones is not None:
        margins.append(((change.semitones or 0.0) - wanted.higher_by_semitones) / SEMITONE_ERROR)
    return min(margins, default=0.0)


def _present(rule: Rule, scene: Scene, change: Change, factor: float) -> Finding:
    wanted, turn = cast(VoiceParameters, rule.parameters), change.turn
    parts = []
    if change.decibels is not None:
        parts.append(f"音量比平常高 {change.decibels:.1f} 分贝")
    if change.semitones is not None:
        parts.append(f"音高比平常高 {change.semitones:.1f} 个半音")
    told = f"{rule.title}：{turn.role.chinese}{turn.span} {'，'.join(parts)}。"
    evidence = timing(turn.span, turn.role, turn=turn.index, quote=turn.text)
    confidence = factor * (0.7 + 0.3 * min(1.0, _margin(wanted, change)))
    return scene.finding(rule, Outcome.PRESENT, [evidence], told, confidence)


DETECTOR = Detector(parameters=VoiceParameters, detect=detect)
