"""What is known about one call, on one time axis: Span, Recording, Word, Turn, Transcript, Call.

All values are frozen; a change returns a new value. Times are `Ms` from the start of the
recording, spans are half-open, probabilities and confidences are floats in [0, 1].
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pipeline.units import Ms, clock
from pipeline.vectors import Place, Sentences


class Role(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"
    OTHER = "other"
    UNKNOWN = "unknown"

    @property
    def chinese(self) -> str:
        return {"agent": "坐席", "customer": "客户", "other": "其他", "unknown": "未知"}[self.value]

    @property
    def opposite(self) -> "Role":
        """The other side of the conversation; OTHER and UNKNOWN have none and stay."""
        return {Role.AGENT: Role.CUSTOMER, Role.CUSTOMER: Role.AGENT}.get(self, self)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`start <= t < end`. `Span(1000, 2000) & Span(1500, 3000) == Span(1500, 2000)`."""

    start: Ms
    end: Ms

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"span ends before it starts: {self.start}..{self.end}")

    @property
    def duration(self) -> Ms:
        return self.end - self.start

    @property
    def middle(self) -> Ms:
        return (self.start + self.end) // 2

    def __contains__(self, time: Ms) -> bool:
        return self.start <= time < self.end

    def __and__(self, other: "Span") -> "Span":
        """Intersection; empty (zero duration) where they do not meet."""
        start = max(self.start, other.start)
        return Span(start, max(start, min(self.end, other.end)))

    def __or__(self, other: "Span") -> "Span":
        """Smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def gap(self, other: "Span") -> Ms:
        """Time between two spans; 0 where they touch or overlap."""
        return max(0, other.start - self.end, self.start - other.end)

    def shift(self, by: Ms) -> "Span":
        return Span(self.start + by, self.end + by)

    def pad(self, by: Ms) -> "Span":
        """Grow on both sides, not below zero."""
        return Span(max(0, self.start - by), self.end + by)

    def __str__(self) -> str:
        return f"{clock(self.start)}–{clock(self.end)}"


def merge(spans: Iterable[Span], gap: Ms = 0) -> tuple[Span, ...]:
    """Sorted spans with those that lie at most `gap` apart joined.

    `merge([Span(5, 9), Span(0, 4)], gap=1) == (Span(0, 9),)`
    """
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start - merged[-1].end <= gap:
            merged[-1] = merged[-1] | span
        else:
            merged.append(span)
    return tuple(merged)


def subtract(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """What is left of `spans` outside `holes`. `subtract([Span(0, 9)], [Span(3, 5)])` gives 0-3 and 5-9."""
    rest = list(spans)
    for hole in holes:
        cut: list[Span] = []
        for span in rest:
            if not span.overlaps(hole):
                cut.append(span)
                continue
            if span.start < hole.start:
                cut.append(Span(span.start, hole.start))
            if hole.end < span.end:
                cut.append(Span(hole.end, span.end))
        rest = cut
    return tuple(sorted(rest))


def total(spans: Iterable[Span]) -> Ms:
    """Time covered, overlaps counted once."""
    return sum(span.duration for span in merge(spans))


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class AgentChannel(StrEnum):
    """Where the agent is heard, as the PBX says it."""

    LEFT = "left"
    RIGHT = "right"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The bytes and what the metadata says of them. `id` is the first 16 hex of the bytes' sha256.
    `unsettled`: what people had put right and a new hearing does not show; a person must look."""

    id: str
    sha256: str
    path: str
    duration: Ms
    sample_rate: int
    channels: int
    codec: str
    warnings: tuple[str, ...] = ()
    call_id: str | None = None
    started_at: datetime | None = None
    agent_id: str | None = None
    customer: str | None = None
    direction: Direction | None = None
    business: str | None = None
    queue_wait_seconds: float | None = None
    ring_count: int | None = None
    agent_channel: AgentChannel | None = None
    is_complaint: bool | None = None
    unsettled: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it: the metadata's call_id, else the id of the bytes."""
        return self.call_id or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One heard token, a Chinese character as a rule. `text` keeps the punctuation that follows it."""

    span: Span
    text: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one speaker says without the other taking over.

    `speaker` numbers the voices of the recording from 0; `channel` is None on mono.
    `loudness_dbfs` is the RMS of the turn's speech, `pitch_hz` its median F0 (None: unvoiced).
    """

    index: int
    speaker: int
    role: Role
    channel: int | None
    span: Span
    words: tuple[Word, ...]
    loudness_dbfs: float | None = None
    pitch_hz: float | None = None

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)

    @property
    def probability(self) -> float:
        """Mean probability of the words; 0 for a turn without words."""
        return sum(w.probability for w in self.words) / len(self.words) if self.words else 0.0

    def with_role(self, role: Role) -> "Turn":
        return replace(self, role=role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The customer waits. `music` says whether something was played meanwhile."""

    span: Span
    music: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Both speak. `first` was speaking when `second` began; both index `Transcript.turns`."""

    span: Span
    first: int
    second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """How sure the pipeline is that the right voice is called the agent, and why."""

    confidence: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made a transcript: enough to make it again."""

    pipeline: str
    model: str
    model_sha256: str
    settings_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """Who said what when.

    `rings` are ringing tones before the call is answered; `unclear` is speech that was heard but
    gave no words to trust. `overlaps_audible` is False on mono, where a second voice under the
    first one cannot be told: rules about overlap then answer cannot_tell.
    """

    turns: tuple[Turn, ...]
    rings: tuple[Span, ...] = ()
    holds: tuple[Hold, ...] = ()
    silences: tuple[Span, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    unclear: tuple[Span, ...] = ()
    overlaps_audible: bool = True
    roles: RoleAssignment
    provenance: Provenance

    @property
    def connected_at(self) -> Ms:
        """When the line was answered: the end of the last ringing tone, else 0."""
        return max((ring.end for ring in self.rings), default=0)

    def of(self, role: Role) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.role is role)

    def quote(self, place: Place) -> str:
        """The words of a sentence as heard."""
        return "".join(word.text for word in self.turns[place.turn].words[place.first : place.last])

    def with_roles(self, role_of: dict[int, Role], roles: RoleAssignment) -> "Transcript":
        """The same words with each speaker number given a role; unnamed speakers are UNKNOWN."""
        turns = tuple(t.with_role(role_of.get(t.speaker, Role.UNKNOWN)) for t in self.turns)
        return replace(self, turns=turns, roles=roles)

    def swapped(self, reason: str) -> "Transcript":
        """Agent and customer exchanged because a person said so."""
        turns = tuple(turn.with_role(turn.role.opposite) for turn in self.turns)
        return replace(self, turns=turns, roles=RoleAssignment(confidence=1.0, reason=reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A recording and its transcript: what the rules look at. `sentences` None: no vectors were made."""

    recording: Recording
    transcript: Transcript
    sentences: Sentences | None = None

    @property
    def span(self) -> Span:
        return Span(0, self.recording.duration)
