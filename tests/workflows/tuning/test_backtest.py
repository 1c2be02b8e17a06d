"""`rules backtest`: today's rules against inspectors and labels."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_rules import SHIRKING
from tuning_help import decide, rules_folder, shipped_like

from pipeline.detect.load import load_ruleset, parse_ruleset
from pipeline.detect.scene import Thresholds
from pipeline.errors import NotFound
from pipeline.storage.store import Store
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.backtest import Backtest, Backtesting, Draw, RuleBacktest, backtest_store

RULE = "forbidden.shirking"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, Store]]:
    rules, store = shipped_like(tmp_path)
    with store:
        yield rules, store


def result_of(folder: tuple[Path, Store], order: Backtesting) -> Backtest:
    return backtest_store(order, load_ruleset(folder[0]), Archive(store=folder[1], thresholds=Thresholds()))


def shirking(folder: tuple[Path, Store], draw: Draw = Draw()) -> RuleBacktest:  # noqa: B008
    return result_of(folder, Backtesting(rules=(RULE,), draw=draw)).tests[0]


def test_precision_counts_what_inspectors_decided(folder: tuple[Path, Store]) -> None:
    assert shirking(folder).precision.value is None
    decide(folder[1], "c1", RULE, right=True)
    decide(folder[1], "c2", RULE, right=False)
    found = shirking(folder)
    assert (found.confirmed, found.rejected, found.undecided) == (1, 1, 0)
    assert (found.precision.value, found.precision.n) == (0.5, 2)


def test_the_newest_decision_counts(folder: tuple[Path, Store]) -> None:
    decide(folder[1], "c1", RULE, right=True, minute=5)
    decide(folder[1], "c1", RULE, right=False, minute=1)
    assert shirking(folder).confirmed == 1
    decide(folder[1], "c1", RULE, right=False, minute=9)
    assert shirking(folder).rejected == 1


def test_a_decision_survives_another_wording_at_the_same_place(folder: tuple[Path, Store]) -> None:
    decide(folder[1], "c1", RULE, right=True)
    rules_folder(folder[0], shirking=SHIRKING.replace("- 不归我们管", "- 这个不归我们管"))
    found = shirking(folder)
    assert (found.confirmed, found.lost) == (1, 0)


def test_what_the_rules_no_longer_find_is_told(folder: tuple[Path, Store]) -> None:
    decide(folder[1], "c1", RULE, right=True)
    decide(folder[1], "c2", RULE, right=False)
    rules_folder(folder[0], shirking=SHIRKING.replace("- 不归我们管", "- 跟我们没关系"))
    found = shirking(folder)
    assert (found.lost, found.dropped, found.undecided) == (1, 1, 1)


def test_no_recall_is_claimed_before_somebody_listened_to_calls_without_findings(
    folder: tuple[Path, Store],
) -> None:
    decide(folder[1], "c1", RULE, right=True)
    assert shirking(folder).recall is None
    decide(folder[1], "c3", RULE, right=True)
    found = shirking(folder)
    assert (found.listened, found.missed) == (1, 0)
    assert found.recall is not None
    assert found.recall.value == 1.0
    assert found.recall.low < 0.6


def test_a_miss_that_was_heard_lowers_the_recall(folder: tuple[Path, Store]) -> None:
    decide(folder[1], "c1", RULE, right=True)
    decide(folder[1], "c2", RULE, right=True)
    decide(folder[1], "c3", RULE, right=True)
    decide(folder[1], "c4", RULE, right=False)
    found = shirking(folder)
    assert (found.calls_with, found.calls_without, found.listened, found.missed) == (2, 3, 2, 1)
    assert found.recall is not None
    assert found.recall.value == pytest.approx(2 / (2 + 3 * 0.5))
    rules_folder(folder[0], shirking=SHIRKING.replace("- 不归我们管", "- 不归我们管\n  - 跟我们没关系"))
    assert shirking(folder).recovered == 1


def test_the_sample_is_the_same_for_the_same_seed_and_leaves_out_what_was_listened_to(
    folder: tuple[Path, Store],
) -> None:
    def drawn(seed: int, size: int = 2) -> list[str]:
        return [recording.name for recording in shirking(folder, Draw(size=size, seed=seed)).drawn]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(20)}) == 3
    assert drawn(0, 9) == ["c3", "c4", "c5"]
    decide(folder[1], "c4", RULE, right=True)
    assert drawn(0, 9) == ["c3", "c5"]


def test_the_number_of_calls_to_listen_to_is_what_the_claim_needs() -> None:
    rule = parse_ruleset({"a/shirking.yml": SHIRKING}).rules[0]
    test = RuleBacktest(rule=rule, calls_with=50, calls_without=1000, confirmed=50)
    listened = RuleBacktest(
        rule=rule, calls_with=50, calls_without=1000, confirmed=50, listened=test.to_listen
    )
    assert 0 < test.to_listen < 1000
    assert listened.recall is not None
    assert 50 / (50 + 1000 * listened.misses.interval[1]) == pytest.approx(0.8, abs=0.005)
    assert RuleBacktest(rule=rule, calls_with=1, calls_without=20, confirmed=1).to_listen == 20


def test_an_unknown_rule_is_told_with_the_nearest(folder: tuple[Path, Store]) -> None:
    with pytest.raises(NotFound, match=r"最像的是 forbidden\.shirking"):
        result_of(folder, Backtesting(rules=("forbidden.shirkin",)))


def labelled(folder: Path) -> Path:
    """c1 and c4 shirk, c2 does not; c9 was never recorded."""
    (folder / "truth").mkdir(parents=True)
    events = {
        "c1": [{"label": "forbidden", "category": "shirking", "start": 5.0, "end": 6.7, "text": "x"}],
        "c2": [],
        "c4": [{"label": "forbidden", "category": "shirking", "start": 3.0, "end": 5.0, "text": "x"}],
        "c9": [],
    }
    for name, listed in events.items():
        truth = {
            "id": name,
            "metadata": {"channels": "mono", "format": {"codec": "pcm"}},
            "checklist": {"greeting_start": 1.0, "thanks": name != "c1"},
            "turns": [{"start": 1.0, "end": 2.0, "role": "agent", "text": "您好"}],
            "events": listed,
        }
        (folder / f"truth/{name}.json").write_text(json.dumps(truth), encoding="utf-8")
    return folder


def test_labels_give_a_recall_because_everything_in_them_is_known(
    folder: tuple[Path, Store], tmp_path: Path
) -> None:
    found = result_of(folder, Backtesting(labels=labelled(tmp_path / "labels")))
    by_label = {test.label: test for test in found.labels}
    shirked = by_label["forbidden.shirking"]
    assert (shirked.recall.right, shirked.recall.n) == (1, 2)
    assert (shirked.precision.right, shirked.precision.n) == (1, 2)
    thanked = by_label["thanks"]
    assert (thanked.recall.value, thanked.recall.n, thanked.precision.value) == (1.0, 2, 1.0)
    assert found.unheard == ("c9",)


def test_of_a_label_with_several_rules_each_is_measured_alone(
    folder: tuple[Path, Store], tmp_path: Path
) -> None:
    other = SHIRKING.replace("forbidden.shirking", "forbidden.shirking_more").replace(
        "不归我们管", "跟我们没关系"
    )
    (folder[0] / "a/more.yml").write_text(other, encoding="utf-8")
    found = result_of(folder, Backtesting(labels=labelled(tmp_path / "labels")))
    shares = {
        test.rule.id if test.rule else "all": test.recall.value
        for test in found.labels
        if test.label == "forbidden.shirking"
    }
    assert shares == {"all": 1.0, "forbidden.shirking": 0.5, "forbidden.shirking_more": 0.5}


def test_a_draft_is_measured_alone_and_left_out_of_the_whole(
    folder: tuple[Path, Store], tmp_path: Path
) -> None:
    other = SHIRKING.replace("forbidden.shirking", "forbidden.shirking_more").replace(
        "不归我们管", "跟我们没关系"
    )
    (folder[0] / "a/more.yml").write_text(f"{other}status: draft\n", encoding="utf-8")
    found = result_of(folder, Backtesting(labels=labelled(tmp_path / "labels")))
    shares = {
        test.rule.id if test.rule else "all": test.recall.value
        for test in found.labels
        if test.label == "forbidden.shirking"
    }
    assert shares == {"all": 0.5, "forbidden.shirking": 0.5, "forbidden.shirking_more": 0.5}
