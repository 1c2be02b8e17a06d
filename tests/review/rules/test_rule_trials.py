"""A phrase tried on the stored calls: nothing is written, and nobody sees more than is theirs."""

import re
import time

import pytest
from rules_house import (
    INSPECTOR,
    OWNER,
    RULE,
    House,
    Person,
    file_of,
    tried,
    waited,
)

# trying


def test_a_phrase_by_itself_is_found_in_the_archive(owner: Person) -> None:
    told = tried(owner, phrase="跟我们没关系", rule="", role="agent")
    assert "+1" in told
    assert "跟我们没关系" in told
    assert re.search(r"/calls/\w+\?at=\d+", told)


def test_a_phrase_added_to_a_rule_shows_whose_score_moves(owner: Person) -> None:
    told = tried(owner, phrase="跟我们没关系", rule=RULE, role="agent")
    assert "+1" in told
    assert "坐席的得分" in told
    assert "-5.0" in told  # one of two scored calls of the agent loses ten points


def test_who_may_not_see_the_call_is_told_nothing_of_it(house: House) -> None:
    told = tried(house.log_in(INSPECTOR), phrase="跟我们没关系", rule=RULE, role="agent")
    assert "/calls/" not in told
    assert "坐席的得分" not in told
    assert "+1" not in told


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"phrase": "不归[我"}, "第"),
        ({"phrase": ""}, "说法要有"),
        ({"phrase": "不归我们管", "rule": RULE}, "已经有这个说法"),
        ({"phrase": "好的", "rule": "no.such"}, "没有规则"),
        ({"phrase": "好的", "role": "boss"}, "没有这样的角色"),
    ],
)
def test_what_cannot_be_tried_is_told_at_once(owner: Person, fields: dict[str, str], told: str) -> None:
    page = owner.send("/rules/try", 422, **({"rule": "", "role": "agent"} | fields))
    assert told in page


def test_a_trial_is_the_persons_own(owner: Person) -> None:
    job = owner.send("/rules/try", phrase="跟我们没关系", rule="", role="agent")
    owner.see(job)
    other = Person(browser=owner.browser.log_in(OWNER))
    other.see(job, 404)
    other.see(f"{job}/state", 404)
    other.send(f"{job}/stop", 404)


def test_a_trial_can_be_stopped(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: object) -> None:
        archive = _[-1]
        while True:
            archive.watch(1, 2)  # type: ignore[attr-defined]
            time.sleep(0.01)

    monkeypatch.setattr("pipeline.review.pages.rule_try.try_alone", endless)
    job = owner.send("/rules/try", phrase="跟我们没关系", rule="", role="agent")
    assert "hx-trigger" in owner.see(f"{job}/state")
    owner.send(f"{job}/stop", 200)
    assert "停了" in waited(owner, f"{job}/state")


def test_a_trial_writes_nothing(house: House, owner: Person) -> None:
    before = file_of(house).read_text(encoding="utf-8")
    tried(owner, phrase="跟我们没关系", rule=RULE, role="agent")
    assert file_of(house).read_text(encoding="utf-8") == before
    assert house.store.rule_drafts() == ()
