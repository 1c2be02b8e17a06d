from datetime import timedelta
from pathlib import Path

import pytest
from tuning_help import NOON, SETTINGS, decide, shipped_like

from pipeline.detect.load import load_ruleset
from pipeline.detect.script import call_of
from pipeline.scoring.intervals import Share
from pipeline.storage.mapping import storable
from pipeline.storage.store import Store
from pipeline.workflows.process_call import judge
from pipeline.workflows.rulebook.health import Health, Trend, healths

RULE = "forbidden.shirking"


def share(right: int, n: int) -> Share:
    return Share(right=right, n=n)


@pytest.mark.parametrize(
    ("before", "lately", "trend"),
    [
        (share(2, 100), share(20, 100), Trend.UP),
        (share(20, 100), share(2, 100), Trend.DOWN),
        (share(10, 100), share(12, 100), Trend.LEVEL),
        (share(0, 0), share(12, 100), Trend.UNKNOWN),
        (share(12, 100), share(0, 0), Trend.UNKNOWN),
    ],
)
def test_a_trend_is_told_only_where_the_intervals_part(before: Share, lately: Share, trend: Trend) -> None:
    assert Health(before=before, lately=lately).trend is trend


def test_hits_are_counted_by_findings_and_by_calls(tmp_path: Path) -> None:
    _, store = shipped_like(
        tmp_path, {"a": "坐席 1.0 不归我们管。\n坐席 9.0 不归我们管。", "b": "坐席 1.0 好。"}
    )
    found = healths(store).of(RULE)
    assert (found.findings, found.calls, found.lately) == (2, 1, share(1, 2))
    store.close()


def test_the_weeks_end_with_the_archive_not_today(tmp_path: Path) -> None:
    _, store = shipped_like(tmp_path)
    weeks = healths(store).weeks
    assert weeks
    assert weeks.until - NOON < timedelta(hours=1)
    store.close()


def test_precision_is_what_inspectors_said_of_present_findings(tmp_path: Path) -> None:
    _, store = shipped_like(tmp_path)
    decide(store, "c1", RULE, right=True)
    decide(store, "c2", RULE, right=False)
    decide(store, "c5", RULE, right=True)  # nothing was found there: says nothing of precision
    assert healths(store).of(RULE).precision == share(1, 2)
    store.close()


def test_hits_are_counted_anew_after_a_call_was_scored(tmp_path: Path) -> None:
    rules, store = shipped_like(tmp_path)
    before = healths(store).of(RULE).calls
    score_one_more(store, rules)
    assert healths(store).of(RULE).calls == before + 1
    store.close()


def score_one_more(store: Store, rules: Path) -> None:
    from dataclasses import replace

    call = call_of("坐席 1.0 不归我们管。")
    about = replace(call.recording, id="f" * 16, sha256="f" * 64, call_id="new", started_at=NOON)
    call = replace(call, recording=about, transcript=storable(call.transcript))
    store.save_night_result(judge(call, load_ruleset(rules), SETTINGS), at=NOON, reason="nightly")


def test_rules_that_found_nothing_have_no_figures(tmp_path: Path) -> None:
    _, store = shipped_like(tmp_path)
    assert healths(store).of("no.such") == Health()
    store.close()
