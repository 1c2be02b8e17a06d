"""Searching: what is found, where, in which order, page by page."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.detect.scene import Thresholds
from pipeline.errors import NotFound, UsageError
from pipeline.findings import How
from pipeline.settings import Settings
from pipeline.storage.records import CallFilter
from pipeline.storage.store import Store
from pipeline.timeline import Role
from pipeline.workflows.search import Page, Passage, Query, search
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.sources import RulesFolder
from pipeline.workflows.tuning.try_rule import Trial, try_rule

sys.path.insert(0, str(Path(__file__).parent / "tuning"))
from tuning_help import NOON, shipped_like

CALLS = {
    "c1": "坐席 1.0 您好。\n客户 3.0 我的快递呢？\n坐席 5.0 这个不归我们管，你自己想想办法。",
    "c2": "坐席 1.0 您好，不归我们管这样的话，我们绝对不说，不归我们管。",
    "c3": "坐席 1.0 您好。\n客户 3.0 是不是不归我们管？\n坐席 9.0 感谢您的来电。",
    "c4": "坐席 1.0 您好。\n坐席 3.0 这个不规我们管。\n坐席 9.0 感谢您的来电。",
    "c5": "坐席 1.0 您好。\n坐席 3.0 快递明天到。",
}
WORDS = "不归我们管"


@pytest.fixture
def store(tmp_path: Path, url: str) -> Iterator[Store]:
    with shipped_like(tmp_path, CALLS, url)[1] as store:
        yield store


def page(store: Store, text: str = "", *, which: CallFilter | None = None, **asked: Any) -> Page:
    return search(Query(text=text, which=which or CallFilter(), **asked), store, Settings())


def names(found: Page) -> list[str]:
    return [hit.call.recording.name for hit in found.hits]


def passages(found: Page) -> list[Passage]:
    return [passage for hit in found.hits for passage in hit.passages]


# words


def test_what_is_written_is_found_the_newest_call_first(store: Store) -> None:
    assert names(page(store, WORDS)) == ["c3", "c2", "c1"]
    assert names(page(store, "明天到")) == ["c5"]
    assert names(page(store, "火星")) == []


def test_by_sound_a_misheard_word_is_found_too(store: Store) -> None:
    found = page(store, WORDS, by_sound=True)
    assert names(found) == ["c4", "c3", "c2", "c1"]
    misheard = passages(found)[0]
    assert (misheard.quote, misheard.how) == ("不规我们管", How.SAME_SOUND)


def test_by_sound_is_found_what_a_rule_of_that_phrase_would_find(tmp_path: Path) -> None:
    rules, store = shipped_like(tmp_path, CALLS)
    archive, folder = Archive(store=store, thresholds=Thresholds()), RulesFolder(rules)
    with store:
        for text in (WORDS, "快递明天", "您好", "想办法", "感谢您的(来电|支持)"):
            tried = try_rule(Trial(phrases=(text,), role="any", limit=None), folder, archive)
            found = page(store, text, by_sound=True)
            places = [(hit.call.recording.id, p.span) for hit in found.hits for p in hit.passages]
            assert {hit.recording.id for hit in tried.hits} == {name for name, _ in places}
            assert all(
                any(name == hit.recording.id and span.overlaps(hit.evidence.span) for name, span in places)
                for hit in tried.hits
            )


def test_a_passage_shows_who_said_it_when_and_what_is_around_it(store: Store) -> None:
    (found,) = passages(page(store, "自己想想"))
    assert (found.role, found.before, found.quote, found.after) == (
        Role.AGENT,
        "这个不归我们管，你",
        "自己想想",
        "办法。",
    )
    assert 5_000 < found.span.start < found.span.end < 9_000


def test_each_place_in_a_call_is_a_passage_of_its_own(store: Store) -> None:
    first, second = page(store, WORDS, which=CallFilter(agents=frozenset({"101"}))).hits[0].passages
    assert (first.before, second.before) == ("您好，", "您好，不归我们管这样的话，我们绝对不说，")
    assert (first.after, second.after) == ("这样的话，我们绝对不说，不归我们管。", "。")
    assert first.span.end < second.span.start


def test_of_a_long_turn_only_what_is_near_the_quote_is_shown(tmp_path: Path) -> None:
    before, after = "这样的话" * 8, "那样的话" * 8
    with shipped_like(tmp_path, {"long": f"坐席 1.0 {before}快递明天到{after}。"})[1] as store:
        (found,) = passages(page(store, "快递明天到"))
    assert (found.before, found.after) == (f"…{before[-20:]}", f"{after[:20]}…")


def test_only_words_of_the_role_count(store: Store) -> None:
    assert names(page(store, WORDS, role=Role.CUSTOMER)) == ["c3"]
    assert names(page(store, WORDS, role=Role.AGENT)) == ["c2", "c1"]


def test_the_notation_of_phrases_is_understood(store: Store) -> None:
    assert names(page(store, "(快递|来电)明天")) == ["c5"]


@pytest.mark.parametrize("text", ["(没有关上", "，", "…管", "很" * 61, "{nothing}"])
def test_a_text_that_is_no_phrase_is_refused_without_repeating_it(store: Store, text: str) -> None:
    with pytest.raises(UsageError, match="要找的话") as caught:
        page(store, text)
    assert text not in str(caught.value).replace(caught.value.hint, "")
    assert caught.value.__cause__ is None


def test_what_is_looked_for_is_never_logged(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        page(store, WORDS)
        page(store, WORDS, by_sound=True)
    assert WORDS not in caplog.text


# what is known of a call


def test_filters_narrow_the_search(store: Store) -> None:
    at = NOON + timedelta(minutes=2)
    for which, expected in (
        (CallFilter(agent_id="100"), ["c3", "c1"]),
        (CallFilter(agents=frozenset({"101", "nobody"})), ["c2"]),
        (CallFilter(agents=frozenset()), []),
        (CallFilter(business="话费"), ["c2"]),
        (CallFilter(since=at), ["c3"]),
        (CallFilter(until=at), ["c2", "c1"]),
        (CallFilter(rule_id="forbidden.shirking"), ["c2", "c1"]),
        (CallFilter(recordings=frozenset({store.find_call("c1").id})), ["c1"]),
    ):
        assert names(page(store, WORDS, which=which)) == expected


def test_without_words_the_quotes_are_those_of_the_rule(store: Store) -> None:
    found = page(store, which=CallFilter(rule_id="closing.thanks"))
    assert names(found) == ["c4", "c3"]
    assert [(p.quote, p.after, p.role, p.rule_id) for p in passages(found)] == [
        ("感谢您的来电", "。", Role.AGENT, "closing.thanks")
    ] * 2
    assert names(page(store, which=CallFilter(label="thanks"), role=Role.CUSTOMER)) == []


def test_scores_are_asked_for_by_range(store: Store) -> None:
    totals = {call.recording.name: call.total for call in store.calls()}
    for low, high in ((None, 5), (5, 10), (10, None), (15, 15)):
        which = CallFilter(
            least_total=None if low is None else Decimal(low),
            most_total=None if high is None else Decimal(high),
        )
        expected = [n for n, total in totals.items() if total is not None]
        expected = [n for n in expected if low is None or totals[n] >= low]
        expected = [n for n in expected if high is None or totals[n] <= high]
        assert names(page(store, which=which)) == expected[::-1]


def test_without_any_question_every_call_is_listed(store: Store) -> None:
    found = page(store)
    assert names(found) == ["c5", "c4", "c3", "c2", "c1"]
    assert found.next == ""
    assert not passages(found)


# page by page


def walked(store: Store, text: str, **asked: Any) -> list[str]:
    seen, after = [], ""
    while True:
        found = page(store, text, after=after, **asked)
        seen += names(found)
        if not (after := found.next):
            return seen


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
@pytest.mark.parametrize("text", ["", WORDS])
def test_pages_one_after_the_other_are_all_of_it_once(store: Store, text: str, limit: int) -> None:
    assert walked(store, text, which=CallFilter(limit=limit)) == names(page(store, text))


def test_calls_of_one_moment_and_without_a_time_come_once_each(store: Store) -> None:
    for name, at in (("c1", None), ("c2", None), ("c3", NOON), ("c4", NOON)):
        store.update_recording(replace(store.find_call(name), started_at=at))
    everything = names(page(store))
    assert sorted(everything[3:]) == ["c1", "c2"]
    assert walked(store, "", which=CallFilter(limit=1)) == everything


def test_nothing_is_looked_at_beyond_a_full_page(store: Store) -> None:
    assert page(store, WORDS, which=CallFilter(limit=1)).looked_through == 3


def test_a_search_that_finds_little_can_stop_and_go_on(store: Store) -> None:
    found = page(store, "我的快递", most=2)
    assert (names(found), found.looked_through) == ([], 2)
    assert walked(store, "我的快递", most=2) == ["c1"]


def test_a_page_behind_a_call_that_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(NotFound, match="没有录音 x"):
        page(store, after="x")
