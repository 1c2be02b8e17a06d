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
        ("phrases:", "phrase:", "a/rule.yml:7:1: 发现键 `phrase`，应为 anchor、"),
        ("phrases:", "phrase:", "；是不是想写 `phrases`？"),
        ("detector: phrase", "detector: phrse", "a/rule.yml:5:11: 发现“phrse”，应为 all、any、"),
        (
            "role: agent",
            "role: agnet",
            "6:7: 发现“agnet”，应为 agent、customer、any 之一；是不是想写",
        ),
        ("不归我们管", "12345", "a/rule.yml:8:5: 发现 12345（数字），应为文字；用引号括起来"),
        ("不归我们管", "你找[别的部门", "a/rule.yml:8:7: 发现“[”没有“]”配对"),
        ("不归我们管", '"工号{nubmer}"', "a/rule.yml:8:8: 发现“{nubmer}”，应为 {amount}"),
        ("不归我们管", "[先|得]你自己去", "8:5: 发现以 [ 或 { 开头的文字，应为引号里的文字"),
        ("不归我们管", "像{phrase}这种", "8:6: 发现 {phrase}，应为普通的说法；{phrase} 只能写在 `except` 里"),
        ("\n  - 不归我们管", " 不归我们管", "7:10: 发现“不归我们管”，应为列表"),
        ("id: a.rule\n", "", "发现少了 `id`，应为必写的键；在这里补上 `id:`"),
        ("id: a.rule", "id: A", "a/rule.yml:1:5: 发现“A”，应为小写字母、数字、下划线，如 `area.name`"),
        ("why: 因为", "title: 又", "a/rule.yml:4:1: 发现键 `title` 写了第二遍，应为每个键只写一次"),
        ("why: 因为", "\twhy: 因为", "a/rule.yml:4:1: 发现制表符，应为空格"),
        (
            "role: agent",
            "role: agent\nguards: [nobody]",
            "7:10: 发现共用例外 `nobody` 不存在，应为已有共用例外的 id",
        ),
        ("title: 标题", "title: 标题\nguards: [a，b]", "应为已有共用例外的 id；逗号要用半角的"),
        (
            "role: agent",
            "window: {first_second: 3}",
            "发现键 `first_second`，应为 after、before、first_percent",
        ),
        ("role: agent", "cases: [{}]", "6:9: 发现 `hit` 和 `miss` 都没有，应为二者之一"),
    ],
)
def test_every_mistake_is_told_with_its_place(found: str, written: str, expected: str) -> None:
    told = faults(GOOD.replace(found, written))
    assert any(expected in line for line in told), told


def test_an_empty_file_and_a_second_id_are_faults() -> None:
    assert faults("")[0] == "a/rule.yml:1:1: 发现空的文件，应为 `id:` 等键；照同一文件夹里别的文件写"
    (second,) = faults(GOOD, **{"b/same.yml": GOOD})
    assert second == "b/same.yml:1:5: 发现 id `a.rule` 在 a/rule.yml:1:5 也有，应为不重复的 id；改掉一个"


def test_a_rule_that_does_not_exist_cannot_be_named() -> None:
    response = rule_text("a.missing", "after: a.rul\nexpect: a.rule", "response")
    (fault,) = faults(response, **{"a/good.yml": GOOD})
    assert fault == "a/rule.yml:7:8: 发现规则 `a.rul` 不存在，应为已有规则的 id；是不是想写 `a.rule`？"


def test_all_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(GOOD.replace("agent", "agnet"), encoding="utf-8")
    (tmp_path / "two.yml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(RuleError) as error:
        load_ruleset(tmp_path)
    first, second = str(error.value).splitlines()
    assert first.startswith("one.yml:6:7: 发现“agnet”，应为 agent、")
    assert second.startswith("two.yml:2:8: 发现 GBK/GB18030 编码的文字，应为 UTF-8")


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
        ("{present: a.rule}", "{presnt: a.rule}", "13:70: 发现 `presnt:` 后面是“a.rule”，应为 `always`"),
        (
            "{absent: a.rule}",
            "{absent: a.rul}",
            "14:62: 发现规则 `a.rul` 不存在，应为已有规则的 id；是不是",
        ),
        ("fill: auto", "fill: car", "发现“car”，应为 auto、assist、manual 之一"),
        ("        fill: auto", "        fil: auto", "11:9: 发现键 `fil`，应为 accept_absent_from、"),
    ],
)
def test_a_mistake_in_a_scorecard_is_told_with_its_place(found: str, written: str, expected: str) -> None:
    told = faults(TEMPLATE.replace(found, written), "scorecards/form.yml", **{"a/good.yml": GOOD})
    assert any(expected in line for line in told), told
