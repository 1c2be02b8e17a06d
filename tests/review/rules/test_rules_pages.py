"""The rules in the application: the list with how each does, one rule, its history."""

import re
import time
from html import unescape
from threading import Event

import pytest
from rules_house import (
    AUDITOR,
    INSPECTOR,
    OWNER,
    PAYLOAD,
    RULE,
    SECOND,
    WIDER,
    House,
    Person,
    drafted,
    file_of,
    folder_of,
    git,
    publish,
    under_git,
    waited,
)
from tuning_help import SHIRKING, decide

from pipeline.account import Role
from pipeline.review import things
from pipeline.storage.rule_statistics import Hits, Weeks
from pipeline.storage.store import Store
from pipeline.workflows import lately
from pipeline.workflows.accounts.policy import Thing

# the list


def test_the_list_says_how_each_rule_does(house: House, owner: Person) -> None:
    decide(house.store, "c1", RULE, right=True)
    page = owner.see("/rules")
    assert "推诿" in page
    assert "致谢" in page
    row = re.search(rf'<tr>(?:(?!</tr>).)*/rules/{RULE}".*?</tr>', page, re.DOTALL)
    assert row
    assert "2 通" in row[0]
    assert "100% <small>n=1</small>" in row[0]
    assert "21%–100%" in row[0]


def test_the_filters_live_in_the_address(owner: Person) -> None:
    assert "推诿" not in owner.see("/rules?area=closing")
    assert "致谢" in owner.see("/rules?area=closing")
    assert "致谢" not in owner.see("/rules?text=不存在")
    assert "没有这样的规则" in owner.see("/rules?label=none")
    assert "致谢" not in owner.see("/rules?status=draft")


def test_the_list_is_sorted_as_asked(owner: Person) -> None:
    page = owner.see("/rules?sort=hits")
    assert page.index('"/rules/closing.thanks"') < page.index(f'"/rules/{RULE}"')


@pytest.mark.parametrize("who", [OWNER, SECOND, INSPECTOR, AUDITOR])
def test_who_works_with_rules_sees_them(house: House, who: Role) -> None:
    person = house.log_in(who)
    person.see("/rules")
    person.see(f"/rules/{RULE}")
    person.see(f"/rules/{RULE}/history")


@pytest.mark.parametrize("who", [Role.AGENT, Role.ADMIN])
def test_who_does_not_is_refused(house: House, who: Role) -> None:
    person = house.log_in(who)
    person.see("/rules", 403)
    person.see(f"/rules/{RULE}", 403)
    person.see("/rules/try", 403)


@pytest.mark.parametrize("who", [SECOND, INSPECTOR, AUDITOR])
def test_only_the_quality_owner_edits(house: House, who: Role) -> None:
    person = house.log_in(who)
    person.see(f"/rules/{RULE}/draft", 403)
    person.send(f"/rules/{RULE}/draft", 403, text=WIDER, version="0")
    person.send(f"/rules/{RULE}/withdraw", 403, version="1")


def test_a_broken_file_does_not_take_the_list_away(house: House, owner: Person) -> None:
    file_of(house).write_text("id: [", encoding="utf-8")
    page = owner.see("/rules")
    assert "a/shirking.yml:1:" in page
    assert "致谢" in page


def test_the_list_comes_before_the_hits_are_counted(
    house: House, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, count = Event(), Store.rule_hits

    def slow(store: Store, weeks: Weeks) -> Hits:
        go_on.wait(60)
        return count(store, weeks)

    monkeypatch.setattr(lately, "SOON", 0.01)
    monkeypatch.setattr(Store, "rule_hits", slow)
    for path in ("/rules", f"/rules/{RULE}"):
        page = owner.see(path)
        assert "命中还在数" in page
        assert "推诿" in page
    assert "命中还在数" in owner.see("/rules/counted")
    go_on.set()
    for _ in range(600):
        if owner.browser.get("/rules/counted").headers.get("hx-refresh") == "true":
            break
        time.sleep(0.02)
    page = owner.see("/rules")
    assert "命中还在数" not in page
    assert "2 通" in page


# one rule


def test_a_rule_shows_its_file_escaped(house: House, owner: Person) -> None:
    file_of(house).write_text(SHIRKING.replace("title: 推诿", f'title: "{PAYLOAD}"'), encoding="utf-8")
    for page in (owner.see(f"/rules/{RULE}"), owner.see("/rules"), owner.see(f"/rules/{RULE}/draft")):
        assert PAYLOAD not in page
        assert PAYLOAD in unescape(page)


def test_findings_lead_to_the_second_in_the_call(owner: Person, house: House) -> None:
    page = owner.see(f"/rules/{RULE}")
    recording = house.store.find_call("c1")
    assert re.search(rf"/calls/{recording.id}\?at=\d+", page)
    assert "不归我们管" in page


def test_findings_in_calls_of_others_are_not_shown(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = house.log_in(INSPECTOR)
    assert "/calls/" not in inspector.see(f"/rules/{RULE}")
    assert "不在你能看的电话里" in inspector.see(f"/rules/{RULE}")
    monkeypatch.setattr(things, "subject_of", lambda *_: Thing(assigned=frozenset({"wangmin"})))
    assert "/calls/" in inspector.see(f"/rules/{RULE}")


def test_a_rule_that_is_not_there_is_told(owner: Person) -> None:
    assert "没有规则" in owner.see("/rules/forbidden.shirkin", 404)
    assert owner.browser.get("/rules/..%2f..%2fetc%2fpasswd").status_code == 404


def test_cases_are_run_when_they_are_looked_at(house: House, owner: Person) -> None:
    assert "2 个，全部相符" in owner.see(f"/rules/{RULE}/cases")
    wrong = SHIRKING.replace('hit: "坐席 3.0 这个不归我们管。"', 'hit: "坐席 3.0 您好。"')
    file_of(house).write_text(wrong, encoding="utf-8")
    told = owner.see(f"/rules/{RULE}/cases")
    assert "2 个里 1 个不符" in told
    assert "a/shirking.yml:11:" in told


def test_checks_are_told_when_they_are_done(house: House, owner: Person) -> None:
    twice = SHIRKING.replace("  - 不归我们管\n", "  - 不归我们管\n  - 不归我们管\n")
    file_of(house).write_text(twice, encoding="utf-8")
    told = waited(owner, f"/rules/{RULE}/lint")
    assert "a/shirking.yml:10:5" in told
    assert "警告" in told or "错误" in told


# history


def test_the_history_is_that_of_git(house: House, owner: Person) -> None:
    folder = under_git(folder_of(house))
    drafted(owner)
    publish(house.log_in("qian"))
    page = owner.see(f"/rules/{RULE}/history")
    assert "周质量 改" in page
    assert "钱主管 发布" in page
    assert "+  - 跟我们没关系" in page
    first = git(folder, "rev-list", "--max-parents=0", "HEAD").strip()
    assert "+id: forbidden.shirking" in owner.see(f"/rules/{RULE}/history?revision={first}")


@pytest.mark.parametrize("revision", ["--output=/tmp/x", "HEAD", "0" * 40])
def test_only_revisions_of_the_file_are_shown(house: House, owner: Person, revision: str) -> None:
    under_git(folder_of(house))
    owner.see(f"/rules/{RULE}/history?revision={revision}", 422)


def test_without_git_there_is_no_history(owner: Person) -> None:
    assert "没有历史" in owner.see(f"/rules/{RULE}/history")
