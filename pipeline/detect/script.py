"""A tiny call written as text, as the cases of rule files do: text -> Call.

    坐席 3.0 您好，这里是客服中心。
    客户 6.5 我想查一下话费。
    等待音乐 12.0 40.0
    静音等待 45.0 60.0

Role, start in seconds, words; or a wait with its start and end. `坐席 3.0 [4.5s -12dB 260Hz] 您好` says how
long the turn lasts, how loud and how high it is; any of the three. Lines that begin with `#` describe the
call: `# direction outbound`, `# duration 60`, `# answered 4.5` (ringing until then), `# business 银行`,
`# agent_id 1021`, `# queue_wait_seconds 40`, `# ring_count 4`, `# is_complaint true` and
`# started_at 2026-03-01` (a day, or a time as ISO 8601 writes it).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.detect.document import one_of_these
from pipeline.detect.pattern import matchable
from pipeline.timeline import (
    Call,
    Direction,
    Hold,
    Overlap,
    Provenance,
    Recording,
    Role,
    RoleAssignment,
    Span,
    Transcript,
    Turn,
    Word,
    merge,
    subtract,
)
from pipeline.units import Ms, to_ms
from pipeline.wanted import quoted

CHARACTER: Ms = 240
PROBABILITY = 0.7
"""Words of a case are heard fairly well, so that a case may also show what is misheard."""
LEAST_SILENCE: Ms = 1000
ZONE = ZoneInfo("Asia/Shanghai")
_ROLES = {"坐席": Role.AGENT, "客户": Role.CUSTOMER}
_HOLDS = {"等待音乐": True, "静音等待": False}
EXPECTED = "应为 `坐席 3.0 说的话`、`客户 3.0 说的话`、`等待音乐 6.0 20.0` 或 `静音等待 6.0 20.0`"


_VOICE = re.compile(r"\[([^\]]*)\]\s*(.*)", re.DOTALL)
_UNITS = ("s", "dB", "Hz")


class ScriptError(ValueError):
    """A line that cannot be read; `line` counts from 0."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class _Script:
    turns: list[Turn] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def call_of(text: str, *, probability: float = PROBABILITY) -> Call:
    """The call that a text describes. Raises ScriptError."""
    script = _Script()
    for number, line in enumerate(text.splitlines()):
        try:
            _read(line.strip(), script, probability)
        except ValueError as error:
            raise ScriptError(str(error), number) from error
    script.turns.sort(key=lambda turn: turn.span)
    return _call(script)


def call_from(turns: Iterable[Turn]) -> Call:
    """A call in which nothing but these turns is heard, given in order of time."""
    return _call(_Script(turns=list(turns)))


def _read(line: str, script: _Script, probability: float) -> None:
    if line.startswith("#"):
        key, _, value = line[1:].strip().partition(" ")
        script.facts[key] = _fact(key, value.strip())
        return
    parts = line.split(maxsplit=2)
    if not parts:
        return
    if len(parts) < 3 or parts[0] not in (*_ROLES, *_HOLDS):
        slip = "；引号要用半角的" if line[0] in "“”" else ""
        raise ValueError(f"发现{quoted(line)}，{EXPECTED}{slip}")
    start = to_ms(_seconds(parts[1]))
    if parts[0] in _HOLDS:
        script.holds.append(Hold(span=Span(start, to_ms(_seconds(parts[2]))), music=_HOLDS[parts[0]]))
    else:
        script.turns.append(_turn(_ROLES[parts[0]], start, parts[2], probability))


def _turn(role: Role, start: Ms, text: str, probability: float) -> Turn:
    found = _VOICE.fullmatch(text)
    if found is None:
        return turn_of(role, start, text, probability=probability)
    voice = dict(_measure(part) for part in found[1].split())
    turn = turn_of(role, start, found[2], probability=probability)
    if "s" in voice and turn.words:
        turn = _lasting(turn, to_ms(voice["s"]))
    return replace(turn, loudness_dbfs=voice.get("dB"), pitch_hz=voice.get("Hz"))


def _measure(part: str) -> tuple[str, float]:
    unit = next((unit for unit in _UNITS if part.endswith(unit)), None)
    if unit is None:
        raise ValueError(f"发现{quoted(part)}，应为长度、音量或音高，如 `4.5s`、`-12dB`、`260Hz`")
    return unit, _seconds(part.removesuffix(unit))


def _lasting(turn: Turn, duration: Ms) -> Turn:
    """The turn with its characters spread over so much time."""
    said, start = len(turn.words), turn.span.start
    edges = [start + duration * i // said for i in range(said + 1)]
    spans = (Span(*pair) for pair in pairwise(edges))
    words = tuple(replace(word, span=span) for word, span in zip(turn.words, spans, strict=True))
    return replace(turn, span=Span(start, start + duration), words=words)


def _fact(key: str, value: str) -> Any:
    if key not in _FACTS:
        raise ValueError(f"发现 `{key}`，应为{one_of_these(key, _FACTS)}")
    read, wanted = _FACTS[key]
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f"发现 `{key}` 后面是{quoted(value)}，应为{wanted}") from error


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"发现{quoted(text)}，应为秒数：整行{EXPECTED}") from error


def _yes_or_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)


_FACTS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "agent_id": (str, "工号"),
    "answered": (float, "秒数"),
    "business": (str, "业务线"),
    "direction": (Direction, " inbound、outbound 之一"),
    "duration": (float, "秒数"),
    "is_complaint": (_yes_or_no, " true 或 false"),
    "queue_wait_seconds": (float, "秒数"),
    "ring_count": (int, "整数"),
    "started_at": (_moment, "日期或时间，如 2026-03-01"),
}
_OF_THE_WORDS = ("answered", "duration")


def turn_of(role: Role, start: Ms, text: str, *, probability: float = PROBABILITY) -> Turn:
    """A turn whose characters follow each other evenly; its index is set when the call is made."""
    words = spoken(text, start, probability=probability)
    return Turn(
        index=0,
        speaker=int(role is not Role.AGENT),
        role=role,
        channel=None,
        span=Span(start, words[-1].span.end if words else start),
        words=words,
    )


def spoken(text: str, start: Ms, *, probability: float, character: Ms = CHARACTER) -> tuple[Word, ...]:
    """Words as recognition would give them, one a character; punctuation joins the word before it."""
    words: list[Word] = []
    for char in text:
        if matchable(char):
            at = words[-1].span.end if words else start
            words.append(Word(span=Span(at, at + character), text=char, probability=probability))
        elif words:
            last = words[-1]
            words[-1] = Word(span=last.span, text=last.text + char, probability=probability)
    return tuple(words)


def _call(script: _Script) -> Call:
    facts = script.facts
    ends = [turn.span.end for turn in script.turns] + [hold.span.end for hold in script.holds]
    duration = max(to_ms(facts.get("duration", 0.0)), max(ends, default=0) + LEAST_SILENCE)
    recording = Recording(
        id="case",
        sha256="",
        path="case",
        duration=duration,
        sample_rate=8000,
        channels=1,
        codec="",
        **{key: value for key, value in facts.items() if key not in _OF_THE_WORDS},
    )
    return Call(recording=recording, transcript=_transcript(script, Span(0, duration)))


def _transcript(script: _Script, whole: Span) -> Transcript:
    answered = to_ms(script.facts.get("answered", 0.0))
    turns = tuple(_numbered(script.turns))
    holds = tuple(sorted(script.holds, key=lambda hold: hold.span))
    busy = merge([turn.span for turn in turns] + [hold.span for hold in holds])
    return Transcript(
        turns=turns,
        rings=(Span(max(0, answered - 1000), answered),) if answered else (),
        holds=holds,
        silences=tuple(s for s in subtract([whole], busy) if s.duration >= LEAST_SILENCE),
        overlaps=tuple(_overlaps(turns)),
        roles=RoleAssignment(confidence=1.0, reason="case"),
        provenance=Provenance(pipeline="", model="", model_sha256="", settings_digest=""),
    )


def _numbered(turns: Sequence[Turn]) -> list[Turn]:
    return [replace(turn, index=index) for index, turn in enumerate(turns)]


def _overlaps(turns: Sequence[Turn]) -> list[Overlap]:
    return [
        Overlap(span=one.span & other.span, first=one.index, second=other.index)
        for one, other in pairwise(turns)
        if one.span.overlaps(other.span) and one.role is not other.role
    ]
