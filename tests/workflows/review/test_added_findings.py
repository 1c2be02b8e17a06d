"""Words that a person says a rule is about: counted, shown, replayed."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest
from review_help import DAY, NOON, SETTINGS, archive, decide, item, latest, points, scorer

from pipeline.errors import NotFound, UsageError
from pipeline.findings import How, Outcome
from pipeline.scorecard import Decision
from pipeline.scoring.added import Added, by_person, with_people
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Role, Span
from pipeline.workflows.dispute.history import history
from pipeline.workflows.dispute.replay import Agreement, replayed, rules_by_digest
from pipeline.workflows.explain import explain
from pipeline.workflows.rescore import rescore_all
from pipeline.workflows.review.agreement import Between, agreement
from pipeline.workflows.review.drafts import preview
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.selected import Selected, added_of
from pipeline.workflows.review.sheet import sheet
from pipeline.workflows.rules import rules_of_the_day


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with archive(tmp_path) as opened:
        yield opened


def selected(store: Store, words: str, rule: str = "forbidden.shirking", call: str = "c1") -> Selected:
    """These words of a call, from the first to the last."""
    transcript = store.latest(store.find_call(call).id).transcript
    for turn in transcript.turns:
        heard = "".join(word.text for word in turn.words)
        if words in heard:
            ends = list(accumulate(len(word.text) for word in turn.words))
            first, behind = heard.index(words), heard.index(words) + len(words)
            part = [
                w
                for w, end in zip(turn.words, ends, strict=True)
                if first < end and end - len(w.text) < behind
            ]
            return Selected(rule=rule, start=part[0].span.start, end=part[-1].span.end)
    raise AssertionError(words)


def add(store: Store, words: str, who: str = "王", **marks: object) -> None:
    rule = str(marks.pop("rule", "forbidden.shirking"))
    call = str(marks.pop("call", "c1"))
    decide(store, who, call, added=(selected(store, words, rule, call),), **marks)


def stored(store: Store, call: str = "c1") -> StoredCall:
    return store.latest(store.find_call(call).id)


def test_an_added_finding_counts_like_one_of_the_rules(store: Store) -> None:
    assert points(store, "shirking") == "6.0"
    add(store, "你自己想想办法", reason="也是推诿")
    assert points(store, "shirking") == "2.0"
    (found,) = filter(by_person, stored(store).findings)
    assert (found.outcome, found.confidence, found.rule_id) == (Outcome.PRESENT, 1.0, "forbidden.shirking")
    assert (found.evidence[0].quote, found.evidence[0].how) == ("你自己想想办法。", How.PERSON)
    assert found.explanation == "人工补充（王）：也是推诿"
    assert found.id in item(latest(store), "shirking").findings


def test_it_turns_an_absence_around(store: Store) -> None:
    assert item(latest(store), "thanks").level == "差"
    add(store, "您好", rule="致谢")
    assert item(latest(store), "thanks").level == "优"


def test_it_can_be_called_false_again(store: Store) -> None:
    add(store, "你自己想想办法")
    (found,) = filter(by_person, stored(store).findings)
    decide(store, "李", false=(found.id[:8],), reason="是建议", at=NOON + DAY)
    assert points(store, "shirking") == "6.0"


def test_the_same_words_are_found_once_whoever_adds_them(store: Store) -> None:
    add(store, "你自己想想办法", "王")
    decided = store.reviews(store.find_call("c1").id)
    twice = replace(decided[0], who="李")
    once = with_people(stored(store).findings, decided, rules_of(store))
    assert with_people(stored(store).findings, (twice, *decided), rules_of(store)) == with_people(
        stored(store).findings, (*decided, twice), rules_of(store)
    )
    assert len(with_people(stored(store).findings, (*decided, twice), rules_of(store))) == len(once)
    with pytest.raises(UsageError, match="已有“推诿”的发现"):
        add(store, "想想办法", "李")


def rules_of(store: Store):  # type: ignore[no-untyped-def]
    return rules_of_the_day(store, stored(store).ruleset_digest)


def test_where_a_rule_comes_to_find_the_same_it_is_counted_once(store: Store, tmp_path: Path) -> None:
    add(store, "你自己想想办法")
    rules = tmp_path / "rules/a/shirking.yml"
    rules.write_text(
        rules.read_text().replace("- 不归我们管\n", "- 不归我们管\n  - 自己想想办法\n"), encoding="utf-8"
    )
    rescore_all(scorer(store, tmp_path), at=NOON + DAY)
    (found,) = (f for f in stored(store).findings if f.rule_id == "forbidden.shirking")
    assert [place.quote for place in found.evidence] == ["不归我们管", "自己想想办法"]
    assert points(store, "shirking") == "6.0"


def test_it_survives_a_new_scoring_and_a_rule_that_is_gone(store: Store, tmp_path: Path) -> None:
    add(store, "你自己想想办法")
    rescore_all(scorer(store, tmp_path), at=NOON + DAY)
    assert points(store, "shirking") == "2.0"
    thanks = tmp_path / "rules/a/thanks.yml"
    add(store, "您好", rule="closing.thanks")
    form = tmp_path / "rules/scorecards/form.yml"
    form.write_text(
        form.read_text().replace(", when: {present: closing.thanks}", "").replace(", when: always", ""),
        encoding="utf-8",
    )
    thanks.unlink()
    rescore_all(scorer(store, tmp_path), at=NOON + 2 * DAY)
    assert [finding.rule_id for finding in stored(store).findings if by_person(finding)] == [
        "forbidden.shirking"
    ]


def test_every_scoring_replays_to_the_byte(store: Store, tmp_path: Path) -> None:
    add(store, "你自己想想办法", reason="也是")
    add(store, "您好", rule="closing.thanks", who="李")
    rescore_all(scorer(store, tmp_path), at=NOON + DAY)
    rules = rules_by_digest(store)
    for scoring in store.scorings(store.find_call("c1").id):
        assert replayed(scoring, store, rules, SETTINGS).agreement is Agreement.IDENTICAL


def test_the_machines_card_is_without_it(store: Store) -> None:
    add(store, "你自己想想办法")
    found = sheet(store, "c1", "李")
    assert str(item(found.machine, "shirking").points) == "6.0"
    assert str(item(found.card, "shirking").points) == "2.0"


def test_a_blind_inspector_does_not_see_what_another_added(tmp_path: Path) -> None:
    with archive(tmp_path, blind=True, combine="average") as store:
        add(store, "你自己想想办法", "王")
        assert not any(map(by_person, sheet(store, "c1", "李").stored.findings))
        assert any(map(by_person, sheet(store, "c1", "王").stored.findings))


def test_the_explanation_and_the_history_show_it(store: Store) -> None:
    add(store, "你自己想想办法", reason="也是推诿")
    told = explain(stored(store), rules_of(store), "shirking", store.reviews(store.find_call("c1").id))
    (found,) = [f for rule in told.rules for f in rule.findings if f.words and f.words[0].how == "person"]
    assert found.explanation == "人工补充（王）：也是推诿"
    events = [event for event in history(store, store.find_call("c1").id) if event.what == "人工补充"]
    assert [(event.who, event.told) for event in events] == [
        ("王", "forbidden.shirking 00:06.7 “你自己想想办法。”。也是推诿")
    ]


def test_a_draft_with_it_previews_it(store: Store) -> None:
    found = sheet(store, "c1", "王")
    marks = Marks(who="王", added=(selected(store, "你自己想想办法"),))
    assert str(item(preview(found, marks, at=NOON).card, "shirking").points) == "2.0"
    assert preview(found, Marks(who="王", added=(Selected(rule="x", start=0, end=1),)), at=NOON).faults


def test_words_must_be_of_one_turn_of_the_right_side_and_of_a_rule(store: Store) -> None:
    found = sheet(store, "c1", "王")
    own = selected(store, "你自己想想办法")
    with pytest.raises(NotFound, match="没有规则“推委”"):
        added_of(replace(own, rule="推委"), found)
    with pytest.raises(UsageError, match="选的话是客户说的"):
        added_of(selected(store, "我的快递呢"), found)
    with pytest.raises(UsageError, match="跨了"):
        added_of(replace(own, start=0), found)
    with pytest.raises(UsageError, match="没有选中话"):
        added_of(replace(own, end=own.start), found)
    with pytest.raises(UsageError, match="没有识别出的话"):
        added_of(Selected(rule="forbidden.shirking", start=900_000, end=900_001), found)


def test_the_selection_is_drawn_to_whole_words(store: Store) -> None:
    own = selected(store, "你自己想想办法")
    wider = replace(own, start=own.start - 10, end=own.end + 10)
    assert added_of(wider, sheet(store, "c1", "王")) == added_of(own, sheet(store, "c1", "王"))


def test_a_value_that_cannot_be_read_adds_nothing(store: Store) -> None:
    add(store, "你自己想想办法")
    (review,) = store.reviews(store.find_call("c1").id)
    assert review.decision is Decision.FINDING_ADDED
    for value in ("", "{}", "[]", '{"rule": 1}', "null"):
        broken = replace(review, value=value)
        assert not any(map(by_person, with_people(stored(store).findings, (broken,), rules_of(store))))
    added = Added(rule="a.b", span=Span(1, 2), turn=0, role=Role.AGENT, quote="“话”")
    assert Added.read(added.value) == added


def test_agreement_has_no_machine_for_what_a_person_added(store: Store) -> None:
    add(store, "你自己想想办法")
    (found,) = filter(by_person, stored(store).findings)
    decide(store, "李", true=(found.id,))
    rules = agreement(store).rules
    assert [line for line in rules if line.between is Between.MACHINE] == []
