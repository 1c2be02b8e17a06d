"""Rule files as people break them: each mistake is told with its place, what was found, what was expected."""

import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from calls import rule_text

from pipeline.detect.lint import lint
from pipeline.detect.load import parse_ruleset
from pipeline.detect.plain_yaml import MOST_BYTES, MOST_LEVELS
from pipeline.errors import RuleError

GOOD = (
    rule_text("a.rule", "phrases:\n  - 不归我们管\n  - 你找别人去\nmatch: sound")
    + """severity: major
window: {first_turns: 3}
applies: {direction: inbound}
cases:
  - hit: "坐席 3.0 不归我们管。"
  - miss: "坐席 3.0 您好。"
"""
)
BILLION_LAUGHS = "a: &a [哈]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


TOLD = re.compile(r"a/rule\.yml:[0-9]+:[0-9]+: 发现.*，应为")
QUOTED = re.compile("`[^`]*`|“[^”]*”")
ENGLISH = re.compile("[A-Za-z]{2,} [A-Za-z]{2,}")


class Broken(NamedTuple):
    """What is replaced in GOOD (nothing: the whole file), by what, and what must be told."""

    found: str
    written: str
    told: str


BROKEN = {
    "a key with a near name": Broken("match: sound", "mach: sound", "10:1: 发现键 `mach`，应为 anchor、"),
    "the near name itself": Broken("match: sound", "mach: sound", "；是不是想写 `match`？"),
    "a key that nothing resembles": Broken(
        "match: sound", "farbe: rot", "10:1: 发现键 `farbe`，应为 anchor、"
    ),
    "a detector's key misspelled": Broken(
        "detector: phrase", "detecter: phrase", "5:1: 发现键 `detecter`，应为 applies、"
    ),
    "and what is missing for it": Broken(
        "detector: phrase",
        "detecter: phrase",
        "1:1: 发现少了 `detector`，应为必写的键；在这里补上 `detector:`",
    ),
    "a detector that there is not": Broken(
        "detector: phrase", "detector: phrases", "5:11: 发现“phrases”，应为 all、any、"
    ),
    "the detector that was meant": Broken("detector: phrase", "detector: phrases", "；是不是想写 `phrase`？"),
    "a wrong choice": Broken(
        "severity: major",
        "severity: mayor",
        "11:11: 发现“mayor”，应为 minor、major、fatal 之一；是不是想写 `major`？",
    ),
    "a choice that is a number": Broken(
        "severity: major", "severity: 2", "11:11: 发现 2（数字），应为 minor、major、fatal 之一"
    ),
    "a missing key": Broken("why: 因为\n", "", "1:1: 发现少了 `why`，应为必写的键；在这里补上 `why:`"),
    "an empty value": Broken("why: 因为", "why:", "4:1: 发现空的 `why`，应为文字"),
    "an empty text": Broken("why: 因为", 'why: ""', "4:6: 发现空的 `why`，应为文字"),
    "a number where words belong": Broken(
        "- 不归我们管", "- 10086", "8:5: 发现 10086（数字），应为文字；用引号括起来"
    ),
    "a list where a text belongs": Broken(
        "title: 标题", "title: [标题]", "2:8: 发现列表，应为文字；用引号括起来"
    ),
    "a text where a list belongs": Broken(
        "\n  - 不归我们管\n  - 你找别人去",
        " 不归我们管",
        "7:10: 发现“不归我们管”，应为列表；每项前面写 `- `",
    ),
    "no phrases": Broken(
        "\n  - 不归我们管\n  - 你找别人去",
        " []",
        "7:10: 发现空的 `phrases`，应为至少一项",
    ),
    "an empty entry": Broken("- 不归我们管", "-", "8:4: 发现空的一项，应为文字"),
    "keys where a text belongs": Broken(
        "- 不归我们管", "- 不归: 我们管", "8:5: 发现键 `不归`，应为文字；用引号括起来"
    ),
    "a bracket that is not closed": Broken(
        "- 不归我们管", "- 不归[我们|咱们管", "8:7: 发现“[”没有“]”配对，应为成对的括号"
    ),
    "a bracket that is not opened": Broken(
        "- 不归我们管", "- 不归我们)管", "8:9: 发现“)”前面没有另一半，应为成对的括号"
    ),
    "an empty choice": Broken(
        "- 不归我们管", "- 不归(我们|)管", "8:7: 发现空的选项，应为括号里、每个 | 两边都有字"
    ),
    "a gap at the start": Broken(
        "- 不归我们管", "- …不归我们管", "8:5: 发现间隔 … 写在开头或末尾，应为两边都有字"
    ),
    "a gap at the end": Broken(
        "- 不归我们管", "- 不归我们管…", "8:10: 发现间隔 … 写在开头或末尾，应为两边都有字"
    ),
    "a gap too wide": Broken("- 不归我们管", "- 不归…99管", "8:7: 发现间隔 99 个字，应为 1 到 30"),
    "a slot that there is not": Broken(
        "- 不归我们管", '- "工号{nubmer}"', "8:8: 发现“{nubmer}”，应为 {amount}、"
    ),
    "a slot for exceptions only": Broken(
        "- 不归我们管", '- "说{phrase}"', "8:7: 发现 {phrase}，应为普通的说法；{phrase} 只能写在 `except` 里"
    ),
    "a phrase without words": Broken(
        "- 不归我们管", '- "[不]，"', "8:5: 发现一个字不说也算的写法，应为至少有一个必须说的字"
    ),
    "a sign that means nothing": Broken(
        "- 不归我们管", "- 不归@管", "8:7: 发现“@”，应为字、括号、间隔 …，或 {number} 这样的花括号"
    ),
    "a text that opens with a bracket": Broken(
        "- 不归我们管", "- [不|没]归我们管", "8:5: 发现以 [ 或 { 开头的文字，应为引号里的文字；给整句加引号"
    ),
    "a text that opens with a sign": Broken(
        "- 不归我们管", "- @不归我们管", "8:5: 发现以特殊符号开头的文字，应为引号里的文字；给整句加引号"
    ),
    "a guard that there is not": Broken(
        "match: sound", "guards: [quotd]", "10:10: 发现共用例外 `quotd` 不存在，应为已有共用例外的 id"
    ),
    "a key of a window": Broken(
        "{first_turns: 3}", "{first_turn: 3}", "12:10: 发现键 `first_turn`，应为 after、"
    ),
    "only the keys of that window": Broken(
        "{first_turns: 3}", "{hit: 3}", "last_percent、last_seconds、last_turns、within 之一"
    ),
    "half a turn": Broken("first_turns: 3", "first_turns: 2.5", "12:23: 发现 2.5（数字），应为整数"),
    "no turn at all": Broken("first_turns: 3", "first_turns: 0", "发现 0（数字），应为不小于 1 的数"),
    "more than everything": Broken(
        "first_turns: 3", "last_percent: 300", "发现 300（数字），应为不大于 100 的数"
    ),
    "endless": Broken("first_turns: 3", "last_seconds: .inf", "发现 inf（数字），应为有限的数"),
    "a window without keys": Broken(
        "{first_turns: 3}", "3", "12:9: 发现 3（数字），应为键和值，如 `first_seconds: 10`"
    ),
    "a direction that there is not": Broken(
        "direction: inbound",
        "direction: inbond",
        "发现“inbond”，应为 inbound、outbound 之一；是不是想写 `inbound`？",
    ),
    "an id with capitals": Broken(
        "id: a.rule", "id: A.Rule", "1:5: 发现“A.Rule”，应为小写字母、数字、下划线，如 `area.name`"
    ),
    "a case without hit and miss": Broken(
        '- hit: "坐席 3.0 不归我们管。"',
        "- duration: 3",
        "15:5: 发现 `hit` 和 `miss` 都没有，应为二者之一",
    ),
    "a case that is both": Broken(
        '"坐席 3.0 不归我们管。"',
        '"坐席 3.0 不归我们管。"\n    miss: 无',
        "15:5: 发现 `hit` 和 `miss` 都有，应为二者之一",
    ),
    "a case's key": Broken("- miss:", "- mis:", "16:5: 发现键 `mis`，应为 agent_id、"),
    "a key twice": Broken("why: 因为", "title: 又", "4:1: 发现键 `title` 写了第二遍，应为每个键只写一次"),
    "a tab": Broken("why: 因为", "\twhy: 因为", "4:1: 发现制表符，应为空格；用空格缩进"),
    "a second colon": Broken(
        "why: 因为",
        "why: 因为: 所以",
        "4:8: 发现位置不对的冒号，应为引号里的文字，或与上一行一样的缩进；给整句加引号，或对齐",
    ),
    "a quote that is not closed": Broken(
        "why: 因为", 'why: "因为', "4:6: 发现引号在本行没有另一半，应为成对的引号；文字真有几行就用 `|`"
    ),
    "a line out of line": Broken(
        "  - 你找别人去", " - 你找别人去", "9:2: 发现没有和上面对齐的一行，应为和同级的键一样多的空格"
    ),
    "a line without a colon": Broken(
        "why: 因为", "why 因为", "发现没有冒号的一行，应为 `键: 值` 或 `- 一项`"
    ),
    "a full-width colon": Broken("why: 因为", "why：因为", "4:4: 发现全角冒号，应为半角冒号加一个空格 `: `"),
    "a dash without a space": Broken(
        "- 你找别人去", "-你找别人去", "9:4: 发现 `-` 和文字连在一起，应为中间有一个空格"
    ),
    "an entry further right": Broken(
        "  - 你找别人去",
        "    - 你找别人去",
        "8:5: 发现文字连到了第 9 行，应为下一项或下一个键；和同类的缩进对齐，文字真有几行就用 `|`",
    ),
    "an entry further left": Broken(
        "  - 你找别人去", "- 你找别人去", "9:1: 发现位置不对的一项，应为写在键的下面、和别的项对齐"
    ),
    "an entry without a dash": Broken(
        "  - 你找别人去", "  你找别人去", "9:3: 发现没有冒号的一行，应为 `键: 值` 或 `- 一项`"
    ),
    "a Chinese word for a choice": Broken(
        "role: agent", "role: 坐席", "6:7: 发现“坐席”，应为 agent、customer、any 之一；是不是想写 `agent`？"
    ),
    "the choice that it means": Broken("role: agent", "role: 坐席", "；是不是想写 `agent`？"),
    "a key too far right": Broken(
        "severity: major", "  severity: major", "11:11: 发现往右多缩进的键，应为和上面的键一样多的空格"
    ),
    "a colon without a space": Broken(
        "severity: major", "severity:major", "11:9: 发现冒号和文字连在一起，应为中间有一个空格"
    ),
    "an entry behind its key": Broken(
        "phrases:\n", "phrases: - 您好\n", "7:10: 发现位置不对的一项，应为另起一行"
    ),
    "a list that is not closed": Broken(
        "{first_turns: 3}", "{first_turns: 3", "12:23: 发现没有写完的括号，应为成对的括号、逗号隔开"
    ),
    "an entry that is not closed": Broken(
        "\n  - 不归我们管\n  - 你找别人去",
        " [不归我们管",
        "7:11: 发现没有写完的括号，应为成对的括号、逗号隔开",
    ),
    "a text behind a bar": Broken(
        "why: 因为", "why: | 因为", "4:8: 发现 `|` 或 `>` 后面还有字，应为另起一行"
    ),
    "a backslash in double quotes": Broken(
        "- 不归我们管", '- "工号\\d"', "8:9: 发现双引号里的反斜杠，应为单引号里的文字；把双引号换成单引号"
    ),
    "a brace that is not closed": Broken("- 不归我们管", '- "工号{number"', "8:8: 发现“{”没有“}”配对"),
    "a number of digits that is none": Broken(
        "- 不归我们管", '- "工号{number:三}"', "8:8: 发现“{number:三}”，应为整数的字数，如 {number:2}"
    ),
    "neither of two kinds": Broken(
        "match: sound", "require: most", "10:10: 发现“most”，应为 any、all 之一，或整数"
    ),
    "nothing of two kinds": Broken(
        "match: sound", "require:", "10:1: 发现空的 `require`，应为 any、all 之一，或整数"
    ),
    "an alias": Broken(
        "why: 因为", "why: *label", "4:6: 发现别名 *label，应为值本身；照写一遍，以 * 开头的文字加引号"
    ),
    "an anchor": Broken(
        "why: 因为",
        "why: &w 因为",
        "4:6: 发现锚点 &w，应为值本身；用到它的地方照写一遍，以 & 开头的文字加引号",
    ),
    "a merge key": Broken("why: 因为", "<<: {why: 因为}", "4:1: 发现合并键 <<，应为键本身；照写一遍"),
    "a tag": Broken("why: 因为", "why: !!str 1", "发现标签 !!str，应为不带标签的值；以 ! 开头的文字加引号"),
    "a tag that runs code": Broken(
        "why: 因为",
        "why: !!python/object/apply:os.system [ls]",
        "4:6: 发现标签 !!python/object/apply:os.system，应为不带标签的值；以 ! 开头的文字加引号",
    ),
    "a tag of one's own": Broken(
        "why: 因为", "why: !secret x", "4:6: 发现标签 !secret，应为不带标签的值；以 ! 开头的文字加引号"
    ),
    "too deep": Broken(
        "why: 因为",
        f"why: {'[' * MOST_LEVELS}{']' * MOST_LEVELS}",
        f"4:25: 发现超过 {MOST_LEVELS} 层的嵌套，应为最多 {MOST_LEVELS} 层",
    ),
    "far too deep": Broken("", "[" * 5000, f"1:{MOST_LEVELS + 1}: 发现超过 {MOST_LEVELS} 层的嵌套"),
    "a billion laughs": Broken(
        "", BILLION_LAUGHS, "1:4: 发现锚点 &a，应为值本身；用到它的地方照写一遍，以 & 开头的文字加引号"
    ),
    "a number of five thousand digits": Broken("why: 因为", f"why: {'9' * 5000}", "4:6: 发现“99999"),
    "a control character": Broken("why: 因为", "why: 因\x07为", "4:7: 发现控制字符 #07，应为文字；删掉它"),
    "a key that is a list": Broken(
        "why: 因为", "? [why]\n: 因为", "4:3: 发现列表或键写在键的位置上，应为名称加冒号，如 `id: `"
    ),
    "a key without a name": Broken(
        "why: 因为", "null: 因为", "4:1: 发现没有名称的键，应为名称加冒号，如 `id: `"
    ),
    "a directive": Broken(
        "", f"%YAML 1.1\n---\n{GOOD}", "发现以 % 开头的一行，应为规则的键；删掉这一行，或给文字加引号"
    ),
    "a second document": Broken(
        "", f"{GOOD}---\n{GOOD}", "17:1: 发现 `---` 之后还有一份，应为一个文件一条规则；分成两个文件"
    ),
    "an empty file": Broken(
        "", "# nothing\n", "1:1: 发现空的文件，应为 `id:` 等键；照同一文件夹里别的文件写"
    ),
    "a list": Broken("", "- 不归我们管\n", "1:1: 发现列表，应为 `id:` 这样的键"),
    "a file too large": Broken(
        "", f"# {'长' * MOST_BYTES}", "1:1: 发现超过 1 MiB 的文件，应为规则文件；分成几个文件"
    ),
}


def broken(mistake: Broken) -> str:
    assert mistake.found in GOOD
    return GOOD.replace(mistake.found, mistake.written, 1) if mistake.found else mistake.written


def test_the_file_that_is_broken_below_is_sound() -> None:
    assert parse_ruleset({"a/rule.yml": GOOD}).rule("a.rule")


@pytest.mark.parametrize("mistake", BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_told_with_its_place_and_what_was_expected(mistake: Broken) -> None:
    with pytest.raises(RuleError) as error:
        parse_ruleset({"a/rule.yml": broken(mistake)})
    told = str(error.value).splitlines()
    assert any(mistake.told in line for line in told), told
    assert all(TOLD.match(line) for line in told), told
    assert not any(ENGLISH.search(QUOTED.sub("", line)) for line in told), told


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            GOOD.encode("gb18030"),
            "a.yml:2:8: 发现 GBK/GB18030 编码的文字，应为 UTF-8；把文件另存为 UTF-8",
        ),
        (GOOD.encode("utf-16"), "a.yml:1:1: 发现 UTF-16 编码的文字，应为 UTF-8；把文件另存为 UTF-8"),
        (b"id: a.rule\ntitle: \xff\xff", "a.yml:2:8: 发现别的编码的文字，应为 UTF-8；把文件另存为 UTF-8"),
        (b"\xff" * (MOST_BYTES + 1), "a.yml:1:1: 发现超过 1 MiB 的文件，应为规则文件；分成几个文件"),
    ],
    ids=["GBK", "UTF-16", "broken bytes", "too large"],
)
def test_bytes_that_are_no_rule_file_are_told(data: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(data)
    assert told in str(lint(tmp_path, date.today())[0])


@pytest.mark.parametrize(
    "data", [GOOD.encode("utf-8-sig"), GOOD.replace("\n", "\r\n").encode()], ids=["BOM", "CRLF"]
)
@pytest.mark.parametrize("name", ["a.yml", "b/a.yaml"])
def test_what_windows_writes_can_be_read(data: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / name).write_bytes(data)
    assert [str(notice) for notice in lint(tmp_path, date.today()) if notice.check == "file"] == []


def test_rules_that_need_each_other_are_a_fault() -> None:
    one = rule_text("a.one", "after: a.two\nexpect: a.two", "response")
    two = rule_text("a.two", "after: a.one\nexpect: a.one", "response")
    with pytest.raises(
        RuleError, match=r"1:5: 发现规则绕着圈互相引用：a\.\w+ → a\.\w+ → a\.\w+，应为不绕圈的引用"
    ):
        parse_ruleset({"a/one.yml": one, "a/two.yml": two})


def test_all_faults_of_all_files_are_told_in_one_run() -> None:
    keyed = [mistake for mistake in BROKEN.values() if mistake.found]
    files = {f"a/{number}.yml": broken(mistake) for number, mistake in enumerate(keyed)}
    with pytest.raises(RuleError) as error:
        parse_ruleset(files)
    told = str(error.value)
    missing = [m.told for n, m in enumerate(keyed) if not _tells(told, f"a/{n}.yml:", m.told)]
    assert not missing


def _tells(told: str, place: str, expected: str) -> bool:
    return any(line.startswith(place) and expected in line for line in told.splitlines())


def test_a_broken_rule_is_one_fault_and_not_one_for_each_file_that_names_it() -> None:
    naming = rule_text("a.missing", "after: a.rule\nexpect: a.rule", "response")
    with pytest.raises(RuleError) as error:
        parse_ruleset({"a/rule.yml": GOOD.replace("why:", "why："), "a/naming.yml": naming})
    assert str(error.value).startswith("a/rule.yml:4:4: 发现全角冒号，应为半角冒号")
    assert len(str(error.value).splitlines()) == 1
