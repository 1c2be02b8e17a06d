"""The agent's cards and appeals: read, heard, contested, decided by somebody else, contested again, final;
and the supervisor's review of what others have finished."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from page_help import AT, BY, HOSTILE, PASSWORD, Browser, Desk, assert_harmless, links, shown, tags
from review_help import NOON
from small_house import hand_in, small_house

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.scorecard import Decision, ScoredItem
from pipeline.storage.store import Store
from pipeline.workflows.accounts.users import Application, add_user
from pipeline.workflows.audit import verify
from pipeline.workflows.review.decide import review
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.sheet import sheet

pytestmark = pytest.mark.usefixtures("scored")

GREETING = "standard_greeting"
DAY = timedelta(days=1)


def finish(store: Store, call: str, who: str = "wangmin") -> None:
    """Everything decided as well as can be, but for a greeting that is bad."""
    found = sheet(store, call, who)
    best = {item.id: item.levels[0].title for item in found.template.items if item.levels}
    opened = {item.id: best[item.id] for item in found.left() if item.id in best}
    values = tuple((opened | {GREETING: "差"}).items())
    reasons = ((GREETING, "没有报工号"),)
    made = Marks(who=who, values=values, reasons=reasons, accept_all=True, note="悄悄话", done=True)
    review(store, call, made, at=AT)


@pytest.fixture
def released(store: Store) -> str:
    """The call d11, by agent 1001, whose card is released; its id."""
    recording = store.find_call("d11")
    store.update_recording(replace(recording, agent_id="1001"))
    finish(store, "d11")
    return recording.id


@pytest.fixture
def agent(browser: Browser, released: str) -> Browser:
    return browser.log_in(Role.AGENT)


def appeal(agent: Browser, released: str, item: str = GREETING, reason: str = "报了工号，声音小") -> Response:
    return agent.post(f"/cards/{released}/appeal", {"item": item, "reason": reason})


@pytest.fixture
def raised(agent: Browser, released: str) -> str:
    answer = appeal(agent, released)
    assert answer.status_code == 303, shown(answer)
    return answer.headers["location"]


def decide(browser: Browser, path: str, who: Role | str = Role.SUPERVISOR, **fields: str) -> Response:
    asked = {"ruling": "keep", "reason": "听了两遍，没有", **fields}
    return browser.log_in(who).post(f"{path}/answer", asked)


def greeting(store: Store, call: str = "d11") -> ScoredItem:
    card = store.latest(store.find_call(call).id).scorecard
    assert card is not None
    return next(item for item in card.items if item.id == GREETING)


# the cards


def test_an_agent_sees_their_released_cards_only(agent: Browser, released: str) -> None:
    page = agent.get("/cards")
    assert [link for link in links(page) if link.startswith("/cards/")][:1] == [f"/cards/{released}"]
    assert "共 1 通" in shown(page)
    agent.store.update_recording(replace(agent.store.find_call("d05"), agent_id="1001"))
    assert "共 1 通" in shown(agent.get("/cards"))
    assert agent.get(f"/cards/{agent.store.find_call('d05').id}").status_code == 403


def test_a_card_of_somebody_else_is_not_for_them(agent: Browser) -> None:
    finish(agent.store, "d05", "qowner")
    assert agent.get(f"/cards/{agent.store.find_call('d05').id}").status_code == 403


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AGENT])
def test_the_cards_are_the_agents_pages(browser: Browser, released: str, role: Role) -> None:
    browser.log_in(role)
    assert browser.get("/cards").status_code == 403
    assert browser.get(f"/cards/{released}").status_code == 403
    assert appeal(browser, released).status_code == 403


def test_the_card_shows_what_counts_and_how_to_hear_it(agent: Browser, released: str) -> None:
    page = agent.get(f"/cards/{released}")
    text = shown(page)
    assert "没有报工号" in text
    assert '"peaks"' in page.text
    assert f'src="/calls/{released}/audio"' in page.text
    assert "data-listen" in page.text
    assert agent.get(f"/calls/{released}/audio").status_code == 200
    assert_harmless(page)


def test_nothing_on_the_card_can_be_changed(agent: Browser, released: str) -> None:
    page = agent.get(f"/cards/{released}")
    assert 'class="mark"' not in page.text
    assert 'id="submit"' not in page.text
    assert agent.get(f"/calls/{released}").status_code == 403
    assert agent.post(f"/calls/{released}/mark", {"kind": "note", "value": "x"}).status_code == 403


def test_names_and_notes_of_inspectors_are_kept_from_agents(
    agent: Browser, raised: str, released: str
) -> None:
    decide(agent, raised)
    agent.log_in(Role.AGENT)
    for path in (f"/cards/{released}", raised, "/appeals", "/cards"):
        page = agent.get(path)
        assert page.status_code == 200
        for secret in ("wangmin", "zhaozg", "悄悄话"):
            assert secret not in page.text, (path, secret)
    assert "质检员" in shown(agent.get(f"/cards/{released}"))


def test_names_are_shown_where_the_house_says_so(agent: Browser, released: str) -> None:
    settings = agent.settings.model_copy(update={"reviewer_names": True})
    open_house = Browser(store=agent.store, settings=settings).log_in(Role.AGENT)
    page = open_house.get(f"/cards/{released}")
    assert "wangmin" in page.text
    assert "悄悄话" not in page.text


def test_every_item_says_until_when_it_can_be_appealed_against_or_why_not(
    agent: Browser, released: str
) -> None:
    text = shown(agent.get(f"/cards/{released}"))
    assert "06-08 23:59 前可以申诉" in text
    assert "不能申诉：已是满分" in text
    agent.at = AT + 8 * DAY
    late = shown(agent.log_in(Role.AGENT).get(f"/cards/{released}"))
    assert "前可以申诉" not in late
    print(re.findall("过了申诉期.{60}", late)[:2])
    assert "不能申诉：过了申诉期：这一项 2026-06-01 评定，7 天内（到 2026-06-08）可以申诉" in late


def test_the_days_count_from_when_the_card_was_released(agent: Browser, released: str) -> None:
    """Items that were only accepted have had their result since the night."""
    text = shown(agent.get(f"/cards/{released}"))
    card = agent.store.latest(released).scorecard
    assert card is not None
    lost = [i for i in card.items if i.points is not None and i.points < i.points_possible]
    assert len(lost) > 1
    assert text.count("06-08 23:59 前可以申诉") >= len(lost)


# an appeal


def test_an_appeal_is_raised_and_shown_to_both_sides(agent: Browser, raised: str) -> None:
    for who in (Role.AGENT, Role.SUPERVISOR, Role.QUALITY_OWNER, Role.AUDITOR, Role.INSPECTOR):
        page = agent.log_in(who).get(raised)
        text = shown(page)
        assert "报了工号，声音小" in text
        assert "没有报工号" in text
        assert "应在 06-08 23:59 前答复" in text
        assert "机器优秀 3.0/3.0" in text
        assert_harmless(page)
        assert "报了工号，声音小" in shown(agent.get("/appeals"))


def test_only_their_own_appeals_are_shown_to_agents_and_those_of_the_team_to_supervisors(
    agent: Browser, raised: str
) -> None:
    asked = Application(login="a1003", role=Role.AGENT, password=PASSWORD, agent_id="1003")
    add_user(asked, agent.store, BY)
    lead = Application(login="lead", role=Role.SUPERVISOR, password=PASSWORD, team="乙班")
    add_user(lead, agent.store, BY)
    for login in ("a1003", "lead"):
        agent.log_in(login)
        assert agent.get(raised).status_code == 403
        assert "报了工号" not in shown(agent.get("/appeals"))
        assert decide(agent, raised, login).status_code == 403


@pytest.mark.parametrize("role", [Role.AGENT, Role.INSPECTOR, Role.AUDITOR, Role.ADMIN])
def test_some_roles_decide_no_appeal(agent: Browser, raised: str, role: Role) -> None:
    assert decide(agent, raised, role).status_code == 403
    assert 'name="ruling"' not in agent.get(raised).text


def test_nobody_decides_about_their_own_call(agent: Browser, raised: str) -> None:
    agent.store.set_agent("qowner", "1001")
    assert decide(agent, raised, Role.QUALITY_OWNER).status_code == 403


def test_an_item_without_anything_to_win_is_not_appealed_against(agent: Browser, released: str) -> None:
    card = agent.store.latest(released).scorecard
    assert card is not None
    full = next(item for item in card.items if item.points == item.points_possible)
    answer = appeal(agent, released, full.id)
    assert answer.status_code == 422
    assert "无可申诉" in shown(answer)
    assert appeal(agent, released, reason=" ").status_code == 422
    assert appeal(agent, released, "nothing").status_code == 404
    assert agent.store.appeals() == ()


def test_a_kept_result_stays_and_the_agent_may_ask_once_more(agent: Browser, raised: str) -> None:
    assert decide(agent, raised).status_code == 303
    assert greeting(agent.store).level == "差"
    page = agent.log_in(Role.AGENT).get(raised)
    assert "答复：维持" in shown(page)
    assert "06-08 23:59 前可以再申诉" in shown(page)
    assert agent.post(f"{raised}/reopen", {"reason": "请听第一句"}).status_code == 303
    assert agent.post(f"{raised}/reopen", {"reason": "还是不服"}).status_code == 422
    assert "这是再申诉：答复之后就终结" in shown(agent.log_in(Role.SUPERVISOR).get(raised))
    assert decide(agent, raised, ruling="value", value="优秀").status_code == 303
    assert greeting(agent.store).level == "优秀"
    assert "终结" in shown(agent.log_in(Role.AGENT).get(raised))
    assert 'action="/appeals' not in agent.get(raised).text


def test_a_decision_adds_a_review_and_a_card_and_both_are_audited(agent: Browser, raised: str) -> None:
    before = len(agent.store.history(agent.store.find_call("d11").id))
    decide(agent, raised, ruling="value", value="良好")
    store = agent.store
    recording = store.find_call("d11").id
    last = store.reviews(recording)[-1]
    assert (last.who, last.decision, last.value, last.appeal_id) == ("zhaozg", Decision.OVERRIDE, "良好", 1)
    assert len(store.history(recording)) == before + 1
    actions = {(line.action, line.object) for line in store.audit_lines(AuditFilter())}
    assert {("appeal.raised", "appeal:1"), ("appeal.answered", "appeal:1")} <= actions
    assert not verify(store).faults


def test_the_audit_log_names_the_user_who_appealed_and_for_which_agent(agent: Browser, raised: str) -> None:
    decide(agent, raised)
    agent.log_in(Role.AGENT).post(f"{raised}/reopen", {"reason": "请再听"})
    lines = agent.store.audit_lines(AuditFilter(action="appeal"))
    assert [(line.action, line.who) for line in reversed(lines)] == [
        ("appeal.raised", "a1001"),
        ("appeal.answered", "zhaozg"),
        ("appeal.reopened", "a1001"),
    ]
    assert all(json.loads(line.detail)["agent"] == "1001" for line in lines)
    assert [event.who for event in agent.store.appeal(1).events] == ["1001", "zhaozg", "1001"]


def test_a_finding_that_was_none_gives_its_points_back(tmp_path: Path) -> None:
    with small_house(tmp_path / "small") as house:
        hand_in(house.store, "wangmin", (("tone", "良"),), accept_all=True)
        recording = house.store.find_call("c1").id
        house.at = NOON + DAY
        path = appeal(house.log_in(Role.AGENT), recording, "shirking", "是客户问的").headers["location"]
        page = house.log_in(Role.SUPERVISOR).get(path)
        offered = [tag["value"] for tag in tags(page, "input") if tag.get("name") == "finding"]
        assert len(offered) == 1
        answer = decide(house, path, ruling="false", finding=offered[0] or "")
        assert answer.status_code == 303, shown(answer)
        card = house.store.latest(recording).scorecard
        assert card is not None
        assert str(next(item.points for item in card.items if item.id == "shirking")) == "10.0"


@pytest.mark.parametrize(
    "fields", [{"ruling": ""}, {"ruling": "value"}, {"ruling": "false"}, {"ruling": "keep", "reason": ""}]
)
def test_a_decision_that_says_nothing_is_refused(agent: Browser, raised: str, fields: dict[str, str]) -> None:
    assert decide(agent, raised, **fields).status_code == 422
    assert len(agent.store.appeal(1).events) == 1


def test_what_is_overdue_is_marked_and_comes_first(agent: Browser, raised: str) -> None:
    agent.at = AT + 10 * DAY
    text = shown(agent.log_in(Role.SUPERVISOR).get("/appeals"))
    assert "逾期 3 天" in text
    assert "没有申诉" in shown(agent.get("/appeals", state="final"))
    assert decide(agent, raised).status_code == 303


def test_hostile_reasons_stay_texts(agent: Browser, raised: str) -> None:
    decide(agent, raised, reason=HOSTILE[0])
    for text in HOSTILE[:1]:
        agent.log_in(Role.AGENT).post(f"{raised}/reopen", {"reason": text})
    for who in (Role.AGENT, Role.SUPERVISOR):
        agent.log_in(who)
        for path in (raised, "/appeals", "/appeals?state=%3Cscript%3E&from=-1"):
            assert_harmless(agent.get(path))


# the supervisor's review


@pytest.fixture
def final(browser: Browser, released: str) -> Desk:
    return Desk(browser, "d11", Role.SUPERVISOR)


def test_what_others_finished_is_reviewed_once_more_with_their_decisions_in_sight(final: Desk) -> None:
    text = shown(final.page())
    assert "复核：交卷后您定的就是最终结果" in text
    assert "wangmin" in text
    assert "没有报工号" in text


def test_a_final_review_settles_what_it_says_and_marks_what_it_overrides(final: Desk) -> None:
    final.mark("value", GREETING, "良好", reason="声音小，但报了")
    assert final.send("submit").status_code == 204
    store = final.browser.store
    assert greeting(store).level == "良好"
    text = shown(final.page())
    assert "已复核定案" in text
    assert re.search(r"wangmin 评定 差：没有报工号 [-0-9: ]+· 已改定", text)
    later = Marks(who="qowner", values=((GREETING, "差"),), reason="我看不行")
    review(store, "d11", later, at=AT + DAY)
    assert greeting(store).level == "良好"


def test_a_final_review_gives_a_reason_for_what_it_changes(final: Desk) -> None:
    assert final.mark("value", "polite", "差").status_code == 422
    assert "已经有人评过" in shown(final.mark("value", "polite", "差"))


def test_an_inspector_settles_nothing(browser: Browser, released: str) -> None:
    assert "最终结果" not in shown(Desk(browser, "d11").page())


def test_nobody_settles_their_own_call(final: Desk) -> None:
    final.browser.store.set_agent("zhaozg", "1001")
    final.browser.log_in(Role.SUPERVISOR)
    page = final.page()
    assert "最终结果" not in shown(page)
    assert 'id="submit"' not in page.text


def test_the_history_tells_everything_in_order(final: Desk) -> None:
    final.mark("value", GREETING, "良好", reason="声音小，但报了")
    final.send("submit")
    page = final.browser.get(f"{final.path}/history")
    text = shown(page)
    assert text.index("没有报工号") < text.index("声音小，但报了") < text.index("终审")
    assert_harmless(page)


def test_the_case_file_is_for_who_may_export_and_leaves_a_line_in_the_audit_log(final: Desk) -> None:
    assert f"{final.path}/evidence/zip" in links(final.page())
    pdf = final.browser.get(f"{final.path}/evidence/pdf")
    assert pdf.content.startswith(b"%PDF")
    archive = final.browser.get(f"{final.path}/evidence/zip")
    assert archive.content.startswith(b"PK")
    assert "attachment" in archive.headers["content-disposition"]
    taken = [x for x in final.browser.store.audit_lines(AuditFilter()) if x.action == "export.evidence"]
    assert {(line.who, line.object) for line in taken} == {("zhaozg", f"call:{final.id}")}
    assert len(taken) == 2
    assert final.browser.get(f"{final.path}/evidence/exe").status_code == 404


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.AUDITOR, Role.AGENT, Role.ADMIN])
def test_some_roles_take_no_case_file(browser: Browser, released: str, role: Role) -> None:
    browser.log_in(role)
    assert browser.get(f"/calls/{released}/evidence/zip").status_code == 403
