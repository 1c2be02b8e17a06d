import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dispute_help import FILES, NOON, SHIRKING, filled, rescored, rules, scorer, signed
from sqlalchemy import create_engine, text

from pipeline.errors import NotFound, UsageError
from pipeline.scorecard import Decision, Review
from pipeline.settings import Settings
from pipeline.storage.records import Rescored
from pipeline.storage.store import Store
from pipeline.workflows.dispute.as_of import named
from pipeline.workflows.dispute.correct import Facts, relink, swap_roles
from pipeline.workflows.dispute.replay import Agreement, Replay, replayed, rules_by_digest
from pipeline.workflows.review.sheet import reviewed, sheet

OTHER = rules({**FILES, "a/shirking.yml": SHIRKING.replace("[不归我们管]", "[没办法]")})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with filled(tmp_path) as opened:
        yield opened


def replay(store: Store, as_of: str, settings: Settings | None = None) -> Replay:
    stored = named(store, "a" * 16, as_of, Settings()).stored
    return replayed(stored, store, rules_by_digest(store), settings or Settings())


def test_a_replay_under_the_rules_of_the_day_is_the_same_to_the_byte(store: Store) -> None:
    rescored(store, OTHER)
    first, second = replay(store, "2024-05-06"), replay(store, "2024-05-07")
    assert first.agreement is second.agreement is Agreement.IDENTICAL
    assert first.sha256 == store.history("a" * 16)[0].body_sha256
    assert first.sha256 != second.sha256
    assert first.assumed == ()


def test_a_replay_stores_nothing(store: Store) -> None:
    replay(store, "2024-05-06")
    assert len(store.history("a" * 16)) == 1


def test_a_replay_uses_the_thresholds_of_the_day_and_not_those_of_today(store: Store) -> None:
    strict = Settings(role_threshold=1.0, match_confidence=0.99)
    assert replay(store, "2024-05-06", strict).agreement is Agreement.IDENTICAL


def test_other_thresholds_on_the_day_gave_another_card(store: Store, tmp_path: Path) -> None:
    """Otherwise the test before this one proves nothing."""
    (tmp_path / "strict").mkdir()
    with filled(tmp_path / "strict", Settings(match_confidence=0.999)) as other:
        assert other.latest("a" * 16).body_sha256 != store.latest("a" * 16).body_sha256
        assert replay(other, "2024-05-06").agreement is Agreement.IDENTICAL


def test_metadata_corrected_since_does_not_change_the_past(store: Store) -> None:
    relink("c1", Facts(values={"direction": "呼出", "agent_id": "2000"}), scorer(store), signed())
    found = replay(store, "2024-05-06")
    assert found.agreement is Agreement.IDENTICAL
    assert found.scored.recording.agent_id == "1021"
    assert replay(store, "2024-05-07").scored.recording.agent_id == "2000"


def test_roles_swapped_since_do_not_change_the_past(store: Store) -> None:
    swap_roles("c1", scorer(store), signed())
    assert replay(store, "2024-05-06").agreement is Agreement.IDENTICAL
    assert replay(store, "2024-05-07").agreement is Agreement.IDENTICAL


def test_decisions_of_people_count_from_the_scoring_after_them(store: Store) -> None:
    shirking = next(f for f in store.latest("a" * 16).findings if f.rule_id == "forbidden.shirking")
    store.add_review(
        Review(
            recording_id="a" * 16,
            who="王组长",
            at=NOON + timedelta(hours=1),
            decision=Decision.FINDING_FALSE,
            target=shirking.id,
            value="",
            reason="是在转述",
        )
    )
    after = rescored(store, rules())
    assert after.scorecard
    assert {item.id: item.level for item in after.scorecard.items}["attitude"] == "优"
    assert replay(store, "2024-05-06").agreement is Agreement.IDENTICAL
    assert replay(store, "2024-05-07").agreement is Agreement.IDENTICAL


def test_a_scorecard_that_an_inspector_made_is_replayed_with_the_same_decisions(store: Store) -> None:
    at = NOON + timedelta(days=1)
    page = sheet(store, "c1", "王组长")
    decided = Review(
        recording_id="a" * 16,
        who="王组长",
        at=at,
        decision=Decision.OVERRIDE,
        target="attitude",
        value="优",
        reason="已转接",
        template_id="small",
    )
    assert store.save_reviewed(reviewed(page, (decided,), "复核"), at=at)
    assert store.latest("a" * 16).reviews == 1
    strict = Settings(role_threshold=1.0, match_confidence=0.99)
    assert replay(store, "2024-05-07", strict).agreement is Agreement.IDENTICAL
    assert replay(store, "2024-05-06", strict).agreement is Agreement.IDENTICAL


def test_a_scorecard_that_was_tampered_with_is_found_out_and_the_place_named(
    store: Store, tmp_path: Path
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/calls.db")
    with engine.begin() as connection:
        body = zlib.decompress(connection.execute(text("SELECT body FROM scorecards")).scalar_one())
        forged = zlib.compress(body.replace('"level":"差"'.encode(), '"level":"优"'.encode()))
        connection.execute(text("UPDATE scorecards SET body = :body, body_sha256 = 'x'"), {"body": forged})
    engine.dispose()
    found = replay(store, "2024-05-06")
    assert found.agreement is Agreement.DIFFERENT
    assert found.difference == 'scorecard.items[number].level：存下“"优"”，重放“"差"”'


def test_a_scoring_without_circumstances_is_replayed_with_those_of_today_and_says_so(
    store: Store, tmp_path: Path
) -> None:
    forget_circumstances(tmp_path)
    found = replay(store, "2024-05-06")
    assert found.agreement is Agreement.IDENTICAL
    assert "没有留下当时的设置" in found.assumed[0]


def test_metadata_of_an_old_scoring_is_kept_before_it_is_corrected(store: Store, tmp_path: Path) -> None:
    forget_circumstances(tmp_path)
    relink("c1", Facts(values={"agent_id": "2000"}), scorer(store), signed())
    assert replay(store, "2024-05-06").scored.recording.agent_id == "1021"


def forget_circumstances(folder: Path) -> None:
    engine = create_engine(f"sqlite:///{folder}/calls.db")
    with engine.begin() as connection:
        connection.execute(text("UPDATE scorecards SET circumstances = NULL"))
    engine.dispose()


def test_a_scoring_that_only_adds_reviews_keeps_the_circumstances_of_the_one_before(store: Store) -> None:
    before = store.latest("a" * 16)
    scored = replace(scorer(store).scored(before.call), settings={})
    made = Rescored(scored=scored, basis=before.scorecard_id, reason="review")
    card = store.save_rescore(made, at=NOON + timedelta(days=1))
    assert card
    assert store.scoring(card).circumstances == before.circumstances


# what --as-of names


def test_a_date_names_the_scoring_in_force_at_the_end_of_that_day(store: Store) -> None:
    rescored(store, OTHER, days=3)
    history = store.history("a" * 16)
    for day, scoring in (("2024-05-06", 0), ("2024-05-08", 0), ("2024-05-09", 1), ("2030-01-01", 1)):
        assert named(store, "a" * 16, day, Settings()).stored.scorecard_id == history[scoring].scorecard_id


def test_a_moment_names_the_scoring_in_force_then(store: Store) -> None:
    assert named(store, "a" * 16, "2024-05-06 12:00", Settings()).stored.scored_at == NOON
    with pytest.raises(NotFound, match="还没有评过分"):
        named(store, "a" * 16, "2024-05-06 11:59", Settings())


def test_the_earliest_scoring_is_told_in_local_time(store: Store) -> None:
    with pytest.raises(NotFound) as caught:
        named(store, "a" * 16, "1999-01-01", Settings(time_zone="Asia/Shanghai"))
    assert "最早的一次在 2024-05-06 12:00；" in caught.value.hint


def test_a_digest_names_a_scorecard_or_a_rule_set_by_its_beginning(store: Store) -> None:
    second = rescored(store, OTHER)
    first = store.history("a" * 16)[0]
    for digest, scorecard_id in (
        (first.body_sha256, first.scorecard_id),
        (first.ruleset_digest[:8], first.scorecard_id),
        (second.body_sha256[:10].upper(), second.scorecard_id),
        (OTHER.digest, second.scorecard_id),
    ):
        assert named(store, "a" * 16, digest, Settings()).stored.scorecard_id == scorecard_id


def test_a_rule_set_that_never_scored_the_call_is_told_apart(store: Store) -> None:
    another = rules({**FILES, "a/number.yml": FILES["a/number.yml"].replace("报工号", "报号")})
    store.start_sweep(another, at=NOON)
    found = named(store, "a" * 16, another.digest[:12], Settings())
    assert found.ruleset_digest == another.digest


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("昨天", UsageError, "看不懂"),
        ("2023-01-01", NotFound, "还没有评过分"),
        ("deadbeef", NotFound, "没有摘要以 deadbeef 开头"),
        ("", UsageError, "看不懂"),
    ],
)
def test_what_names_nothing_is_explained_with_what_to_do(
    store: Store, text: str, error: type[UsageError], told: str
) -> None:
    with pytest.raises(error, match=told) as caught:
        named(store, "a" * 16, text, Settings())
    assert "callscore history" in caught.value.hint
