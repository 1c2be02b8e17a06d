"""The rules in the application: health, trying a phrase, a draft and its publishing by somebody else."""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from page_help import BY, HOSTILE, PASSWORD, Browser, add_users, assert_harmless, settings_in, shown
from tuning_help import MEANT, SHIRKING, decide, shipped_like

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.review import things
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.accounts.policy import Thing
from pipeline.workflows.accounts.users import Application, add_user
from pipeline.workflows.audit import open_store, verify

RULE = "forbidden.shirking"
WIDER = SHIRKING.replace("  - 不归我们管\n", "  - 不归我们管\n  - 跟我们没关系\n")
PAYLOAD = "<script>alert(1)</script>"
OWNER, SECOND, INSPECTOR, AUDITOR = (
    Role.QUALITY_OWNER,
    Role.SUPERVISOR,
    Role.INSPECTOR,
    Role.AUDITOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is logged in."""

    browser: Browser

    def see(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        answer = self.browser.get(path)
        assert answer.status_code == status, answer.text
        assert_harmless(answer)
        return answer.text

    def send(self, path: str, status: int = 303, **fields: str) -> str:
        """Send a form: where it leads to, or the page that answers."""
        answer = self.browser.post(path, fields)
        assert answer.status_code == status, answer.text
        return str(answer.headers.get("location", answer.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A store with its rules, and whoever comes to it."""

    store: Store
    settings: Settings

    def add(self, login: str, role: Role, **more: str) -> None:
        add_user(Application(login=login, role=role, password=PASSWORD, **more), self.store, BY)

    def log_in(self, who: Role | str) -> Person:
        return Person(browser=Browser(store=self.store, settings=self.settings).log_in(who))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    rules, store = shipped_like(tmp_path)
    store.close()
    own = {"rules": str(rules), "cache": str(tmp_path / "cache")}
    return settings_in(tmp_path).model_copy(update=own)


@pytest.fixture
def house(store: Store, settings: Settings) -> House:
    made = House(store=store, settings=settings)
    made.add("zhou", Role.QUALITY_OWNER, name="周质量")
    made.add("qian", Role.SUPERVISOR, name="钱主管", team="甲班")
    return made


@pytest.fixture
def owner(house: House) -> Person:
    return house.log_in("zhou")


def folder_of(house: House) -> Path:
    return Path(house.settings.rules)


def file_of(house: House) -> Path:
    return folder_of(house) / "a" / "shirking.yml"


def git(folder: Path, *asked: str) -> str:
    named = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@x", "GIT_COMMITTER_NAME": "x"}
    env = os.environ | named | {"GIT_COMMITTER_EMAIL": "x@x"}
    command = ["git", "-C", str(folder), *asked]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def under_git(folder: Path) -> Path:
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def drafted(person: Person, text: str = WIDER, version: int = 0) -> None:
    person.send(f"/rules/{RULE}/draft", text=text, version=str(version))


def publish(person: Person, status: int = 303, version: int = 1) -> str:
    return person.send(f"/rules/{RULE}/publish", status, version=str(version))


def waited(person: Person, path: str) -> str:
    """A part of a page, asked for until the work behind it is over."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told = person.see(path)
        if "hx-trigger" not in told:
            return told
        time.sleep(0.05)
    raise AssertionError(told)


def tried(person: Person, **fields: str) -> str:
    job = person.send("/rules/try", **fields)
    return waited(person, f"{job}/state")


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
        folder = Path(__file__).parents[2] / "rules"
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
