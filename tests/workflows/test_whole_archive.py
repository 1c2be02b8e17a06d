import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from night_help import MADE_BY, NOON

from pipeline.detect import engine
from pipeline.detect.archive import ready
from pipeline.detect.archive.compact import Unpacked
from pipeline.detect.archive.sweep import Places, Sweep, shows_something
from pipeline.detect.load import parse_ruleset
from pipeline.detect.scene import Thresholds
from pipeline.detect.script import call_of
from pipeline.findings import Finding
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.storage.mapping import storable
from pipeline.storage.store import Store
from pipeline.timeline import Call, Recording
from pipeline.workflows import archive
from pipeline.workflows.archive import Looked, findings_over, make_compact, sweep_archive
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import BY_RULE, judge
from pipeline.workflows.rescore import Scorer, rescore_all

SAID = (
    "坐席 1.0 这个不归我们管。\n客户 4.0 那归谁管？",
    "坐席 1.0 您好。\n客户 3.0 不归我们管。",
    "坐席 1.0 这事不龟我们馆，您问别人。\n坐席 20.0 真的不归我们管。",
    "客户 1.0 喂？\n坐席 2.0 您好，请讲。",
)
RULES = {
    "a/one.yml": "id: a.one\ntitle: 推诿\nlabel: forbidden\nwhy: w\ndetector: phrase\nrole: agent\n"
    "phrases: [不归我们管]\n",
    "a/two.yml": "id: a.two\ntitle: 先开口\nlabel: customer_first\nwhy: w\n"
    "detector: speaks_first\nrole: customer\n",
}


def a_call(number: int) -> Call:
    call = call_of(SAID[number])
    name = f"{number:016x}"
    about: Recording = replace(call.recording, id=name, sha256=name * 4, call_id=f"c{number}")
    return Call(recording=about, transcript=storable(replace(call.transcript, provenance=MADE_BY)))


def filled(url: str, ruleset: RuleSet, *, compact: bool = True) -> Store:
    store = Store.open(url)
    for number in range(len(SAID)):
        call = a_call(number)
        scored = judge(call, ruleset, Settings())
        store.save_night_result(
            scored if compact else replace(scored, compact=None), at=NOON, reason="nightly"
        )
    return store


def looked(ruleset: RuleSet) -> Looked:
    return Looked(ruleset=ruleset, thresholds=Thresholds())


def by_engine(ruleset: RuleSet) -> dict[str, list[object]]:
    calls = [a_call(number) for number in range(len(SAID))]
    found = {c.recording.id: [f for f in engine.run(c, ruleset) if shows_something(f)] for c in calls}
    return {name: findings for name, findings in found.items() if findings}


def test_a_sweep_finds_what_the_engine_finds_call_by_call(url: str) -> None:
    for files in (RULES, {"a/one.yml": RULES["a/one.yml"]}):
        ruleset = parse_ruleset(files)
        with filled(url, ruleset) as store:
            swept = {s.recording.id: list(s.findings) for s in findings_over(store, looked(ruleset))}
        assert swept == by_engine(ruleset)


def test_calls_that_are_not_laid_out_yet_are_when_a_sweep_needs_them(url: str) -> None:
    ruleset = parse_ruleset(RULES)
    with filled(url, ruleset, compact=False) as store:
        swept = {s.recording.id: list(s.findings) for s in findings_over(store, looked(ruleset))}
        assert swept == by_engine(ruleset)
        assert make_compact(store) == 0


def test_a_kept_sweep_holds_each_finding_once_in_the_order_of_the_archive(url: str) -> None:
    ruleset, seen = parse_ruleset(RULES), list[int]()
    with filled(url, ruleset) as store:
        summary = sweep_archive(store, looked(ruleset), at=NOON, watch=seen.append)
        kept = store.swept(summary.sweep_id)
    whole = [f for findings in by_engine(ruleset).values() for f in findings]
    assert [f.finding_id for f in kept] == [f.id for f in whole]  # type: ignore[attr-defined]
    assert (summary.calls, summary.found, seen) == (len(SAID), len(whole), [len(SAID)])


def test_rescoring_all_adds_the_bytes_that_rescoring_one_adds(url: str) -> None:
    ruleset = parse_ruleset(RULES)
    with filled(url, ruleset) as store:
        scorer = Scorer(store=store, ruleset=ruleset, understanding=Understanding(Settings()))
        assert rescore_all(scorer, at=NOON).calls == len(SAID)
        for number in range(len(SAID)):
            before = store.latest(f"{number:016x}")
            assert before.reason == "rescore all"
            assert len(store.history(before.recording.id)) == 2
            added = scorer.add(before.recording.id, scorer.again(BY_RULE, "rescore"), at=NOON)
            assert store.scoring(added.scorecard_id).body_sha256 == before.body_sha256


HOME = os.getpid()


class Deadly(Sweep):
    """Ends every process but this one."""

    def candidates(self, texts: Sequence[bytes]) -> dict[int, Places]:
        if os.getpid() != HOME:
            os._exit(1)
        return super().candidates(texts)


class Remote(Sweep):
    """Judges in other processes only."""

    def judge(self, recording: Recording, stored: Unpacked, places: Places) -> list[Finding]:
        assert os.getpid() != HOME
        return super().judge(recording, stored, places)


def test_calls_are_judged_in_other_processes(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BLOCK", 1)
    monkeypatch.setattr(archive, "Sweep", Remote)
    ruleset = parse_ruleset({"a/one.yml": RULES["a/one.yml"]})
    with filled(url, ruleset) as store:
        found = {s.recording.id: list(s.findings) for s in findings_over(store, looked(ruleset), processes=2)}
    assert found == by_engine(ruleset)


@pytest.mark.parametrize(
    ("kind", "processes"), [("sqlite", 1), ("sqlite", 2), ("sqlite", 3), ("postgresql", 3)]
)
@pytest.mark.parametrize("wanted", [("a/one.yml",), ("a/one.yml", "a/two.yml")])
def test_any_number_of_processes_finds_the_same_in_the_same_order(
    url: str, monkeypatch: pytest.MonkeyPatch, processes: int, wanted: tuple[str, ...]
) -> None:
    monkeypatch.setattr(archive, "BLOCK", 1)
    ruleset, seen = parse_ruleset({name: RULES[name] for name in wanted}), list[int]()
    with filled(url, ruleset) as store:
        found = list(findings_over(store, looked(ruleset), seen.append, processes=processes))
    assert [(s.recording.id, list(s.findings)) for s in found] == list(by_engine(ruleset).items())
    assert seen == [1, 2, 3, 4]


def test_findings_of_a_process_that_dies_are_not_lost(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BLOCK", 1)
    monkeypatch.setattr(archive, "Sweep", Deadly)
    ruleset = parse_ruleset({"a/one.yml": RULES["a/one.yml"]})
    with filled(url, ruleset) as store:
        found = {s.recording.id: list(s.findings) for s in findings_over(store, looked(ruleset), processes=2)}
    assert found == by_engine(ruleset)


def test_a_database_in_memory_is_swept_by_the_process_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BLOCK", 1)
    monkeypatch.setattr(archive, "Sweep", Deadly)
    ruleset = parse_ruleset({"a/one.yml": RULES["a/one.yml"]})
    with Store.open("sqlite://") as store:
        for number in range(len(SAID)):
            store.save_night_result(judge(a_call(number), ruleset, Settings()), at=NOON, reason="nightly")
        found = list(findings_over(store, looked(ruleset), processes=2))
        assert {s.recording.id: list(s.findings) for s in found} == by_engine(ruleset)


def test_a_sweep_uses_what_another_one_made_ready(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruleset = parse_ruleset(RULES)
    kept = replace(looked(ruleset), cache=tmp_path / "cache")
    with filled(url, ruleset) as store:
        first = list(findings_over(store, kept))
        monkeypatch.setattr(ready, "_made", None)
        assert list(findings_over(store, kept)) == first
