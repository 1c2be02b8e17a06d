"""The call page and the queue: what an inspector decides is kept, shown at once, and never lost."""

from dataclasses import replace
from hashlib import sha256

import demo
import pytest
from page_help import AT, HOSTILE, Browser, Desk, assert_harmless, shown, token_of, version

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.scorecard import Decision
from pipeline.timeline import Call
from pipeline.workflows.audit import verify
from pipeline.workflows.rescore import Scorer

pytestmark = pytest.mark.usefixtures("scored")
"""The house has the demo calls."""


@pytest.fixture
def desk(browser: Browser) -> Desk:
    return Desk(browser, "d11").claim()


def test_an_inspector_opens_no_call_that_is_not_theirs(browser: Browser) -> None:
    page = Desk(browser, "d11").page()
    assert page.status_code == 403
    assert "先在队列里领这一通" in shown(page)
    assert "质检员不能" not in shown(page)


def test_the_next_call_is_the_riskiest_and_nobody_else_gets_it(browser: Browser) -> None:
    browser.log_in(Role.INSPECTOR)
    first = browser.post("/queue/next", {}).headers["location"]
    assert first == f"/calls/{browser.store.find_call('d11').id}"
    assert browser.post("/queue/next", {}).headers["location"] != first


def test_the_page_shows_transcript_card_and_waveform(desk: Desk) -> None:
    page = desk.page()
    text = shown(page)
    assert "您好快来外卖客服" in text.replace(" ", "")
    assert "使用规定的招呼语" in text
    assert '"peaks"' in page.text
    assert_harmless(page)


def test_a_mark_is_shown_at_once_and_the_machine_stays_visible(desk: Desk) -> None:
    answer = desk.mark("value", "standard_greeting", "良好", reason="语速太快")
    text = shown(answer)
    assert "机器原评" in text
    assert "语速太快" in answer.text
    assert "wangmin" in text


def test_another_rating_than_the_machines_needs_a_reason(desk: Desk) -> None:
    answer = desk.mark("value", "standard_greeting", "差")
    assert answer.status_code == 422
    assert answer.headers["hx-retarget"] == "#notice"
    assert "理由" in shown(answer)
    assert desk.browser.store.reviews(desk.id) == ()


def test_undo_takes_the_last_mark_back_and_redo_makes_it_again(desk: Desk) -> None:
    before = shown(desk.page())
    desk.mark("value", "standard_greeting", "差", reason="没有报工号")
    assert shown(desk.send("undo")) != before
    assert "没有报工号" not in desk.page().text
    assert "没有报工号" in desk.send("undo", by="1").text


def test_what_was_handed_in_is_kept_with_the_card_that_it_makes(desk: Desk) -> None:
    desk.mark("value", "standard_greeting", "差", reason="没有报工号")
    answer = desk.send("submit", partial="yes")
    assert answer.status_code == 204
    reviews = desk.browser.store.reviews(desk.id)
    assert [r.decision for r in reviews] == [Decision.OVERRIDE, Decision.DONE]
    card = desk.browser.store.latest(desk.id).scorecard
    assert card is not None
    assert next(item for item in card.items if item.id == "standard_greeting").level == "差"


def test_a_window_that_is_behind_is_told_and_nothing_is_lost(desk: Desk) -> None:
    stale = version(desk.page())
    desk.mark("value", "standard_greeting", "差", reason="没有报工号")
    answer = desk.send("mark", version=stale, kind="note", target="", value="旧窗口")
    assert "另一个窗口" in shown(answer)
    assert "没有报工号" in answer.text


def test_the_second_inspector_is_told_what_was_decided_meanwhile(browser: Browser) -> None:
    desk = Desk(browser, "d11").claim()
    desk.mark("value", "standard_greeting", "差", reason="没有报工号")
    other = Browser(store=browser.store, settings=browser.settings, at=AT)
    theirs = Desk(other, "d11", Role.QUALITY_OWNER)
    theirs.mark("note", "", "我也看了")
    desk.send("submit", partial="yes")
    answer = theirs.send("submit", partial="yes")
    assert "没有交" in shown(answer)
    assert "没有报工号" in answer.text
    known = {"seen_reviews": "2", "seen_scorecard": str(browser.store.latest(desk.id).scorecard_id)}
    assert theirs.send("submit", partial="yes", **known).status_code == 204
    assert {review.who for review in browser.store.reviews(desk.id)} == {"wangmin", "qowner"}


def test_a_finding_is_called_false_with_a_reason_and_the_card_follows(desk: Desk) -> None:
    findings = desk.browser.store.latest(desk.id).findings
    false = next(
        f for f in findings if f.rule_id == "forbidden.over_authority_promise" and f.outcome == "present"
    )
    answer = desk.mark("false", false.id, reason="配送站有权免配送费")
    assert "is-false" in answer.text
    desk.send("submit", partial="yes")
    assert Decision.FINDING_FALSE in {r.decision for r in desk.browser.store.reviews(desk.id)}


def test_a_finding_that_no_item_counts_any_more_still_shows_what_was_said_of_it(desk: Desk) -> None:
    greeting = next(f for f in desk.browser.store.latest(desk.id).findings if f.rule_id == "greeting.word")
    desk.mark("false", greeting.id, reason="没有这样说")
    assert "is-false" in desk.browser.get(f"{desk.path}/others").text


def test_words_that_were_heard_wrongly_are_put_right_and_the_original_is_kept(desk: Desk) -> None:
    page = desk.page()
    fields = {
        "csrf": token_of(page),
        "start": "2000",
        "text": "快来外卖",
        "corrected": "快送外卖",
        "reason": "听错",
    }
    answer = desk.browser.client.post(
        f"{desk.path}/words", data=fields, headers={"origin": "https://testserver"}
    )
    assert answer.status_code == 303, shown(answer)
    assert "快送外卖" in shown(desk.page()).replace(" ", "")
    assert "快来外卖" in desk.browser.store.heard(desk.id).turns[0].text


def test_hostile_texts_stay_texts(desk: Desk) -> None:
    for text in HOSTILE:
        answer = desk.mark("value", "standard_greeting", "差", reason=text)
        assert_harmless(answer)
        desk.mark("note", "", text)
    assert_harmless(desk.page())


def test_hostile_metadata_and_transcripts_stay_texts(browser: Browser) -> None:
    recording = browser.store.find_call("d11")
    for text in HOSTILE:
        browser.store.update_recording(replace(recording, business=text, agent_id=text, call_id=text))
        desk = Desk(browser, recording.id, Role.QUALITY_OWNER)
        assert_harmless(desk.page())
        assert_harmless(browser.get("/queue"))


def hostile_call(text: str) -> Call:
    """A call in which every text that comes from outside is a payload."""
    call = demo.heard()[0]
    turn = call.transcript.turns[1]
    words = (replace(turn.words[0], text=text), *turn.words[1:])
    turns = (call.transcript.turns[0], replace(turn, words=words), *call.transcript.turns[2:])
    digest = sha256(text.encode()).hexdigest()
    recording = replace(
        call.recording,
        id=digest[:16],
        sha256=digest,
        path=f"/calls/{text}.wav",
        call_id=text,
        agent_id=text,
        customer=text,
        business=text,
        codec=text,
    )
    return replace(call, recording=recording, transcript=replace(call.transcript, turns=turns))


@pytest.mark.parametrize("text", HOSTILE)
def test_words_names_and_paths_from_outside_stay_texts(browser: Browser, text: str) -> None:
    scorer = Scorer.in_force(browser.store, browser.settings, at=AT)
    scored = scorer.scored(hostile_call(text))
    browser.store.save_night_result(scored, at=AT, reason=text)
    desk = Desk(browser, scored.recording.id, Role.QUALITY_OWNER)
    page = desk.page()
    assert page.status_code == 200
    assert_harmless(page)
    assert_harmless(browser.get("/queue"))
    desk.mark("value", "standard_greeting", "差", reason=text)
    assert desk.send("submit", partial="yes").status_code == 204
    assert_harmless(desk.page())


def test_after_a_call_one_is_at_the_next_or_at_home(browser: Browser) -> None:
    desk = Desk(browser, "d11").claim()
    desk.mark("accept", "standard_greeting")
    onward = desk.send("submit", partial="yes", then="next").headers["hx-redirect"]
    assert onward.startswith("/calls/")
    other = Desk(browser, onward.rsplit("/", 1)[1])
    other.mark("accept", "standard_greeting")
    assert other.send("submit", partial="yes").headers["hx-redirect"] == "/queue"


def test_roles_that_are_the_wrong_way_round_are_exchanged_and_scored_anew(desk: Desk) -> None:
    fields = {"csrf": token_of(desk.page()), "reason": "左右声道接反"}
    origin = {"origin": "https://testserver"}
    before = desk.browser.store.latest(desk.id)
    assert desk.browser.client.post(f"{desk.path}/roles", data=fields, headers=origin).status_code == 303
    after = desk.browser.store.latest(desk.id)
    assert after.transcript.turns[0].role is before.transcript.turns[0].role.opposite


def test_the_sound_comes_in_the_parts_that_are_asked_for(desk: Desk) -> None:
    whole = desk.browser.get(f"{desk.path}/audio")
    assert whole.status_code == 200
    part = desk.browser.client.get(f"{desk.path}/audio", headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    beyond = desk.browser.client.get(f"{desk.path}/audio", headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416


def test_listening_leaves_a_line_in_the_audit_log_without_a_word_that_was_said(desk: Desk) -> None:
    desk.browser.get(f"{desk.path}/audio")
    desk.mark("value", "standard_greeting", "差", reason="没有报工号")
    desk.send("submit", partial="yes")
    store = desk.browser.store
    lines = store.audit_lines(AuditFilter())
    assert {"call.play"} <= {line.action for line in lines}
    assert "没有报工号" not in str(lines)
    assert not verify(store).faults


def test_a_batch_accepts_what_may_be_accepted_and_says_why_not_the_rest(browser: Browser) -> None:
    browser.log_in(Role.QUALITY_OWNER)
    calls = [browser.store.find_call(name).id for name in ("d07", "d11")]
    page = browser.get("/queue")
    answer = browser.client.post(
        "/queue/accept",
        data={"csrf": token_of(page), "call": calls},
        headers={"origin": "https://testserver"},
    )
    text = shown(answer)
    assert "已采信 1 通" in text
    assert "整张不能直接采信" in text


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_some_roles_have_no_queue(browser: Browser, role: Role) -> None:
    assert browser.log_in(role).get("/queue").status_code == 403


def test_a_supervisor_sees_the_calls_of_their_team_only(browser: Browser) -> None:
    recording = browser.store.find_call("d11")
    browser.store.update_recording(replace(recording, agent_id="1001"))
    page = browser.log_in(Role.SUPERVISOR).get("/queue")
    assert "d05" not in shown(page)
    other = browser.store.find_call("d05").id
    assert browser.get(f"/calls/{other}").status_code == 403


def test_every_filter_of_the_queue_is_an_address(browser: Browser) -> None:
    browser.log_in(Role.INSPECTOR)
    page = shown(browser.get("/queue", complaint="yes", sort="score"))
    assert "d11" in page
    assert "d05" not in page
    assert "没有符合条件的电话" in shown(browser.get("/queue", agent="nobody"))
    assert browser.get("/queue", since="yesterday").status_code == 422
