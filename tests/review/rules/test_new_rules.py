"""A new rule begun on the page: a draft with its faults, published by somebody else as one commit."""

import pytest
from rules_house import (
    AUDITOR,
    INSPECTOR,
    SECOND,
    House,
    Person,
    file_of,
    folder_of,
    git,
    under_git,
)
from tuning_help import SHIRKING

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.workflows.audit import verify

NEW = "service.wait"
FIELDS = {"id": NEW, "title": "让客户稍等", "phrase": "请您稍等"}


def begun(person: Person, status: int = 303, **fields: str) -> str:
    return person.send("/rules/new", status, **(FIELDS | fields))


def publish(person: Person, status: int = 303, version: int = 1) -> str:
    return person.send(f"/rules/{NEW}/publish", status, version=str(version))


def test_a_new_rule_is_a_draft_first(house: House, owner: Person) -> None:
    assert begun(owner) == f"/rules/{NEW}/draft"
    assert not (folder_of(house) / "service").exists()
    page = owner.see(f"/rules/{NEW}/draft")
    assert "请您稍等" in page
    assert "新规则，还没有发布" in page
    listed = owner.see("/rules")
    assert "service/wait.yml" in listed
    owner.see(f"/rules/{NEW}", 404)


def test_faults_of_a_new_rule_are_told_at_their_lines(house: House, owner: Person) -> None:
    begun(owner)
    kept = house.store.rule_draft(NEW)
    assert kept
    wrong = kept.text.replace("detector: phrase", "detector: phrasse")
    owner.send(f"/rules/{NEW}/draft", text=wrong, version="1")
    page = owner.see(f"/rules/{NEW}/draft")
    assert "service/wait.yml:8:11" in page
    assert NEW in page
    assert "写错" in publish(house.log_in("qian"), 409, version=2)
    assert not (folder_of(house) / "service").exists()


def test_a_second_person_publishes_a_new_rule_as_one_commit(house: House, owner: Person) -> None:
    folder = under_git(folder_of(house))
    begun(owner)
    publish(owner, 403)
    assert '<span class="diff-add">+title: 让客户稍等' in owner.see(f"/rules/{NEW}/publish")
    assert publish(house.log_in("qian")) == f"/rules/{NEW}?done=published"
    assert git(folder, "show", "--format=%an %cn", "--name-status").split() == [
        "周质量",
        "钱主管",
        "A",
        "service/wait.yml",
    ]
    assert git(folder, "status", "--porcelain") == ""
    assert "让客户稍等" in owner.see(f"/rules/{NEW}")
    actions = [line.action for line in house.store.audit_lines(AuditFilter(object=f"rule:{NEW}"))]
    assert actions == ["rule.published", "rule.draft_saved"]
    assert verify(house.store).faults == ()


def test_a_new_rule_does_not_score_until_somebody_says_so(house: House, owner: Person) -> None:
    begun(owner)
    publish(house.log_in("qian"))
    assert "status: draft" in (folder_of(house) / "service" / "wait.yml").read_text(encoding="utf-8")


def test_a_copy_is_another_rule_that_says_the_same(house: House, owner: Person) -> None:
    begun(owner, like="forbidden.shirking", phrase="")
    kept = house.store.rule_draft(NEW)
    assert kept
    own = f"id: {NEW}\ntitle: 让客户稍等\nstatus: draft\n"
    assert kept.text == SHIRKING.replace("id: forbidden.shirking\ntitle: 推诿\n", own)
    publish(house.log_in("qian"))


def test_a_new_folder_is_made_where_one_is_named(house: House, owner: Person) -> None:
    begun(owner, folder="own")
    publish(house.log_in("qian"))
    assert (folder_of(house) / "own" / "wait.yml").is_file()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"id": "推诿"}, "不能用"),
        ({"id": "Service.Wait"}, "不能用"),
        ({"id": "wait"}, "不能用"),
        ({"id": "a.../../x"}, "不能用"),
        ({"id": "forbidden.shirking"}, "已经有规则"),
        ({"id": "x.shirking", "folder": "a"}, "已经有文件"),
        ({"folder": "../../etc"}, "文件夹"),
        ({"folder": "scorecards"}, "文件夹"),
        ({"title": ""}, "标题"),
        ({"title": "长" * 61}, "标题"),
        ({"phrase": ""}, "说法要有"),
        ({"phrase": "请[您"}, "第"),
        ({"like": "no.such", "phrase": ""}, "没有规则"),
    ],
)
def test_what_cannot_be_a_rule_is_told_and_stays_in_the_page(
    house: House, owner: Person, fields: dict[str, str], told: str
) -> None:
    page = begun(owner, 422, **fields)
    assert told in page
    assert (FIELDS | fields)["phrase"] in page
    assert house.store.rule_drafts() == ()


def test_a_rule_is_begun_once(owner: Person) -> None:
    begun(owner)
    assert "正在起草" in begun(owner, 422)


def test_a_rule_that_came_from_elsewhere_meanwhile_is_not_overwritten(house: House, owner: Person) -> None:
    begun(owner)
    place = folder_of(house) / "service" / "wait.yml"
    place.parent.mkdir()
    place.write_text(SHIRKING.replace("forbidden.shirking", NEW), encoding="utf-8")
    assert "已经有了" in publish(house.log_in("qian"), 409)
    assert place.read_text(encoding="utf-8") == SHIRKING.replace("forbidden.shirking", NEW)


def test_where_git_refuses_there_is_no_file(house: House, owner: Person) -> None:
    folder = under_git(folder_of(house))
    (folder / ".git" / "index.lock").write_text("")
    begun(owner)
    assert "index.lock" in publish(house.log_in("qian"), 409)
    assert not (folder / "service" / "wait.yml").exists()
    (folder / ".git" / "index.lock").unlink()
    publish(house.log_in("qian"))


def test_a_new_rule_that_is_given_up_leaves_nothing(house: House, owner: Person) -> None:
    begun(owner)
    owner.send(f"/rules/{NEW}/withdraw", version="1")
    assert "service/wait.yml" not in owner.see("/rules")
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING
    begun(owner)


@pytest.mark.parametrize("who", [SECOND, INSPECTOR, AUDITOR, Role.ADMIN, Role.AGENT])
def test_only_the_quality_owner_begins_a_rule(house: House, who: Role) -> None:
    person = house.log_in(who)
    person.see("/rules/new", 403)
    begun(person, 403)
