"""A draft published by somebody else: the file and its git history stay the truth."""

import re
from html import unescape
from pathlib import Path

import pytest
from page_help import add_users, settings_in
from rules_house import (
    AUDITOR,
    INSPECTOR,
    OWNER,
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
from tuning_help import MEANT, SHIRKING

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.workflows.audit import open_store

# publishing


def test_the_page_before_publishing_shows_the_difference_and_the_impact(owner: Person) -> None:
    drafted(owner)
    page = owner.see(f"/rules/{RULE}/publish")
    assert '<span class="diff-add">+  - 跟我们没关系' in page
    first = owner.send(f"/rules/{RULE}/impact", 200)
    job = re.search(r"/rules/try/\w+", first)
    assert job or "+1" in first
    told = waited(owner, f"{job[0]}/state") if job else first
    assert "+1" in told
    assert "坐席的得分" in told


def test_who_publishes_is_told_the_counts_of_the_whole_archive(house: House, owner: Person) -> None:
    drafted(owner)
    second = house.log_in("qian")
    first = second.send(f"/rules/{RULE}/impact", 200)
    job = re.search(r"/rules/try/\w+", first)
    told = waited(second, f"{job[0]}/state") if job else first
    assert "+1" in told
    assert "/calls/" not in told  # not of the supervisor's team


def test_who_wrote_a_draft_does_not_publish_it(house: House, owner: Person) -> None:
    drafted(owner)
    assert "改过的人不能自己发布" in owner.see(f"/rules/{RULE}/publish")
    publish(owner, 403)
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING


def test_everybody_who_wrote_in_a_draft_is_its_editor(house: House, owner: Person) -> None:
    drafted(owner)
    drafted(house.log_in(OWNER), WIDER + "# mine\n", version=1)
    publish(owner, 403, version=2)
    publish(house.log_in(OWNER), 403, version=2)


@pytest.mark.parametrize("who", [INSPECTOR, AUDITOR])
def test_inspectors_and_auditors_do_not_publish(house: House, owner: Person, who: Role) -> None:
    drafted(owner)
    publish(house.log_in(who), 403)


def test_a_second_person_publishes(house: House, owner: Person) -> None:
    drafted(owner)
    assert publish(house.log_in("qian")) == f"/rules/{RULE}?done=published"
    assert file_of(house).read_text(encoding="utf-8") == WIDER
    assert house.store.rule_drafts() == ()
    assert "跟我们没关系" in owner.see(f"/rules/{RULE}")


def test_publishing_commits_that_file_as_the_editors(house: House, owner: Person) -> None:
    folder = under_git(folder_of(house))
    (folder / "a" / "thanks.yml").write_text("# half done\n" + (folder / "a" / "thanks.yml").read_text())
    git(folder, "add", "a/thanks.yml")
    (folder / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (folder / ".git" / "hooks" / "pre-commit").chmod(0o755)
    drafted(owner)
    publish(house.log_in("qian"))
    who = git(folder, "log", "-1", "--format=%an <%ae> %cn <%ce>").strip()
    assert who == "周质量 <zhou@callscore> 钱主管 <qian@callscore>"
    assert git(folder, "log", "-1", "--format=%s").strip() == (
        f"{RULE}：周质量（zhou）修改，钱主管（qian）发布"
    )
    assert git(folder, "show", "--format=", "--name-only").split() == ["a/shirking.yml"]
    assert git(folder, "status", "--porcelain").strip() == "M  a/thanks.yml"
    revision = house.store.audit_lines(AuditFilter(action="rule.published"))[0].detail
    assert git(folder, "rev-parse", "HEAD").strip() in revision


def test_a_folder_deep_in_a_work_tree_is_committed_too(tmp_path: Path, house: House, owner: Person) -> None:
    (tmp_path / ".gitignore").write_text("*.db*\naudit*\ncache\n")
    under_git(tmp_path)
    drafted(owner)
    publish(house.log_in("qian"))
    assert git(tmp_path, "show", "--format=", "--name-only").split() == ["rules/a/shirking.yml"]


def test_a_file_changed_meanwhile_is_not_overwritten(house: House, owner: Person) -> None:
    drafted(owner)
    other = SHIRKING + "# somebody else\n"
    file_of(house).write_text(other, encoding="utf-8")
    page = publish(house.log_in("qian"), 409)
    assert "在起草之后被改过" in page
    assert "+# somebody else" in page
    assert "+  - 跟我们没关系" in page
    assert file_of(house).read_text(encoding="utf-8") == other
    assert "被改过" in owner.see(f"/rules/{RULE}/draft")


def test_a_draft_changed_meanwhile_is_not_published(house: House, owner: Person) -> None:
    drafted(owner)
    drafted(owner, WIDER + "# more\n", version=1)
    publish(house.log_in("qian"), 422, version=1)
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WIDER.replace("detector: phrase", "detector: phrasse"), "写错"),
        (WIDER.replace('hit: "坐席 3.0 这个不归我们管。"', 'hit: "坐席 3.0 您好。"'), "用例不符"),
        (WIDER.replace('  - hit: "坐席 3.0 这个不归我们管。"\n', ""), "写错"),
        (WIDER.replace("id: forbidden.shirking", "id: forbidden.other"), "id"),
        (WIDER.replace("id: forbidden.shirking", "id: closing.thanks"), "id"),
        (MEANT, "id"),
    ],
)
def test_what_would_spoil_the_rules_is_not_published(
    house: House, owner: Person, text: str, told: str
) -> None:
    drafted(owner, text)
    assert told in publish(house.log_in("qian"), 409)
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING
    assert house.store.rule_draft(RULE)


def test_a_rule_that_others_build_on_is_not_taken_from_them(house: House, owner: Person) -> None:
    late = SHIRKING.replace(RULE, "forbidden.late").replace("不归我们管", "您找别人")
    window = f"detector: phrase\nwindow: {{after: {{rule: {RULE}}}}}\n"
    late = late.replace("detector: phrase\n", window)
    (folder_of(house) / "a" / "late.yml").write_text(late, encoding="utf-8")
    drafted(owner, WIDER.replace("label: forbidden\n", "label: forbidden\nstatus: draft\n"))
    assert "对不上" in publish(house.log_in("qian"), 409)
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING


def test_the_shipped_rules_are_not_written(tmp_path: Path) -> None:
    made = settings_in(tmp_path)
    with open_store(made, create=True) as store:
        add_users(store)
        house = House(store=store, settings=made)
        owner = house.log_in(OWNER)
        folder = Path(__file__).parents[3] / "rules"
        before = (folder / "forbidden" / "shirking.yml").read_text(encoding="utf-8")
        drafted(owner, before + "# mine\n")
        page = unescape(publish(house.log_in(SECOND), 409))
    assert "rules = " in page
    assert "cp -r" in page
    assert (folder / "forbidden" / "shirking.yml").read_text(encoding="utf-8") == before


def test_uncommitted_changes_of_the_file_are_not_published_with_it(house: House, owner: Person) -> None:
    folder = under_git(folder_of(house))
    file_of(house).write_text(SHIRKING + "# not committed\n", encoding="utf-8")
    drafted(owner, WIDER + "# not committed\n")
    assert "没提交的改动" in publish(house.log_in("qian"), 409)
    assert git(folder, "log", "--oneline").count("\n") == 1


def test_a_file_stays_as_it_was_where_git_refuses(house: House, owner: Person) -> None:
    folder = under_git(folder_of(house))
    (folder / ".git" / "index.lock").write_text("")
    drafted(owner)
    assert "index.lock" in publish(house.log_in("qian"), 409)
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING
    assert house.store.rule_draft(RULE)
    (folder / ".git" / "index.lock").unlink()
    assert git(folder, "status", "--porcelain") == ""
    publish(house.log_in("qian"))


def test_without_git_a_work_tree_is_not_published_into(
    house: House, owner: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    under_git(folder_of(house))
    drafted(owner)
    second = house.log_in("qian")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert "没有 git" in publish(second, 409)
    assert "没有 git" in second.see(f"/rules/{RULE}/history")
    assert file_of(house).read_text(encoding="utf-8") == SHIRKING


def test_a_link_out_of_the_folder_is_not_followed(house: House, owner: Person, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yml"
    outside.write_text(SHIRKING, encoding="utf-8")
    file_of(house).unlink()
    file_of(house).symlink_to(outside)
    drafted(owner)
    assert "链接" in publish(house.log_in("qian"), 409)
    assert outside.read_text(encoding="utf-8") == SHIRKING


def test_line_ends_and_permissions_of_the_file_stay(house: House, owner: Person) -> None:
    file_of(house).write_bytes(b"\xef\xbb\xbf" + SHIRKING.replace("\n", "\r\n").encode())
    file_of(house).chmod(0o640)
    drafted(owner)
    publish(house.log_in("qian"))
    assert file_of(house).read_bytes() == b"\xef\xbb\xbf" + WIDER.replace("\n", "\r\n").encode()
    assert file_of(house).stat().st_mode & 0o777 == 0o640
