"""What goes into the store and what comes out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pipeline.appeal import Appeal
from pipeline.facts import CallFacts
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import RuleSet, Severity, Status
from pipeline.samples import Peaks
from pipeline.scorecard import Review, Scorecard
from pipeline.timeline import Call, Direction, Recording, Span, Transcript
from pipeline.vectors import Sentences


class Origin(StrEnum):
    """Where a transcript comes from."""

    HEARD = "heard"
    ROLES_SWAPPED = "roles_swapped"
    WORDS_CORRECTED = "words_corrected"
    RELINKED = "relinked"

    @property
    def chinese(self) -> str:
        titles = {
            "heard": "识别",
            "roles_swapped": "角色互换",
            "words_corrected": "改正文字",
            "relinked": "改正话单",
        }
        return titles[self.value]


FORBIDDEN = "forbidden"
"""The label of findings that are counted by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Everything beside transcript, rule set and reviews that a scoring depended on, kept with it.

    `recording` as the metadata was that day, `settings` those that move a score, `encoder` the model of the
    sentences' vectors (None: no vectors), `program` the version of callscore. Of a scoring from before they
    were kept only the recording is known; then `settings` and `program` are empty.
    """

    recording: Recording
    settings: Mapping[str, float | str]
    encoder: str | None
    program: str


class Subject(StrEnum):
    """What a person put right. NOT_CARRIED: a night heard the call again, and what had been put right in its
    words or roles does not fit the new hearing."""

    WORDS = "words"
    ROLES = "roles"
    METADATA = "metadata"
    NOT_CARRIED = "not_carried"

    @property
    def chinese(self) -> str:
        titles = {
            "words": "改正文字",
            "roles": "改正角色",
            "metadata": "改正话单",
            "not_carried": "未能沿用",
        }
        return titles[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing put right: `what` is a column of the metadata, or a time in the recording."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Who put what right, when and why. Append-only; `scorecard_id` is the scoring that it led to."""

    recording_id: str
    subject: Subject
    changes: tuple[Change, ...]
    who: str
    at: datetime
    reason: str
    scorecard_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactForm:
    """A transcript laid out for scanning: `text` is what a scan reads, `detail` the rest. `version` tells the
    layout; another one is made anew."""

    version: int
    text: bytes
    detail: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCall:
    """One call with everything that was made of it. `scorecard` is None where no template is for it,
    `compact`, `sentences` and `peaks` where nobody made them yet. The first `reviews` decisions about the
    call count in the scorecard; `settings` are those that move a score."""

    recording: Recording
    transcript: Transcript
    ruleset: RuleSet
    findings: Sequence[Finding]
    scorecard: Scorecard | None
    compact: CompactForm | None = None
    sentences: Sentences | None = None
    peaks: Peaks | None = None
    reviews: int = 0
    settings: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """New decisions about a call, oldest first, and the call as they score it. `basis` is the scorecard that
    they were made on, the newest; `appeal` ends with the answer that they give; the draft of `draft_of` about
    the call ends with them."""

    reviews: tuple[Review, ...]
    scored: ScoredCall
    basis: int
    reason: str
    appeal: Appeal | None = None
    draft_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """A known call scored anew. `basis` is the scorecard that was the newest when the call was read; `origin`
    that of a transcript other than the newest stored one; `correction` what a person put right."""

    scored: ScoredCall
    basis: int
    reason: str
    origin: Origin = Origin.ROLES_SWAPPED
    correction: Correction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reheard:
    """A known call as a later night heard it: `transcript` untouched by people, `origin` that of the one that
    is scored, with what they had put right; `lost` tells what of it does not fit any more. `basis` is the
    scorecard that was the newest when the call was read."""

    transcript: Transcript
    origin: Origin
    lost: tuple[Correction, ...]
    basis: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What a finding's rule said of itself on the day of the scoring."""

    title: str
    label: str
    category: str | None
    severity: Severity
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """A call as one scoring left it.

    `rules` describes every rule that the findings name. `recording` is as known now: metadata may have
    been corrected since. `body_sha256` is the digest of findings and scorecard as canonical JSON: two
    scorings agree to the byte where it is the same. The first `reviews` of `Store.reviews` counted.
    `circumstances` None: scored before they were kept.
    """

    scorecard_id: int
    recording: Recording
    transcript: Transcript
    origin: Origin
    findings: tuple[Finding, ...]
    rules: Mapping[str, RuleFacts]
    scorecard: Scorecard | None
    ruleset_digest: str
    scored_at: datetime
    reason: str
    body_sha256: str
    sentences: Sentences | None = None
    reviews: int = 0
    circumstances: Circumstances | None = None

    @property
    def call(self) -> Call:
        return Call(recording=self.recording, transcript=self.transcript, sentences=self.sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """One line of the table of calls: the newest scorecard of a recording. Points are None without one.

    `open_items` counts what waits for a person, `forbidden` the present findings with label `forbidden`.
    """

    scorecard_id: int
    recording: Recording
    template_id: str | None
    total: Decimal | None
    open_points: Decimal | None
    points_possible: Decimal | None
    open_items: int
    forbidden: int
    fatal: bool
    ruleset_digest: str
    scored_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls to list; None asks nothing. `since` and `until` hold against the start of the call
    (half-open); `rule_id`, `label` and `category` ask for a present finding; `agents` and `recordings` for
    any of these; the total lies from `least_total` to `most_total`, both included; `limit` keeps the
    last so many."""

    since: datetime | None = None
    until: datetime | None = None
    agent_id: str | None = None
    business: str | None = None
    direction: Direction | None = None
    is_complaint: bool | None = None
    fatal: bool | None = None
    open_items: bool | None = None
    rule_id: str | None = None
    label: str | None = None
    category: str | None = None
    agents: frozenset[str] | None = None
    recordings: frozenset[str] | None = None
    least_total: Decimal | None = None
    most_total: Decimal | None = None
    limit: int | None = None

    @property
    def asks_findings(self) -> bool:
        return bool(self.rule_id or self.label or self.category)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringLine:
    """One scoring in the history of a call, oldest first."""

    scorecard_id: int
    scored_at: datetime
    reason: str
    origin: Origin
    template_id: str | None
    template_version: int | None
    ruleset_digest: str
    total: Decimal | None
    reviews: int
    body_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """One call_id that several recordings carry."""

    call_id: str
    recording_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedFinding:
    """The newest decision about a finding, with what the finding said when it was stored."""

    review: Review
    rule_id: str
    outcome: Outcome
    span: Span
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactCall:
    """The newest transcript of a recording in its compact form."""

    transcript_id: int
    recording: Recording
    form: CompactForm


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepLine:
    """One run of a rule set over the archive. `ended_at` None: still running, or killed."""

    id: int
    ruleset_digest: str
    started_at: datetime
    ended_at: datetime | None
    calls: int
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptFinding:
    """A finding of a sweep as it is kept; evidence and explanation follow from the call and the rules."""

    recording_id: str
    finding_id: str
    rule_id: str
    outcome: str
    role: str
    start_ms: int
    end_ms: int
    confidence: float
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactFilter:
    """Which calls statistics are about; None asks nothing. The start of the call is half-open."""

    since: datetime | None = None
    until: datetime | None = None
    agent_id: str | None = None
    business: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLine:
    """The newest scoring of a call as statistics see it. `reviewers` listened to it; `machine` are the facts
    as the rules alone had them, None where nobody reviewed."""

    recording_id: str
    call_id: str | None
    started_at: datetime | None
    duration_ms: int
    agent_id: str | None
    business: str | None
    direction: str | None
    is_complaint: bool | None
    reviewers: tuple[str, ...]
    facts: CallFacts
    machine: CallFacts | None

    @property
    def name(self) -> str:
        return self.call_id or self.recording_id


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPlan:
    """An inspection sample as it was asked for: calls of `since` to `until` (half-open), `calls` in all."""

    since: datetime
    until: datetime
    seed: int
    calls: int
    options: Mapping[str, object]
    id: int = 0
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDraw:
    """A call that a plan drew, and why."""

    recording_id: str
    why: str
