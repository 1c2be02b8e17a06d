"""One call as a document for other programs: what `show --json` prints, with its JSON schema."""

from decimal import Decimal
from typing import Any

from pydantic import Field

from pipeline.findings import Finding
from pipeline.ruleset import RuleSet
from pipeline.scorecard import Scorecard
from pipeline.timeline import Hold, Overlap, Recording, Span, Transcript, Turn, Word
from pipeline.workflows.card_document import Part, ScorecardPart, scorecard_part

SCHEMA_VERSION = 2


class RecordingPart(Part):
    id: str = Field(description="first 16 hex digits of the sha256 of the file's bytes")
    call_id: str | None
    sha256: str
    path: str
    duration_ms: int
    sample_rate: int = Field(description="of the file, Hz")
    channels: int
    codec: str
    warnings: list[str]
    started_at: str | None = Field(description="ISO 8601, UTC")
    agent_id: str | None
    customer: str | None
    direction: str | None = Field(description="inbound | outbound")
    business: str | None
    queue_wait_seconds: float | None
    ring_count: int | None
    agent_channel: str | None = Field(description="left | right | mixed")
    is_complaint: bool | None


class WordPart(Part):
    start_ms: int
    end_ms: int
    text: str = Field(description="as heard, with the punctuation that follows")
    probability: float


class TurnPart(Part):
    role: str = Field(description="agent | customer | other | unknown")
    speaker: int
    channel: int | None
    start_ms: int
    end_ms: int
    text: str
    loudness_dbfs: float | None
    pitch_hz: float | None
    words: list[WordPart]


class SpanPart(Part):
    start_ms: int
    end_ms: int


class HoldPart(SpanPart):
    music: bool


class OverlapPart(SpanPart):
    first_turn: int
    second_turn: int


class TranscriptPart(Part):
    turns: list[TurnPart]
    rings: list[SpanPart]
    holds: list[HoldPart]
    silences: list[SpanPart]
    overlaps: list[OverlapPart]
    unclear: list[SpanPart] = Field(description="speech that gave no words to trust")
    overlaps_audible: bool
    role_confidence: float
    role_reason: str
    pipeline: str
    model: str
    model_sha256: str
    settings_digest: str


class FindingPart(Part):
    id: str
    rule_id: str
    title: str
    label: str
    category: str | None
    severity: str
    status: str = Field(description="active | draft; drafts never score")
    outcome: str = Field(description="present | absent | cannot_tell")
    role: str
    start_ms: int
    end_ms: int
    quote: str = Field(description="as heard")
    phrase: str = Field(description="what it was held against")
    how: str = Field(description="exact | same_sound | near_sound | edits | timing | none")
    confidence: float
    explanation: str


class CallDocument(Part):
    """A call with its transcript, findings and scorecard."""

    schema_version: int = SCHEMA_VERSION
    recording: RecordingPart
    transcript: TranscriptPart
    findings: list[FindingPart]
    scorecard: ScorecardPart | None = Field(description="null: no template is meant for this call")


def call_document(
    recording: Recording,
    transcript: Transcript,
    findings: tuple[Finding, ...],
    scorecard: Scorecard | None,
    ruleset: RuleSet,
) -> CallDocument:
    """The document of one call; `ruleset` is the one that made the findings."""
    return CallDocument(
        recording=_recording(recording),
        transcript=_transcript(transcript),
        findings=[_finding(finding, ruleset) for finding in findings],
        scorecard=scorecard_part(scorecard) if scorecard else None,
    )


def json_schema() -> dict[str, Any]:
    """JSON schema of `CallDocument`."""
    return CallDocument.model_json_schema()


def _recording(recording: Recording) -> RecordingPart:
    return RecordingPart(
        id=recording.id,
        call_id=recording.call_id,
        sha256=recording.sha256,
        path=recording.path,
        duration_ms=recording.duration,
        sample_rate=recording.sample_rate,
        channels=recording.channels,
        codec=recording.codec,
        warnings=[*recording.warnings, *recording.unsettled],
        started_at=recording.started_at.isoformat() if recording.started_at else None,
        agent_id=recording.agent_id,
        customer=recording.customer,
        direction=recording.direction,
        business=recording.business,
        queue_wait_seconds=recording.queue_wait_seconds,
        ring_count=recording.ring_count,
        agent_channel=recording.agent_channel,
        is_complaint=recording.is_complaint,
    )


def _transcript(transcript: Transcript) -> TranscriptPart:
    made = transcript.provenance
    return TranscriptPart(
        turns=[_turn(turn) for turn in transcript.turns],
        rings=[_span(span) for span in transcript.rings],
        holds=[_hold(hold) for hold in transcript.holds],
        silences=[_span(span) for span in transcript.silences],
        overlaps=[_overlap(overlap) for overlap in transcript.overlaps],
        unclear=[_span(span) for span in transcript.unclear],
        overlaps_audible=transcript.overlaps_audible,
        role_confidence=round(transcript.roles.confidence, 3),
        role_reason=transcript.roles.reason,
        pipeline=made.pipeline,
        model=made.model,
        model_sha256=made.model_sha256,
        settings_digest=made.settings_digest,
    )


def _turn(turn: Turn) -> TurnPart:
    return TurnPart(
        role=turn.role,
        speaker=turn.speaker,
        channel=turn.channel,
        start_ms=turn.span.start,
        end_ms=turn.span.end,
        text=turn.text,
        loudness_dbfs=_rounded(turn.loudness_dbfs),
        pitch_hz=_rounded(turn.pitch_hz),
        words=[_word(word) for word in turn.words],
    )


def _word(word: Word) -> WordPart:
    return WordPart(
        start_ms=word.span.start,
        end_ms=word.span.end,
        text=word.text,
        probability=round(word.probability, 3),
    )


def _span(span: Span) -> SpanPart:
    return SpanPart(start_ms=span.start, end_ms=span.end)


def _hold(hold: Hold) -> HoldPart:
    return HoldPart(start_ms=hold.span.start, end_ms=hold.span.end, music=hold.music)


def _overlap(overlap: Overlap) -> OverlapPart:
    return OverlapPart(
        start_ms=overlap.span.start,
        end_ms=overlap.span.end,
        first_turn=overlap.first,
        second_turn=overlap.second,
    )


def _finding(finding: Finding, ruleset: RuleSet) -> FindingPart:
    rule = ruleset.rule(finding.rule_id)
    best = finding.evidence[0] if finding.evidence else None
    return FindingPart(
        id=finding.id,
        rule_id=finding.rule_id,
        title=rule.title if rule else finding.rule_id,
        label=rule.label if rule else "",
        category=rule.category if rule else None,
        severity=rule.severity if rule else "",
        status=rule.status if rule else "",
        outcome=finding.outcome,
        role=finding.role,
        start_ms=finding.span.start,
        end_ms=finding.span.end,
        quote=best.quote if best else "",
        phrase=best.phrase if best else "",
        how=best.how if best else "none",
        confidence=round(finding.confidence, 3),
        explanation=finding.explanation,
    )


def _rounded(value: float | Decimal | None) -> float | None:
    return None if value is None else round(float(value), 1)
