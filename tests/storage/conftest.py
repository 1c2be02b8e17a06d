"""A made-up scored call."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from small_rules import a_rule

from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import RuleSet
from pipeline.scorecard import Scorecard, ScoredItem, Verdict
from pipeline.storage.records import Rescored, ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import (
    AgentChannel,
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

PROVENANCE = Provenance(pipeline="1", model="base", model_sha256="f" * 64, settings_digest="abcd")


def a_recording(number: int = 1, **changes: object) -> Recording:
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    recording = Recording(
        id=sha256[:16],
        sha256=sha256,
        path=f"archive/{number}.wav",
        duration=60_000,
        sample_rate=8000,
        channels=2,
        codec="pcm_mulaw",
        warnings=("损坏 200 ms",),
        call_id=f"c{number}",
        started_at=datetime(2024, 5, 6, 1, number % 60, tzinfo=UTC),
        agent_id="1021",
        direction=Direction.INBOUND,
        business="话费查询",
        agent_channel=AgentChannel.LEFT,
        is_complaint=False,
    )
    return replace(recording, **changes)  # type: ignore[arg-type]


def a_transcript() -> Transcript:
    words = tuple(
        Word(span=Span(1000 + 200 * n, 1200 + 200 * n), text=character, probability=0.875)
        for n, character in enumerate("这个不归我们管，")
    )
    turns = (
        Turn(index=0, speaker=0, role=Role.AGENT, channel=0, span=Span(1000, 2600), words=words),
        Turn(index=1, speaker=1, role=Role.CUSTOMER, channel=1, span=Span(3000, 4000), words=()),
    )
    return Transcript(
        turns=turns,
        holds=(Hold(span=Span(5000, 9000), music=True),),
        silences=(Span(9000, 18_000),),
        roles=RoleAssignment(confidence=1.0, reason="声道"),
        provenance=PROVENANCE,
    )


def a_ruleset(text: str = "id: forbidden.shirking") -> RuleSet:
    files = {"forbidden/shirking.yml": text}
    return RuleSet(
        rules=(a_rule("forbidden.shirking", category="shirking"), a_rule("closing.thanks")),
        templates=(),
        files=files,
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def a_scorecard(recording: Recording, ruleset: RuleSet, findings: tuple[str, ...]) -> Scorecard:
    item = ScoredItem(
        id="service",
        title="服务用语",
        section="服务",
        level=None,
        points=None,
        points_possible=Decimal("10.0"),
        verdict=Verdict.NEEDS_REVIEW,
        confidence=0.0,
        findings=findings,
        reason="录音无法判断",
    )
    return Scorecard(
        recording_id=recording.id,
        template_id="inbound_100",
        template_title="呼入",
        template_version=1,
        ruleset_digest=ruleset.digest,
        provenance=PROVENANCE,
        items=(item,),
        total=Decimal("87.5"),
        open_points=Decimal("10.0"),
        points_possible=Decimal("100.0"),
        fatal=False,
    )


def findings_of(recording: Recording) -> tuple[Finding, ...]:
    found = Finding(
        recording_id=recording.id,
        rule_id="forbidden.shirking",
        outcome=Outcome.PRESENT,
        confidence=0.9,
        role=Role.AGENT,
        span=Span(1400, 2400),
        evidence=(
            Evidence(span=Span(1400, 2400), role=Role.AGENT, turn=0, quote="不归我们管", how=How.EXACT),
        ),
        explanation="原字",
    )
    missing = Finding(
        recording_id=recording.id,
        rule_id="closing.thanks",
        outcome=Outcome.ABSENT,
        confidence=0.8,
        role=Role.AGENT,
        span=Span(0, 60_000),
        evidence=(),
        explanation="没有听到",
    )
    return (found, missing)


def a_scored_call(number: int = 1, *, rules: str = "id: forbidden.shirking", **changes: object) -> ScoredCall:
    recording, ruleset = a_recording(number, **changes), a_ruleset(rules)
    findings = findings_of(recording)
    return ScoredCall(
        recording=recording,
        transcript=a_transcript(),
        ruleset=ruleset,
        findings=findings,
        scorecard=a_scorecard(recording, ruleset, tuple(f.id for f in findings)),
    )


def rescore(store: Store, scored: ScoredCall, *, at: datetime, reason: str) -> int | None:
    """A scorecard that is added to the newest one."""
    basis = store.latest(scored.recording.id).scorecard_id
    return store.save_rescore(Rescored(scored=scored, basis=basis, reason=reason), at=at)


@pytest.fixture
def scored() -> Callable[..., ScoredCall]:
    """Makes scored calls by number: the same number is the same recording."""
    return a_scored_call
