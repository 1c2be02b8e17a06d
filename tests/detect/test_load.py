from decimal import Decimal
from pathlib import Path

import pytest
from calls import rule_text

from pipeline.detect.load import load_ruleset, parse_ruleset
from pipeline.errors import NotFound, RuleError
from pipeline.ruleset import Severity, Status
from pipeline.template import Fill
from pipeline.timeline import Direction

GOOD = rule_text("a.rule", "phrases:\n  - 不归我们管")

TEMPLATE = """id: form
title: 表
version: 2
applies: {direction: inbound}
sections:
  - title: 开始
    items:
      - id: greeting
        title: 问候
        points: 2.5
        fill: auto
        levels:
          - {title: 好, points: 2.5, text: 有问候, when: {all: [{present: a.rule}]}}
          - {title: 差, points: 0, text: 没有问候, when: {absent: a.rule}}
"""


def faults(text: str, path: str = "a/rule.yml", **others: str) -> list[str]:
    with pytest.raises(RuleError) as error:
        parse_ruleset({path: text, **others})
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    ("found", "written", "expected"),
    [
        ("phrases:", "phrase:", "a/rule.yml:7:1: found key `phrase`, expected one of anchor, "),
        ("phrases:", "phrase:", "did you mean `phrases`?"),
        ("detector: phrase", "detector: phrse", "a/rule.yml:5:11: found 'phrse', expected one of all, any, "),
        (
            "role: agent",
            "role: agnet",
            "6:7: found 'agnet', expected one of agent, any, customer; did you mean",
        ),
        ("不归我们管", "12345", "a/rule.yml:8:5: found 12345 (a number), expected text; put it in quotes"),
        ("不归我们管", "你找[别的部门", "a/rule.yml:8:7: found '[' that is never closed by ']'"),
        ("不归我们管", '"工号{nubmer}"', "a/rule.yml:8:8: found slot '{nubmer}', expected {amount}"),
        ("不归我们管", "[先|得]你自己去", "8:5: found a text that begins with [ or {, expected quotes"),
        ("不归我们管", "像{phrase}这种", "8:6: found {phrase}, which only `except` may use"),
        ("\n  - 不归我们管", " 不归我们管", "7:10: found '不归我们管', expected a list"),
        ("id: a.rule\n", "", "found no `id`, expected `id:` here"),
        ("id: a.rule", "id: A", "a/rule.yml:1:5: found 'A', expected small letters as in `area.name`"),
        ("why: 因为", "title: 又", "a/rule.yml:4:1: found key `title` a second time, expected each key once"),
        ("why: 因为", "\twhy: 因为", "a/rule.yml:4:1: found a tab, expected spaces"),
        (
            "role: agent",
            "role: agent\nguards: [nobody]",
            "7:10: found guard `nobody`, expected the id of a guard",
        ),
        (
            "role: agent",
            "window: {first_second: 3}",
            "found key `first_second`, expected one of after, before, first_percent",
        ),
        ("role: agent", "cases: [{}]", "6:9: found neither `hit` nor `miss`, expected one of them"),
    ],
)
def test_every_mistake_is_told_with_its_place(found: str, written: str, expected: str) -> None:
    told = faults(GOOD.replace(found, written))
    assert any(expected in line for line in told), told


def test_an_empty_file_and_a_second_id_are_faults() -> None:
    assert faults("")[0] == "a/rule.yml:1:1: found an empty file, expected `id:` and the other keys"
    (second,) = faults(GOOD, **{"b/same.yml": GOOD})
    assert second == "b/same.yml:1:5: found id `a.rule`, which a/rule.yml:1:5 has too, expected each id once"


def test_a_rule_that_does_not_exist_cannot_be_named() -> None:
    response = rule_text("a.missing", "after: a.rul\nexpect: a.rule", "response")
    (fault,) = faults(response, **{"a/good.yml": GOOD})
    assert fault == "a/rule.yml:7:8: found rule `a.rul`, expected the id of a rule; did you mean `a.rule`?"


def test_all_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(GOOD.replace("agent", "agnet"), encoding="utf-8")
    (tmp_path / "two.yml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(RuleError) as error:
        load_ruleset(tmp_path)
    first, second = str(error.value).splitlines()
    assert first.startswith("one.yml:6:7: found 'agnet', expected one of")
    assert second.startswith("two.yml:2:8: found text in GBK/GB18030, expected UTF-8")


def test_a_missing_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_ruleset(tmp_path / "nowhere")


def test_a_rule_keeps_what_its_file_says() -> None:
    text = (
        GOOD
        + "severity: fatal\nstatus: draft\ncategory: x\napplies: {direction: outbound, business: [银行]}\n"
    )
    (rule,) = parse_ruleset({"a/rule.yml": text}).rules
    assert (rule.severity, rule.status, rule.category) == (Severity.FATAL, Status.DRAFT, "x")
    assert rule.applies.directions == (Direction.OUTBOUND,)
    assert rule.applies.businesses == ("银行",)
    assert str(rule.source) == "a/rule.yml:1:5"


def test_stored_texts_give_the_same_rule_set_as_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "rule.yml").write_text(GOOD, encoding="utf-8")
    loaded = load_ruleset(tmp_path)
    again = parse_ruleset(loaded.files)
    assert again.digest == loaded.digest
    assert [rule.digest for rule in again.rules] == [rule.digest for rule in loaded.rules]
    assert parse_ruleset({"a/rule.yml": GOOD + "# more\n"}).digest != loaded.digest


def test_a_scorecard_becomes_a_template() -> None:
    ruleset = parse_ruleset({"a/rule.yml": GOOD, "scorecards/form.yml": TEMPLATE})
    (template,) = ruleset.templates
    (item,) = template.items
    assert (template.version, item.section, item.points, item.fill) == (2, "开始", Decimal("2.5"), Fill.AUTO)
    assert item.evidence_rules() == ("a.rule",)
    assert [level.when.kind for level in item.levels if level.when] == ["all", "absent"]


@pytest.mark.parametrize(
    ("found", "written", "expected"),
    [
        ("{present: a.rule}", "{presnt: a.rule}", "13:70: found `presnt: a.rule`, expected `always`"),
        (
            "{absent: a.rule}",
            "{absent: a.rul}",
            "14:62: found rule `a.rul`, expected the id of a rule; did you",
        ),
        ("fill: auto", "fill: car", "found 'car', expected one of assist, auto, manual"),
        ("        fill: auto", "        fil: auto", "11:9: found key `fil`, expected one of"),
    ],
)
def test_a_mistake_in_a_scorecard_is_told_with_its_place(found: str, written: str, expected: str) -> None:
    told = faults(TEMPLATE.replace(found, written), "scorecards/form.yml", **{"a/good.yml": GOOD})
    assert any(expected in line for line in told), told
