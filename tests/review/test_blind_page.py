"""The second of two inspectors who are blind to each other: nothing on any page tells what the first, or the
machine, decided."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import review_help
from httpx import Response
from page_help import AT, Browser, Desk, links, shown
from review_help import NOON, SETTINGS
from small_house import ALL, SECOND, hand_in, small_house
from small_rules import SHIRKING

from pipeline.account import Role
from pipeline.queue import sums_of
from pipeline.scorecard import Decision
from pipeline.storage.queue_records import Sort
from pipeline.workflows.review.appeals import Plea, raise_appeal
from pipeline.workflows.review.decide import review
from pipeline.workflows.review.marks import Marks

FIRST = "wangmin"
OTHERWISE = (("shirking", "2"), ("thanks", "优"), ("tone", "差"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Browser]:
    with small_house(tmp_path, blind=True, combine="average") as made:
        yield made


@pytest.fixture
def second(house: Browser) -> Desk:
    hand_in(house.store, FIRST, note="请班长听一听")
    return Desk(house, "c1", SECOND).claim()


def bare(answer: Response) -> str:
    """The bytes of a page, without what every answer has of its own."""
    assert answer.status_code == 200, answer.text
    return re.sub(r'nonce="[^"]+"|[0-9a-f]{64}|id-\d+', "", answer.text)


def pages(browser: Browser) -> dict[str, str]:
    """Every page that the second inspector can ask for about the call, and a part that is drawn anew."""
    desk = Desk(browser, "c1", SECOND).claim()
    return {
        "call": bare(desk.page()),
        "mark": bare(desk.mark("value", "tone", "良")),
        "fatal": bare(desk.mark("value", "rude", "不成立", reason="没有骂人")),
        "undo": bare(desk.send("undo")),
        "left": shown(desk.send("submit", partial="yes")),
        "history": times_and_digests_out(bare(browser.get(f"{desk.path}/history"))),
        "queue": bare(browser.get("/queue", text="c1")),
        "fatal only": bare(browser.get("/queue", fatal="yes", text="c1")),
        "no fatal": bare(browser.get("/queue", fatal="no", text="c1")),
        "acceptable": bare(browser.get("/queue", acceptable="yes", text="c1")),
        "found by score": shown(browser.post("/search", {"most": "8"}, page="/search")),
    }


def times_and_digests_out(text: str) -> str:
    return re.sub(r"[0-9a-f]{12}", "", text)


def test_the_pages_are_the_same_whatever_the_first_inspector_decided(tmp_path: Path) -> None:
    seen = []
    for name, values in (("a", ALL), ("b", OTHERWISE)):
        with small_house(tmp_path / name, blind=True) as browser:
            hand_in(browser.store, FIRST, values, note=name)
            seen.append(pages(browser))
    assert seen[0] == seen[1]


def test_the_pages_are_the_same_whatever_the_machine_decided_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for name, phrase in (("a", "不归我们管"), ("b", "从来没有这么说过")):
        rule = SHIRKING.replace("- 不归我们管", f"- {phrase}", 1)
        monkeypatch.setattr(review_help, "SHIRKING", rule)
        with small_house(tmp_path / name, blind=True) as browser:
            found = browser.store.latest(browser.store.find_call("c1").id).scorecard
            assert found is not None
            assert found.fatal is (name == "a")
            hand_in(browser.store, FIRST)
            seen.append(pages(browser))
    assert seen[0] == seen[1]


def test_the_page_says_that_it_is_blind_and_asks_for_every_item(second: Desk) -> None:
    page = second.page()
    text = shown(page)
    assert "盲评" in text
    assert "还有 3 项没定" in text
    for secret in (
        "已得",
        "待定",
        "规则 ",
        "不归我们管”",
        "听了两遍",
        "请班长",
        FIRST,
        "data-finding",
        "6.0",
    ):
        assert secret not in page.text, secret
    assert '"kind": "finding"' not in page.text
    assert 'class="w found' not in page.text


def test_the_first_inspector_is_not_blind_and_sees_the_machine(house: Browser) -> None:
    page = Desk(house, "c1").claim().page()
    assert "盲评" not in shown(page)
    assert "data-finding" in page.text


@pytest.mark.parametrize("kind", ["accept", "true", "false", "add"])
def test_what_the_machine_said_can_be_neither_accepted_nor_denied(second: Desk, kind: str) -> None:
    finding = second.browser.store.latest(second.id).findings[0].id
    answer = second.mark(kind, "thanks" if kind == "accept" else finding, reason="不知道")
    assert answer.status_code == 422
    assert "盲评" in shown(answer)


def test_a_part_cannot_be_handed_in_to_see_the_rest(second: Desk) -> None:
    second.mark("value", "tone", "良")
    answer = second.send("submit", partial="yes")
    assert answer.status_code == 422
    assert "还有 2 项没有评" in shown(answer)
    assert Decision.DONE not in {
        r.decision for r in second.browser.store.reviews(second.id) if r.who == SECOND
    }


def test_after_handing_in_both_are_shown(second: Desk) -> None:
    for name, value in OTHERWISE:
        second.mark("value", name, value)
    assert second.send("submit").status_code == 204
    page = second.page()
    text = shown(page)
    assert "盲评" not in text
    assert "听了两遍" in text
    assert "2 人评分（wangmin 6.0、lihua 2.0），平均 4.0 分" in text
    assert "data-finding" in page.text
    own = [r for r in second.browser.store.reviews(second.id) if r.who == SECOND and r.decision.scores]
    assert {(r.saw_machine, r.saw_others) for r in own} == {(False, False)}


def test_who_began_with_the_machine_in_sight_stays_on_record_as_such(house: Browser) -> None:
    house.store.assign([(house.store.find_call("c1").id, SECOND)], at=AT)
    desk = Desk(house, "c1", SECOND)
    desk.mark("accept", "thanks")
    hand_in(house.store, FIRST)
    assert "data-finding" not in desk.page().text
    desk.mark("value", "shirking", "2", reason="推诿")
    desk.mark("value", "tone", "良")
    assert desk.send("submit").status_code == 204
    own = [r for r in house.store.reviews(desk.id) if r.who == SECOND and r.decision.scores]
    assert {r.saw_machine for r in own} == {True}


def test_no_case_file_before_handing_in(second: Desk) -> None:
    second.browser.log_in(Role.QUALITY_OWNER)
    answer = second.browser.get(f"{second.path}/evidence/zip")
    assert answer.status_code == 422
    assert "交卷之前不能看" in shown(answer)


def test_an_appeal_about_the_call_is_not_shown_before_handing_in(second: Desk) -> None:
    plea = Plea(call="c1", item="shirking", who="1001", reason="没有推诿")
    made = raise_appeal(plea, second.browser.store, SETTINGS, at=NOON)
    second.browser.log_in(SECOND)
    answer = second.browser.get(f"/appeals/{made.id}")
    assert answer.status_code in (403, 422)
    assert "6.0" not in answer.text


@pytest.mark.parametrize("sort", Sort)
def test_the_place_in_the_queue_tells_nothing_of_what_the_first_inspector_decided(
    tmp_path: Path, sort: Sort
) -> None:
    places = []
    for name, values in (("a", ALL), ("b", OTHERWISE)):
        with small_house(tmp_path / name, blind=True, combine="average") as browser:
            hand_in(browser.store, FIRST, values, "c2")
            page = browser.log_in(SECOND).get("/queue", sort=sort.value)
            line = browser.store.queue_line(browser.store.find_call("c2").id)
            assert line
            order = [link for link in links(page) if link.startswith("/calls/")]
            places.append((order, line.risk, line.rate, line.confidence))
    assert len(places[0][0]) >= 2
    assert places[0] == places[1]


def test_the_place_in_the_queue_tells_of_the_figures_once_both_have_handed_in(tmp_path: Path) -> None:
    places = []
    for name, values in (("a", ALL), ("b", OTHERWISE)):
        with small_house(tmp_path / name, blind=True, combine="average") as browser:
            for who in (FIRST, SECOND):
                hand_in(browser.store, who, values, "c2")
            stored = browser.store.latest(browser.store.find_call("c2").id)
            line = browser.store.queue_line(stored.recording.id)
            assert line
            assert stored.scorecard
            assert line.rate == sums_of(stored.scorecard).rate
            places.append(line.risk)
    assert places[0] != places[1]


def test_a_note_of_somebody_else_gives_nothing_away(house: Browser) -> None:
    hand_in(house.store, FIRST)
    before = house.store.queue_line(house.store.find_call("c1").id)
    review(house.store, "c1", Marks(who=SECOND, note="再听一遍"), at=NOON)
    after = house.store.queue_line(house.store.find_call("c1").id)
    assert before
    assert after
    assert (before.risk, before.rate, before.confidence) == (after.risk, after.rate, after.confidence)
