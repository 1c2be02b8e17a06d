from dataclasses import replace
from pathlib import Path

from night_help import MADE_BY, NOON

from pipeline.detect import engine
from pipeline.detect.archive.sweep import shows_something
from pipeline.detect.load import parse_ruleset
from pipeline.detect.scene import Thresholds
from pipeline.detect.script import call_of
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.storage.mapping import storable
from pipeline.storage.store import Store
from pipeline.timeline import Call, Recording
from pipeline.workflows.archive import Looked, findings_over, make_compact, sweep_archive
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import judge
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


def filled(path: Path, ruleset: RuleSet, *, compact: bool = True) -> Store:
    store = Store.open(f"sqlite:///{path}/calls.db")
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


def test_a_sweep_finds_what_the_engine_finds_call_by_call(tmp_path: Path) -> None:
    for files in (RULES, {"a/one.yml": RULES["a/one.yml"]}):
        ruleset = parse_ruleset(files)
        with filled(tmp_path, ruleset) as store:
            swept = {s.recording.id: list(s.findings) for s in findings_over(store, looked(ruleset))}
        assert swept == by_engine(ruleset)


def test_calls_that_are_not_laid_out_yet_are_when_a_sweep_needs_them(tmp_path: Path) -> None:
    ruleset = parse_ruleset(RULES)
    with filled(tmp_path, ruleset, compact=False) as store:
        swept = {s.recording.id: list(s.findings) for s in findings_over(store, looked(ruleset))}
        assert swept == by_engine(ruleset)
        assert make_compact(store) == 0


def test_a_kept_sweep_holds_each_finding_once_in_the_order_of_the_archive(tmp_path: Path) -> None:
    ruleset, seen = parse_ruleset(RULES), list[int]()
    with filled(tmp_path, ruleset) as store:
        summary = sweep_archive(store, looked(ruleset), at=NOON, watch=seen.append)
        kept = store.swept(summary.sweep_id)
    whole = [f for findings in by_engine(ruleset).values() for f in findings]
    assert [f.finding_id for f in kept] == [f.id for f in whole]  # type: ignore[attr-defined]
    assert (summary.calls, summary.found, seen) == (len(SAID), len(whole), [len(SAID)])


def test_rescoring_all_adds_the_bytes_that_rescoring_one_adds(tmp_path: Path) -> None:
    ruleset = parse_ruleset(RULES)
    with filled(tmp_path, ruleset) as store:
        scorer = Scorer(store=store, ruleset=ruleset, understanding=Understanding(Settings()))
        assert rescore_all(scorer, at=NOON).calls == len(SAID)
        for number in range(len(SAID)):
            before = store.latest(f"{number:016x}")
            assert before.reason == "rescore all"
            assert len(store.history(before.recording.id)) == 2
            card = store.save_rescore(scorer.scored(before.call), at=NOON, reason="rescore")
            assert store.scoring(card).body_sha256 == before.body_sha256
