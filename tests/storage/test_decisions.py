"""What inspectors decided about findings, and which rule sets there were."""

from collections.abc import Callable
from datetime import UTC, datetime

from conftest import rescore

from pipeline.findings import Outcome
from pipeline.scorecard import Decision, Review
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store

AT = datetime(2024, 5, 7, tzinfo=UTC)


def review(target: str, recording_id: str, decision: Decision, *, day: int = 7) -> Review:
    return Review(
        recording_id=recording_id,
        who="质检员",
        at=AT.replace(day=day),
        decision=decision,
        target=target,
        value="",
        reason="",
    )


def test_the_newest_decision_of_each_finding_comes_with_what_was_found(
    store: Store, scored: Callable[..., ScoredCall]
) -> None:
    call = scored(1)
    store.save_night_result(call, at=AT, reason="nightly")
    present, absent = (finding.id for finding in call.findings)
    where = call.recording.id
    store.add_review(review(present, where, Decision.FINDING_FALSE, day=9))
    store.add_review(review(present, where, Decision.FINDING_TRUE, day=8))
    store.add_review(review(absent, where, Decision.FINDING_TRUE))
    store.add_review(review("service", where, Decision.OVERRIDE))
    found = {decided.rule_id: decided for decided in store.decided_findings()}
    assert set(found) == {"forbidden.shirking", "closing.thanks"}
    shirking = found["forbidden.shirking"]
    assert shirking.review.decision is Decision.FINDING_FALSE
    assert (shirking.outcome, shirking.quote) == (Outcome.PRESENT, "不归我们管")
    assert shirking.span == call.findings[0].span
    assert found["closing.thanks"].outcome is Outcome.ABSENT


def test_a_finding_that_was_scored_twice_is_decided_once(
    store: Store, scored: Callable[..., ScoredCall]
) -> None:
    call = scored(1)
    store.save_night_result(call, at=AT, reason="nightly")
    rescore(store, call, at=AT, reason="rescore")
    store.add_review(review(call.findings[0].id, call.recording.id, Decision.FINDING_TRUE))
    assert len(store.decided_findings()) == 1


def test_rule_sets_are_listed_by_the_beginning_of_their_digest(
    store: Store, scored: Callable[..., ScoredCall]
) -> None:
    first, second = scored(1), scored(2, rules="id: other")
    store.save_night_result(second, at=AT.replace(day=6), reason="nightly")
    store.save_night_result(first, at=AT, reason="nightly")
    digests = (second.ruleset.digest, first.ruleset.digest)
    assert store.ruleset_digests() == digests
    assert store.ruleset_digests(digests[1][:8]) == (digests[1],)
    assert store.ruleset_digests("%") == ()
