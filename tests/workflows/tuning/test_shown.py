"""What rules say over the archive is what they say call by call."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tuning_help import CALLS, MEANT, Plain, archive, rules_folder

from pipeline.detect.load import load_ruleset
from pipeline.detect.scene import Thresholds
from pipeline.findings import Finding, Outcome
from pipeline.settings import Settings
from pipeline.workflows.tuning.archive import Archive

HEAD = "id: x.{name}\ntitle: x\nlabel: y\nwhy: z\nrole: agent\n"
MEANING = MEANT[MEANT.index("detector:") :].replace("role: agent\n", "").partition("cases:")[0]
RULES = {
    "words": "detector: phrase\nphrases: [不归我们管, 跟我们没关系]\n",
    "everything": "detector: phrase\nrequire: all\nphrases: [您好, 感谢您的来电]\n",
    "but_not": "detector: phrase\nphrases: [您好]\nnone_of: [感谢您的来电]\n",
    "unheard": "detector: phrase\nnone_of: [感谢您的来电]\n",
    "written": 'detector: phrase\nregex: ["快递.天到"]\n',
    "afterwards": "detector: phrase\nphrases: [感谢您的来电]\nwindow: {after: {rule: x.words, turns: 2}}\n",
    "cancelled": "detector: phrase\nphrases: [您好]\nexcept: [{rule: x.words, seconds: 60}]\n",
    "either": "detector: any\nrules: [x.words, closing.thanks]\n",
    "both": "detector: all\nrules: [x.words, x.meant]\n",
    "neither": "detector: none\nrules: [x.words, closing.thanks]\n",
    "answered": "detector: response\nafter: x.words\nexpect: closing.thanks\n",
    "ordered": "detector: sequence\nfirst: x.meant\nthen: closing.thanks\n",
    "first": "detector: first_word\n",
    "opening": "detector: phrase\nphrases: [您好, 不归我们管]\nwindow: {first_turns: 1}\n",
    "ending": "detector: phrase\nphrases: [感谢您的来电, 跟我们没关系]\nwindow: {last_turns: 1}\n",
    "silent": "detector: silence\nlonger_than_seconds: 10\n",
    "interrupting": "detector: interruption\nlonger_than_seconds: 1\n",
    "kept_waiting": "detector: hold\nlonger_than_seconds: 60\n",
    "leading": "detector: speaks_first\n",
    "meant": MEANING,
    "meant_besides": f"{MEANING}beside: x.words\n",
    "meant_at_first": f"{MEANING}window: {{first_turns: 1}}\n",
}
MORE = {
    "c6": "客户 1.0 这事不归我们管？\n坐席 3.0 跟我们没关系。\n坐席 9.0 感谢您的来电。",
    "c7": "坐席 1.0 这事您自己想想办法吧。\n客户 5.0 不归我们管。",
    "c8": "坐席 1.0 您找其他部门问问。\n坐席 6.0 感谢您的来电。",
    "c9": "客户 3.0 我这个月的账单怎么比上个月多了这么多钱啊我都没用\n坐席 6.0 这个不归我们管，您想办法。",
    "c10": "坐席 1.0 您好，请稍等。\n等待音乐 6.0 130.0\n坐席 150.0 不归我们管。\n客户 170.0 我来想办法。",
    "c12": "坐席 3.0 我看一下。\n客户 20.0 喂？还在吗？\n坐席 40.0 您好。",
    "c11": "客户 1.0 跟我们没关系？\n坐席 2.0 您好。\n坐席 9.0 你自己想想办法，跟我们没关系。",
}


def said(findings: Iterator[Finding]) -> list[tuple[object, ...]]:
    return sorted((f.rule_id, f.recording_id, f.span, f.confidence) for f in findings if _is_there(f))


def _is_there(finding: Finding) -> bool:
    return finding.outcome is Outcome.PRESENT


@pytest.mark.parametrize("confidence", [0.5, 0.3])
def test_findings_over_the_archive_are_those_of_every_single_call(tmp_path: Path, confidence: float) -> None:
    files = {name: HEAD.format(name=name) + text for name, text in RULES.items()}
    ruleset = load_ruleset(rules_folder(tmp_path / "rules", **files))
    understanding = Plain(Settings(cache=str(tmp_path / "cache")))
    with archive(tmp_path, ruleset, CALLS | MORE, understanding) as store:
        desk = Archive(
            store=store,
            thresholds=Thresholds(match_confidence=confidence),
            understanding=understanding,
        )
        taught = desk.taught(ruleset)
        shown = said(f for one in desk.shown(taught, taught.rules) for f in one.findings)
        whole = said(f for _, found in desk.judged(desk.newest(99), taught) for f in found)
    assert shown == whole
    assert {name for name, *_ in shown} >= {f"x.{name}" for name in RULES.keys() - {"cancelled", "both"}}


def test_calls_without_vectors_of_this_model_are_read_whole(tmp_path: Path) -> None:
    ruleset = load_ruleset(rules_folder(tmp_path / "rules", meant=MEANT))
    understanding = Plain(Settings(cache=str(tmp_path / "cache")))
    with archive(tmp_path, ruleset) as store:
        desk = Archive(store=store, thresholds=Thresholds(), understanding=understanding)
        taught = desk.taught(ruleset)
        rule = taught.rule("forbidden.shirking_meaning")
        assert rule is not None
        found = {s.recording.name for s in desk.shown(taught, [rule]) if any(map(_is_there, s.findings))}
    assert "c1" in found


def test_only_the_rule_that_is_tried_learns(tmp_path: Path) -> None:
    other = MEANT.replace("shirking_meaning", "other")
    ruleset = load_ruleset(rules_folder(tmp_path / "rules", meant=MEANT, other=other))
    understanding = Plain(Settings(cache=str(tmp_path / "cache")))
    one = understanding.taught(ruleset, {"forbidden.other"}).meaning
    whole = understanding.taught(ruleset).meaning
    assert one is not None
    assert whole is not None
    assert set(one.heads) == {"forbidden.other"}
    assert one.heads["forbidden.other"] == whole.heads["forbidden.other"]
    assert understanding.taught(ruleset, {"closing.thanks"}).meaning is None
