from collections.abc import Iterator
from pathlib import Path

import pytest
from dispute_help import CARD, FILES, SHIRKING, filled, rescored, rules, scorer, signed

from pipeline.ruleset import RuleSet
from pipeline.storage.store import Store
from pipeline.workflows.dispute.changes import ItemChange, Scoring, finding_changes, item_changes
from pipeline.workflows.dispute.correct import Wording, correct_words, swap_roles
from pipeline.workflows.dispute.replay import rules_by_digest


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with filled(tmp_path) as opened:
        yield opened


def changes(store: Store) -> tuple[ItemChange, ...]:
    """Of the newest scoring against the one before it."""
    old, new = store.history("a" * 16)[-2:]
    read = rules_by_digest(store)
    before, after = (Scoring.stored(store.scoring(line.scorecard_id), read) for line in (old, new))
    return item_changes(before, after)


def after(store: Store, ruleset: RuleSet) -> tuple[ItemChange, ...]:
    rescored(store, ruleset)
    return changes(store)


def test_the_same_rules_change_nothing(store: Store) -> None:
    assert after(store, rules()) == ()


def test_a_rule_that_no_longer_finds_is_named_with_the_finding_that_is_gone(store: Store) -> None:
    edited = rules({**FILES, "a/shirking.yml": SHIRKING.replace("[不归我们管]", "[没办法]")})
    (change,) = after(store, edited)
    assert change.title == "负责"
    assert change.before
    assert change.after
    assert (change.before.level, change.after.level) == ("差", "优")
    assert [found.evidence[0].quote for found in change.gone] == ["不归我们管"]
    assert change.new == ()
    assert change.why == ("规则“推诿”改了（a/shirking.yml）",)


def test_an_item_written_otherwise_is_said_to_be(store: Store) -> None:
    edited = rules(
        {
            **FILES,
            "scorecards/small.yml": CARD.replace(
                "title: 优, points: 5, text: 有, when: {present: greeting.word}",
                "title: 优, points: 4, text: 有, when: {present: greeting.word}",
            ),
        }
    )
    (change,) = after(store, edited)
    assert (change.title, change.gone, change.new) == ("问候", (), ())
    assert change.why == ("评分表里这一项的写法改了",)


def test_corrected_words_are_named_as_the_reason(store: Store) -> None:
    correct_words("c1", Wording(at=2000, heard="宫号", said="工号"), scorer(store), signed())
    (change,) = changes(store)
    assert change.title == "报工号"
    assert [found.evidence[0].quote for found in change.new] == ["工号"]
    assert change.gone == ()
    assert "转写的文字不同" in change.why


def test_swapped_roles_are_named_as_the_reason(store: Store) -> None:
    swap_roles("c1", scorer(store), signed())
    assert {change.title for change in changes(store)} == {"问候", "负责"}
    assert all("谁是坐席、谁是客户不同" in change.why for change in changes(store))


def test_findings_that_moved_no_item_are_still_told(store: Store) -> None:
    extra = rules(
        {
            **FILES,
            "a/bye.yml": FILES["a/greeting.yml"]
            .replace("greeting.word", "closing.bye")
            .replace("您好", "再见"),
        }
    )
    read = rules_by_digest(store)
    before = Scoring.stored(store.latest("a" * 16), read)
    now = Scoring.stored(rescored(store, extra), read)
    gone, new = finding_changes(before, now)
    assert (gone, [found.rule_id for found in new]) == ((), ["closing.bye"])
    assert item_changes(before, now) == ()
