"""Items against labels, and what a confidence is worth: counted as a hand would."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.detect.engine import run
from pipeline.detect.load import load_ruleset
from pipeline.detect.script import call_of
from pipeline.resources import shipped_rules
from pipeline.scoring.intervals import Share
from pipeline.workflows.item_agreement import Basis, Filled, Judged, Verity, cards, decisions, judged, share
from pipeline.workflows.item_tables import item_sheets, truth_sheet
from pipeline.workflows.item_truth import ITEM_TRUTH

RULESET = load_ruleset(shipped_rules())
SAID = """# direction inbound
# duration 60
坐席 1.0 您好，恒通物流客服中心，工号三零八为您服务，请问有什么可以帮您？
客户 8.0 我想查一下快递到哪里了。
坐席 20.0 已经派送了。
坐席 50.0 感谢您的来电，再见。
"""
FACTS = {
    **dict.fromkeys(("greeting_word", "company", "agent_id_or_name", "offer_help", "thanks", "goodbye"), 1),
    **dict.fromkeys(
        ("asks_name", "uses_surname", "anything_else", "hold", "late_greeting", "fast_speech"), 0
    ),
}


@pytest.fixture(scope="module")
def items() -> tuple[Judged, ...]:
    call = call_of(SAID)
    return judged("t1", FACTS, Filled.of(call, run(call, RULESET), RULESET))


def one(items: tuple[Judged, ...], name: str) -> Judged:
    (found,) = (item for item in items if f"{item.template}.{item.item}" == name)
    return found


def test_every_form_for_the_call_is_filled_those_on_request_too(items: tuple[Judged, ...]) -> None:
    assert {item.template for item in items} == set(ITEM_TRUTH) - {"outbound_100"}


def test_a_level_that_the_labels_say_is_right(items: tuple[Judged, ...]) -> None:
    assert one(items, "inbound_100.standard_greeting").verity is Verity.RIGHT
    assert one(items, "inbound_100.anything_else").verity is Verity.RIGHT


def test_another_level_is_wrong() -> None:
    call = call_of(SAID)
    filled = Filled.of(call, run(call, RULESET), RULESET)
    found = judged("t1", FACTS | {"anything_else": 1}, filled)
    assert one(found, "inbound_100.anything_else").verity is Verity.WRONG


def test_what_no_label_says_is_not_judged(items: tuple[Judged, ...]) -> None:
    assert one(items, "four_dimensions.triple_confirmation").verity is Verity.UNJUDGED
    assert one(items, "satisfaction_5.first_response").verity is Verity.UNJUDGED


def test_an_item_that_neither_side_asks_for_is_no_success(items: tuple[Judged, ...]) -> None:
    hold = one(items, "inbound_100.hold_music")
    assert hold.verity is Verity.NEITHER
    assert share([hold]) == Share(right=0, n=0)


def test_a_decision_rests_on_what_was_heard_or_not_or_measured(items: tuple[Judged, ...]) -> None:
    assert one(items, "inbound_100.thanks").basis is Basis.HEARD
    assert one(items, "inbound_100.anything_else").basis is Basis.UNHEARD
    assert one(items, "four_dimensions.pace").basis is Basis.MEASURED


def test_what_rests_on_the_same_findings_counts_once(items: tuple[Judged, ...]) -> None:
    ending = [one(items, f"{form}") for form in ("four_areas.closing", "percent_100.farewell")]
    assert len({frozenset(item.findings) for item in ending}) == 1
    assert len(list(decisions(ending))) == 1
    assert len(list(decisions([ending[0], replace(ending[1], verity=Verity.WRONG)]))) == 2


def test_cards_are_told_apart_by_form_and_call(items: tuple[Judged, ...]) -> None:
    twice = [*items, *(replace(item, call="t2") for item in items)]
    assert len(cards(twice)) == 2 * len({item.template for item in items})


def test_the_tables_count_every_item_once_by_form(items: tuple[Judged, ...]) -> None:
    agreement, reliability, accepted, wrong = item_sheets(items)
    form = next(row for row in agreement.rows if row[0] == "【inbound_100】")
    own = [item for item in items if item.template == "inbound_100"]
    assert form[1] == str(len(own))
    assert sum(map(int, form[2:7])) == len(own)
    total = share(decisions(items))
    assert reliability.rows[-1][-1] == f"{total.right}/{total.n}"
    assert accepted.rows[-1][0] == "评分表：全部自动项"
    assert len(wrong.rows) == sum(item.verity is Verity.WRONG for item in items)


def test_nothing_judged_gives_no_table() -> None:
    assert item_sheets([]) == ()


def test_the_truth_of_every_item_is_printed() -> None:
    assert len(truth_sheet().rows) == sum(map(len, ITEM_TRUTH.values()))


def test_a_page_tells_agreement_and_how_it_was_judged() -> None:
    accuracy = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert "## 自动项与标注一致" in accuracy
    assert f"## {truth_sheet().title}" in accuracy
