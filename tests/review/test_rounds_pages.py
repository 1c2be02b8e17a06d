"""Calibration rounds: made by who may, judged blind by who takes part, shown with what they come to."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from httpx import Response
from page_help import HERE, HOSTILE, LOGINS, Browser, Desk, assert_harmless, links, shown, token_of
from small_house import ALL, SECOND, small_house

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.workflows.audit import verify

FIRST = LOGINS[Role.INSPECTOR]
OTHERWISE = (("shirking", "2"), ("thanks", "差"), ("tone", "差"))


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with small_house(tmp_path) as made:
        yield made


def begin(browser: Browser, by: Role | str = Role.SUPERVISOR, **changes: object) -> Response:
    browser.log_in(by)
    fields = {
        "csrf": token_of(browser.get("/me")),
        "title": "十一月校准",
        "who": [FIRST, SECOND],
        "call": [browser.store.find_call("c1").id],
        "names": "c2",
        **changes,
    }
    return browser.client.post("/rounds", data=fields, headers={"origin": HERE})


@pytest.fixture
def round_id(browser: Browser) -> int:
    answer = begin(browser)
    assert answer.status_code == 303, shown(answer)
    return int(answer.headers["location"].rsplit("/", 1)[1])


def at_call(browser: Browser, round_id: int, who: str, call: str = "c1") -> Desk:
    recording = browser.store.find_call(call).id
    return Desk(browser, call, who, path=f"/rounds/{round_id}/calls/{recording}")


def judge(
    browser: Browser, round_id: int, who: str, values: tuple[tuple[str, str], ...] = ALL, call: str = "c1"
) -> Response:
    desk = at_call(browser, round_id, who, call)
    for name, value in values:
        assert desk.mark("value", name, value).status_code == 200
    return desk.send("submit")


def close(browser: Browser, round_id: int, who: Role = Role.SUPERVISOR) -> Response:
    return browser.log_in(who).post(f"/rounds/{round_id}/close", {})


def test_a_round_is_made_of_calls_ticked_and_named_and_listed(browser: Browser, round_id: int) -> None:
    made = browser.store.round(round_id)
    assert {name for name, _ in made.calls} == {browser.store.find_call(c).id for c in ("c1", "c2")}
    assert made.inspectors == (SECOND, FIRST)
    assert "十一月校准" in shown(browser.get("/rounds"))
    assert "我还有 2 通" in shown(browser.log_in(FIRST).get("/rounds"))


def test_calls_are_found_by_the_filters_of_the_queue(browser: Browser) -> None:
    browser.log_in(Role.SUPERVISOR)
    page = shown(browser.get("/rounds/new", text="c2"))
    assert "c2" in page
    assert "c1" not in page
    assert not [link for link in links(browser.get("/rounds/new")) if link.startswith("/queue?")]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"who": [FIRST]}, "至少要两位"),
        ({"who": [FIRST, "nobody"]}, "至少要两位"),
        ({"call": [], "names": ""}, "没有说校准哪些电话"),
        ({"title": ""}, "要有名称"),
        ({"names": "c9"}, "没有电话 c9"),
    ],
)
def test_a_round_that_makes_no_sense_is_refused(
    browser: Browser, changes: dict[str, object], told: str
) -> None:
    answer = begin(browser, **changes)
    assert answer.status_code in (404, 422)
    assert told in shown(answer)
    assert browser.store.rounds() == ()


def test_a_supervisor_takes_calls_of_their_own_team_only(browser: Browser) -> None:
    browser.store.update_recording(replace(browser.store.find_call("c2"), agent_id="1003"))
    answer = begin(browser)
    assert answer.status_code == 422
    assert "不是本组的电话" in shown(answer)
    assert begin(browser, Role.QUALITY_OWNER).status_code == 303


def test_nobody_judges_a_call_that_they_answered_under_whatever_login(browser: Browser) -> None:
    browser.store.set_agent(FIRST, "1001")
    answer = begin(browser, Role.QUALITY_OWNER)
    assert answer.status_code == 422
    assert "不能评自己" in shown(answer)


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_some_roles_know_nothing_of_rounds(browser: Browser, round_id: int, role: Role) -> None:
    browser.log_in(role)
    assert browser.get("/rounds").status_code == 403
    assert browser.get(f"/rounds/{round_id}").status_code == 403


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.AUDITOR])
def test_some_roles_begin_and_close_none(browser: Browser, round_id: int, role: Role) -> None:
    assert begin(browser, role).status_code == 403
    assert close(browser, round_id, role).status_code == 403
    assert browser.store.round(round_id).closed_at is None


def test_an_inspector_who_takes_no_part_sees_nothing_of_it(browser: Browser) -> None:
    answer = begin(browser, who=[SECOND, LOGINS[Role.QUALITY_OWNER]])
    round_id = int(answer.headers["location"].rsplit("/", 1)[1])
    browser.log_in(FIRST)
    assert "十一月校准" not in shown(browser.get("/rounds"))
    assert browser.get(f"/rounds/{round_id}").status_code == 403
    assert at_call(browser, round_id, FIRST).page().status_code == 403


def test_who_looks_after_a_round_judges_in_it_only_when_they_take_part(
    browser: Browser, round_id: int
) -> None:
    for role in (Role.AUDITOR, Role.SUPERVISOR):
        desk = at_call(browser, round_id, LOGINS[role])
        assert desk.page().status_code == 422
        assert browser.post(f"{desk.path}/mark", {"kind": "value", "target": "tone"}).status_code == 422


def test_the_sound_is_for_who_takes_part(browser: Browser, round_id: int) -> None:
    desk = at_call(browser, round_id, FIRST)
    assert f'src="{desk.path}/audio"' in desk.page().text
    assert browser.get(f"{desk.path}/audio").status_code != 403
    assert browser.get(f"/calls/{desk.id}/audio").status_code == 403
    assert browser.log_in(Role.AUDITOR).get(f"{desk.path}/audio").status_code == 403


def test_the_page_of_a_round_is_the_same_whatever_the_others_said(tmp_path: Path) -> None:
    seen = []
    for name, values in (("a", ALL), ("b", OTHERWISE)):
        with small_house(tmp_path / name) as browser:
            round_id = int(begin(browser).headers["location"].rsplit("/", 1)[1])
            assert judge(browser, round_id, FIRST, values).status_code == 204
            desk = at_call(browser, round_id, SECOND)
            texts = [desk.page().text, browser.get(f"/rounds/{round_id}").text, browser.get("/rounds").text]
            seen.append([re.sub(r'nonce="[^"]+"|[0-9a-f]{64}', "", text) for text in texts])
    assert seen[0] == seen[1]
    assert "data-finding" not in seen[0][0]


def test_what_is_judged_in_a_round_counts_on_no_card(browser: Browser, round_id: int) -> None:
    answer = judge(browser, round_id, FIRST)
    assert answer.headers["hx-redirect"] == at_call(browser, round_id, FIRST, "c2").path
    assert judge(browser, round_id, FIRST, call="c2").headers["hx-redirect"] == f"/rounds/{round_id}"
    assert browser.store.reviews(browser.store.find_call("c1").id) == ()
    assert "已交" in shown(browser.get(f"/rounds/{round_id}"))


def test_everything_has_to_be_judged_and_nothing_is_judged_twice(browser: Browser, round_id: int) -> None:
    desk = at_call(browser, round_id, FIRST)
    desk.mark("value", "tone", "良")
    answer = desk.send("submit", partial="yes")
    assert answer.status_code == 422
    assert "还有 2 项没有评" in shown(answer)
    judge(browser, round_id, FIRST)
    assert browser.post(f"{desk.path}/mark", {"kind": "value", "target": "tone"}).status_code == 422
    assert 'id="submit"' not in desk.page().text


def test_the_result_is_shown_when_the_round_is_closed(browser: Browser, round_id: int) -> None:
    for who, values in ((FIRST, ALL), (SECOND, OTHERWISE)):
        for name in ("c1", "c2"):
            judge(browser, round_id, who, values, name)
    assert "最不一致" not in shown(browser.log_in(FIRST).get(f"/rounds/{round_id}"))
    assert close(browser, round_id).status_code == 303
    text = shown(browser.log_in(FIRST).get(f"/rounds/{round_id}"))
    assert "逐项：质检员之间" in text
    assert "致谢2100%——" in text
    assert "语气20%0.00 [0.00, 0.00]" in text
    assert "语气 一致率 0%（0/2） c1：lihua 差，wangmin 良" in text
    assert "lihua633%40" in text
    assert "wangmin633%04" in text


def test_nothing_is_judged_in_a_closed_round(browser: Browser, round_id: int) -> None:
    close(browser, round_id)
    desk = at_call(browser, round_id, FIRST)
    assert 'id="submit"' not in desk.page().text
    answer = browser.post(f"{desk.path}/mark", {"kind": "value", "target": "tone", "value": "良"})
    assert answer.status_code == 422


def test_every_step_is_in_the_audit_log(browser: Browser, round_id: int) -> None:
    judge(browser, round_id, FIRST)
    close(browser, round_id)
    lines = [line for line in browser.store.audit_lines(AuditFilter()) if line.object == f"round:{round_id}"]
    told = {(line.action, line.who) for line in lines}
    assert told == {("round.made", "zhaozg"), ("round.judged", FIRST), ("round.closed", "zhaozg")}
    assert not verify(browser.store).faults


def test_hostile_titles_stay_texts(browser: Browser) -> None:
    for text in HOSTILE:
        answer = begin(browser, title=text)
        assert_harmless(browser.get(answer.headers["location"]))
    assert_harmless(browser.get("/rounds"))


@pytest.mark.parametrize("path", ["/rounds/99", "/rounds/x", "/rounds/1/calls/nothing"])
def test_what_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    assert browser.log_in(Role.QUALITY_OWNER).get(path).status_code == 404
