"""A draft of a rule: kept beside the file, its faults on their lines."""

import re
from urllib.parse import quote

import pytest
from page_help import HOSTILE, shown
from rules_house import (
    OWNER,
    PAYLOAD,
    RULE,
    WIDER,
    House,
    Person,
    drafted,
    file_of,
    publish,
    waited,
)
from tuning_help import SHIRKING

from pipeline.audit import AuditFilter
from pipeline.workflows.audit import verify

# drafts


def test_a_draft_is_kept_beside_the_file(house: House, owner: Person) -> None:
    drafted(owner)
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING
    assert "跟我们没关系" in owner.see(f"/rules/{RULE}/draft")
    assert "有改稿" in owner.see("/rules")
    assert "致谢" not in owner.see("/rules?status=changed")


def test_faults_of_a_draft_are_told_at_their_lines(owner: Person) -> None:
    drafted(owner, SHIRKING.replace("detector: phrase", "detector: phrasse"))
    page = owner.see(f"/rules/{RULE}/draft")
    assert "a/shirking.yml:6:11" in page
    assert 'data-fault-line="6"' in page
    assert "detector: phrasse" in page
    assert "发现“phrasse”，应为 all、any、" in page
    assert "；是不是想写 `phrase`？" in page


def test_the_caret_stands_below_the_sign_that_is_meant_whatever_its_line_is_written_in(owner: Person) -> None:
    drafted(owner, SHIRKING.replace("- 不归我们管", "- 不归[我们管"))
    page = owner.see(f"/rules/{RULE}/draft")
    assert "  - 不归[我们管\n    　　^</pre>" in page


@pytest.mark.parametrize(
    "text",
    ["id: &a x\ntitle: *a\n", "id: !!python/object:os.system x\n", "a: " + "[" * 40, "{}\n---\n{}\n", ""],
)
def test_a_draft_has_the_limits_of_every_rule_file(owner: Person, text: str) -> None:
    drafted(owner, text)
    assert 'data-fault="error"' in owner.see(f"/rules/{RULE}/draft")


def test_what_is_typed_is_checked_without_saving(house: House, owner: Person) -> None:
    first = owner.send(f"/rules/{RULE}/check", 200, text=WIDER.replace("没关系。", "好。"))
    job = re.search(rf"/rules/{RULE}/check/(\w+)", first)
    told = waited(owner, job[0]) if job else first
    assert "2 个，全部相符" in told
    assert house.store.rule_drafts() == ()


def test_a_remark_about_other_rules_is_not_called_needless_by_who_looks_at_one_file(owner: Person) -> None:
    remarked = WIDER.rstrip("\n") + "  # lint: contradiction 两类都该记\n"
    first = owner.send(f"/rules/{RULE}/check", 200, text=remarked)
    job = re.search(rf"/rules/{RULE}/check/(\w+)", first)
    told = waited(owner, job[0]) if job else first
    assert "全部相符" in told
    assert "no such warning" not in told


def test_a_hostile_draft_is_escaped(owner: Person) -> None:
    drafted(owner, f"</textarea>{PAYLOAD}")
    page = owner.see(f"/rules/{RULE}/draft")
    assert PAYLOAD not in page
    assert PAYLOAD not in owner.see(f"/rules/{RULE}/publish")


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_words_in_a_rule_do_nothing_on_any_page(house: House, owner: Person, payload: str) -> None:
    hostile = SHIRKING.replace("推诿", f"'{payload.replace(chr(39), chr(39) * 2)}'", 1)
    hostile = hostile.replace("为什么", payload).replace(
        "这个不归我们管", f"{payload.replace(chr(34), '')}不归我们管"
    )
    file_of(house).write_text(hostile, encoding="utf-8")
    drafted(owner, hostile + f"# {payload}\n")
    for part in ("", "/cases", "/draft", "/publish", "/history"):
        owner.see(f"/rules/{RULE}{part}")
    owner.see("/rules")
    owner.see(f"/rules?text={quote(payload)}")
    owner.send("/rules/try", 422, phrase=f"({payload}", rule="", role="agent")


def test_the_pages_are_there_in_english(owner: Person) -> None:
    owner.send("/language", language="en")
    drafted(owner)
    for part in ("", "/draft", "/publish", "/history"):
        page = shown(owner.browser.get(f"/rules/{RULE}{part}"))
        assert "Compare and publish" in page
    assert "Precision" in owner.see("/rules")


def test_two_editors_do_not_overwrite_each_other(house: House, owner: Person) -> None:
    drafted(owner)
    other = house.log_in(OWNER)
    page = other.send(f"/rules/{RULE}/draft", 409, text="mine", version="0")
    assert "没有保存" in page
    assert "mine" in page
    kept = house.store.rule_draft(RULE)
    assert kept
    assert kept.text == WIDER


def test_line_ends_of_a_browser_are_those_of_a_file(house: House, owner: Person) -> None:
    drafted(owner, WIDER.replace("\n", "\r\n"))
    kept = house.store.rule_draft(RULE)
    assert kept
    assert kept.text == WIDER


def test_a_draft_that_says_what_the_file_says_is_none(house: House, owner: Person) -> None:
    drafted(owner, SHIRKING)
    assert house.store.rule_drafts() == ()


def test_a_withdrawn_draft_is_gone_and_the_file_stays(house: House, owner: Person) -> None:
    drafted(owner)
    owner.send(f"/rules/{RULE}/withdraw", 422, version="7")
    owner.send(f"/rules/{RULE}/withdraw", version="1")
    assert house.store.rule_drafts() == ()
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING


def test_saving_publishing_and_withdrawing_are_in_the_audit_log(house: House, owner: Person) -> None:
    drafted(owner)
    owner.send(f"/rules/{RULE}/withdraw", version="1")
    drafted(owner)
    publish(house.log_in("qian"))
    lines = house.store.audit_lines(AuditFilter(action="rule"))
    told = [(line.who, line.action, line.object) for line in reversed(lines)]
    assert told == [
        ("zhou", "rule.draft_saved", f"rule:{RULE}"),
        ("zhou", "rule.draft_withdrawn", f"rule:{RULE}"),
        ("zhou", "rule.draft_saved", f"rule:{RULE}"),
        ("qian", "rule.published", f"rule:{RULE}"),
    ]
    assert not any("没关系" in line.detail for line in lines)
    assert verify(house.store).faults == ()
