"""What a rule says about a call: Evidence and Finding."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipeline.timeline import Role, Span
from pipeline.units import Ms


class Outcome(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    CANNOT_TELL = "cannot_tell"

    @property
    def chinese(self) -> str:
        return {"present": "有", "absent": "无", "cannot_tell": "无法判断"}[self.value]


class How(StrEnum):
    """How the words heard agree with the words looked for, best first."""

    EXACT = "exact"  # the same characters
    SAME_SOUND = "same_sound"  # other characters, the same syllables
    NEAR_SOUND = "near_sound"  # sound-alike syllables (zh/z, n/l, an/ang ...)
    EDITS = "edits"  # syllables inserted, dropped or replaced
    MEANING = "meaning"  # other words, the same meaning as an example
    TIMING = "timing"  # a measurement, not words
    PERSON = "person"  # an inspector marked the words
    NONE = "none"  # nothing was found

    @property
    def chinese(self) -> str:
        titles = {
            "exact": "原字",
            "same_sound": "同音",
            "near_sound": "近音",
            "edits": "有增减",
            "meaning": "意思",
            "timing": "时间",
            "person": "人工补充",
            "none": "—",
        }
        return titles[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One place in the recording.

    `quote` is as heard, `phrase` what it was held against. `distance` is the matcher's cost
    (0 for exact), `detail` names the syllables that differ. `turn` indexes Transcript.turns.
    """

    span: Span
    role: Role
    turn: int | None = None
    quote: str = ""
    phrase: str = ""
    how: How = How.NONE
    distance: float = 0.0
    detail: str = ""


@lru_cache(maxsize=1024)
def _told(start: Ms, end: Ms) -> str:
    """A span as people read it: many findings of a call searched the same one."""
    return str(Span(start, end))


class _Identified:
    """Keeps an id that was made once."""

    __slots__ = ("_id",)
    _id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(_Identified):
    """What one rule says about one place (present) or about the whole searched span (absent, cannot_tell).

    An absence carries the span that was searched and, as further evidence, the nearest candidates.
    """

    recording_id: str
    rule_id: str
    outcome: Outcome
    confidence: float
    role: Role
    span: Span
    evidence: tuple[Evidence, ...]
    explanation: str

    @property
    def id(self) -> str:
        """Stable over rule edits that find the same words: the rule's text is left out."""
        made: str | None = getattr(self, "_id", None)
        if made is None:
            made = self._digest()
            object.__setattr__(self, "_id", made)
        return made

    def _digest(self) -> str:
        seen = self.evidence
        spans = (
            ";".join([f"{e.span.start}-{e.span.end}" for e in seen])
            if seen
            else _told(self.span.start, self.span.end)
        )
        key = "|".join((self.recording_id, self.rule_id, self.outcome, spans))
        return hashlib.sha256(key.encode()).hexdigest()[:16]
