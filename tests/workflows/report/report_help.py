"""Scored calls of made-up agents, in a real database: numbers decide everything, so that counts are known."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from small_rules import a_rule

from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import RuleSet
from pipeline.scorecard import DecidedBy, Decision, FatalCause, Review, Scorecard, ScoredItem, Verdict
from pipeline.storage.records import Origin, Rescored, ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import (
    Direction,
    Hold,
    Provenance,
    Recording,
    Role,
    RoleAssignment,
    Span,
    Transcript,
    Turn,
    Word,
)
from pipeline.workflows.report.compute import Surroundings
from pipeline.workflows.roster import Roster

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2024, 5, 6, 2, tzinfo=UTC)
"""Ten o'clock in the morning where the call centre is."""
MADE_BY = Provenance(pipeline="1", model="base", model_sha256="f" * 64, settings_digest="abcd")
ZERO = Decimal("0.0")
LEAK = FatalCause(
    id="leak",
    title="泄露客户信息",
    zero="card",
    section=None,
    holds=True,
    confidence=1.0,
    findings=(),
    reason="",
)
ROSTER = Roster(teams={"1001": "甲班", "1002": "甲班", "1003": "乙班"})
AROUND = Surroundings(zone=ZONE, roster=ROSTER, targets={"form": 0.9})


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One call: how many of ten points the greeting and the manners brought; None: nobody has decided."""

    number: int
    agent: str | None = "1001"
    day: int = 0
    greeting: int | None = 10
    manners: int | None = None
    complaint: bool = False
    fatal: bool = False
    quote: str = "不归我们管"
    forbidden: bool = False
    business: str = "话费查询"
    by_person: bool = False
    form: str = "服务评分表"

    @property
    def recording(self) -> Recording:
        sha256 = hashlib.sha256(str(self.number).encode()).hexdigest()
        return Recording(
            id=sha256[:16],
            sha256=sha256,
            path=f"archive/{self.number}.wav",
            duration=90_000,
            sample_rate=8000,
            channels=2,
            codec="pcm_mulaw",
            call_id=f"c{self.number}",
            started_at=MONDAY + timedelta(days=self.day, minutes=self.number % 240),
            agent_id=self.agent,
            direction=Direction.INBOUND,
            business=self.business,
            is_complaint=self.complaint,
        )

    @property
    def scored(self) -> ScoredCall:
        recording, findings = self.recording, self.findings
        return ScoredCall(
            recording=recording,
            transcript=transcript(),
            ruleset=RULESET,
            findings=findings,
            scorecard=self.card(findings),
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        greeted = _finding(self.recording, "greeting.word", "您好", present=bool(self.greeting))
        said = _finding(self.recording, "forbidden.shirking", self.quote, present=self.forbidden)
        return greeted, said

    def card(self, findings: tuple[Finding, ...]) -> Scorecard:
        decided = [points for points in (self.greeting, self.manners) if points is not None]
        undecided = 20 - 10 * len(decided)
        return Scorecard(
            recording_id=self.recording.id,
            template_id="form" if self.form == "服务评分表" else "other",
            template_title=self.form,
            template_version=1,
            ruleset_digest=RULESET.digest,
            provenance=MADE_BY,
            items=(
                self._item("greeting", "问候", "开场", self.greeting, findings[0]),
                self._item("manners", "语气", "态度", self.manners, findings[1]),
            ),
            total=Decimal(sum(decided)).quantize(Decimal("0.1")),
            open_points=Decimal(undecided).quantize(Decimal("0.1")),
            points_possible=Decimal("20.0"),
            fatal=self.fatal,
            full=Decimal("20.0"),
            lowest=ZERO if self.fatal else Decimal(sum(decided)).quantize(Decimal("0.1")),
            highest=ZERO if self.fatal else Decimal(sum(decided) + undecided).quantize(Decimal("0.1")),
            pass_mark=Decimal("15.0"),
            passed=False if self.fatal else _passed(sum(decided), undecided),
            fatals=(LEAK,) if self.fatal else (),
        )

    def _item(
        self, item_id: str, title: str, section: str, points: int | None, finding: Finding
    ) -> ScoredItem:
        verdict = Verdict.MANUAL if points is None else Verdict.PASS if points == 10 else Verdict.FAIL
        return ScoredItem(
            id=item_id,
            title=title,
            section=section,
            level=None,
            points=None if points is None else Decimal(points).quantize(Decimal("0.1")),
            points_possible=Decimal("10.0"),
            verdict=verdict,
            confidence=0.9,
            findings=(finding.id,),
            reason="没有听到" if points == 0 else "",
            decided_by=_decided_by(points, by_person=self.by_person),
        )


def _passed(points: int, undecided: int) -> bool | None:
    """Against fifteen of twenty points."""
    return True if points >= 15 else False if points + undecided < 15 else None


def _decided_by(points: int | None, *, by_person: bool) -> DecidedBy:
    if points is None:
        return DecidedBy.NOBODY
    return DecidedBy.REVIEW if by_person else DecidedBy.RULES


def transcript() -> Transcript:
    words = tuple(
        Word(span=Span(1000 + 300 * n, 1300 + 300 * n), text=character, probability=0.875)
        for n, character in enumerate("您好请问有什么可以帮您的吗我来看看是怎么回事")
    )
    agent = Turn(index=0, speaker=0, role=Role.AGENT, channel=0, span=Span(1000, 7600), words=words)
    customer = Turn(index=1, speaker=1, role=Role.CUSTOMER, channel=1, span=Span(8000, 9000), words=())
    return Transcript(
        turns=(agent, customer),
        holds=(Hold(span=Span(10_000, 16_000), music=True),),
        silences=(Span(20_000, 23_000),),
        roles=RoleAssignment(confidence=1.0, reason="声道"),
        provenance=MADE_BY,
    )


def _finding(recording: Recording, rule: str, quote: str, *, present: bool) -> Finding:
    place = Evidence(span=Span(1400, 2400), role=Role.AGENT, turn=0, quote=quote, how=How.EXACT)
    return Finding(
        recording_id=recording.id,
        rule_id=rule,
        outcome=Outcome.PRESENT if present else Outcome.ABSENT,
        confidence=0.9,
        role=Role.AGENT,
        span=Span(1400, 2400) if present else Span(0, 90_000),
        evidence=(place,) if present else (),
        explanation="",
    )


RULESET = RuleSet(
    rules=(a_rule("forbidden.shirking", "推诿"), a_rule("greeting.word", "问候语")),
    templates=(),
    files={"forbidden/shirking.yml": "id: forbidden.shirking"},
    digest="ab" * 32,
)


def put(store: Store, *calls: Made) -> None:
    for call in calls:
        store.save_night_result(call.scored, at=MONDAY + timedelta(days=call.day, hours=12), reason="nightly")


def review(store: Store, call: Made, after: Made, decision: Decision = Decision.OVERRIDE) -> None:
    """An inspector decides; the card that comes of it is added."""
    at = MONDAY + timedelta(days=call.day, hours=20)
    store.add_review(
        Review(
            recording_id=call.recording.id,
            who="质检员",
            at=at,
            decision=decision,
            target="greeting",
            value=str(after.greeting),
            reason="听过",
        )
    )
    scored = replace(after.scored, reviews=len(store.reviews(call.recording.id)))
    basis = store.latest(call.recording.id).scorecard_id
    store.save_rescore(Rescored(scored=scored, basis=basis, reason="review", origin=Origin.HEARD), at=at)
