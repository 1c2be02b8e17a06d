"""Rule files as people break them: each mistake is told with its place, what was found, what was expected."""

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


class Broken(NamedTuple):
    """What is replaced in GOOD (nothing: the whole file), by what, and what must be told."""

    found: str
    written: str
    told: str


BROKEN = {
    "a key with a near name": Broken(
        "match: sound", "mach: sound", "10:1: found key `mach`, expected one of anchor, "
    ),
    "the near name itself": Broken("match: sound", "mach: sound", "did you mean `match`?"),
    "a key that nothing resembles": Broken(
        "match: sound", "farbe: rot", "10:1: found key `farbe`, expected one"
    ),
    "a detector's key misspelled": Broken(
        "detector: phrase", "detecter: phrase", "5:1: found key `detecter`, expected one of applies, "
    ),
    "and what is missing for it": Broken(
        "detector: phrase", "detecter: phrase", "1:1: found no `detector`, expected `detector:` here"
    ),
    "a detector that there is not": Broken(
        "detector: phrase", "detector: phrases", "5:11: found 'phrases', expected one of "
    ),
    "the detector that was meant": Broken("detector: phrase", "detector: phrases", "did you mean `phrase`?"),
    "a wrong choice": Broken(
        "severity: major",
        "severity: mayor",
        "11:11: found 'mayor', expected one of fatal, major, minor; did you",
    ),
    "a choice that is a number": Broken(
        "severity: major", "severity: 2", "11:11: found 2 (a number), expected one"
    ),
    "a missing key": Broken("why: 因为\n", "", "1:1: found no `why`, expected `why:` here"),
    "an empty value": Broken("why: 因为", "why:", "4:1: found an empty `why`, expected text"),
    "an empty text": Broken("why: 因为", 'why: ""', "4:6: found an empty `why`, expected text"),
    "a number where words belong": Broken(
        "- 不归我们管", "- 10086", "8:5: found 10086 (a number), expected text; put it in quotes"
    ),
    "a list where a text belongs": Broken("title: 标题", "title: [标题]", "2:8: found a list, expected text"),
    "a text where a list belongs": Broken(
        "\n  - 不归我们管\n  - 你找别人去",
        " 不归我们管",
        "7:10: found '不归我们管', expected a list, `- ` before",
    ),
    "no phrases": Broken(
        "\n  - 不归我们管\n  - 你找别人去",
        " []",
        "7:10: found an empty `phrases`, expected at least one entry",
    ),
    "an empty entry": Broken("- 不归我们管", "-", "8:4: found an empty entry, expected text"),
    "keys where a text belongs": Broken("- 不归我们管", "- 不归: 我们管", "8:5: found keys, expected text"),
    "a bracket that is not closed": Broken(
        "- 不归我们管", "- 不归[我们|咱们管", "8:7: found '[' that is never closed by ']'"
    ),
    "a bracket that is not opened": Broken(
        "- 不归我们管", "- 不归我们)管", "8:9: found ')' without its opening"
    ),
    "an empty choice": Broken(
        "- 不归我们管", "- 不归(我们|)管", "8:7: found an empty choice, expected words"
    ),
    "a gap at the start": Broken(
        "- 不归我们管", "- …不归我们管", "8:5: found … at the edge of a pattern, expected"
    ),
    "a gap at the end": Broken(
        "- 不归我们管", "- 不归我们管…", "8:10: found … at the edge of a pattern, expected"
    ),
    "a gap too wide": Broken("- 不归我们管", "- 不归…99管", "8:7: found a gap of 99, expected 1 to 30"),
    "a slot that there is not": Broken(
        "- 不归我们管", '- "工号{nubmer}"', "8:8: found slot '{nubmer}', expected {amount}, "
    ),
    "a slot for exceptions only": Broken(
        "- 不归我们管", '- "说{phrase}"', "8:7: found {phrase}, which only `except` may use"
    ),
    "a phrase without words": Broken(
        "- 不归我们管", '- "[不]，"', "8:5: found a pattern that matches without any"
    ),
    "a sign that means nothing": Broken(
        "- 不归我们管", "- 不归@管", "8:7: found '@', expected words, a group, …"
    ),
    "a text that opens with a bracket": Broken(
        "- 不归我们管", "- [不|没]归我们管", "8:5: found a text that begins with [ or {, expected quotes"
    ),
    "a text that opens with a sign": Broken(
        "- 不归我们管", "- @不归我们管", "8:5: found a text that begins with a special sign, expected quotes"
    ),
    "a guard that there is not": Broken(
        "match: sound", "guards: [quotd]", "10:10: found guard `quotd`, expected the id of a guard"
    ),
    "a key of a window": Broken(
        "{first_turns: 3}", "{first_turn: 3}", "12:10: found key `first_turn`, expected one of "
    ),
    "only the keys of that window": Broken(
        "{first_turns: 3}", "{hit: 3}", "last_percent, last_seconds, last_turns"
    ),
    "half a turn": Broken(
        "first_turns: 3", "first_turns: 2.5", "12:23: found 2.5 (a number), expected a whole number"
    ),
    "no turn at all": Broken(
        "first_turns: 3", "first_turns: 0", "found 0 (a number), expected a number of at least 1"
    ),
    "more than everything": Broken(
        "first_turns: 3", "last_percent: 300", "found 300 (a number), expected a number of at most 100"
    ),
    "endless": Broken(
        "first_turns: 3", "last_seconds: .inf", "found inf (a number), expected a number that ends"
    ),
    "a window without keys": Broken(
        "{first_turns: 3}", "3", "12:9: found 3 (a number), expected keys and values"
    ),
    "a direction that there is not": Broken(
        "direction: inbound",
        "direction: inbond",
        "found 'inbond', expected one of inbound, outbound; did you",
    ),
    "an id with capitals": Broken("id: a.rule", "id: A.Rule", "1:5: found 'A.Rule', expected small letters"),
    "a case without hit and miss": Broken(
        '- hit: "坐席 3.0 不归我们管。"',
        "- duration: 3",
        "15:5: found neither `hit` nor `miss`, expected one of them",
    ),
    "a case that is both": Broken(
        '"坐席 3.0 不归我们管。"',
        '"坐席 3.0 不归我们管。"\n    miss: 无',
        "15:5: found both `hit` and `miss`, expected one",
    ),
    "a case's key": Broken("- miss:", "- mis:", "16:5: found key `mis`, expected one of "),
    "a key twice": Broken(
        "why: 因为", "title: 又", "4:1: found key `title` a second time, expected each key once"
    ),
    "a tab": Broken("why: 因为", "\twhy: 因为", "4:1: found a tab, expected spaces"),
    "a second colon": Broken(
        "why: 因为", "why: 因为: 所以", "4:8: found a colon out of place, expected quotes"
    ),
    "a quote that is not closed": Broken(
        "why: 因为", 'why: "因为', "4:6: found a quote that is not closed in its"
    ),
    "a line out of line": Broken(
        "  - 你找别人去", " - 你找别人去", "9:2: found a line that is not in line with"
    ),
    "a line without a colon": Broken(
        "why: 因为", "why 因为", "found a line without a colon, expected `key: value`"
    ),
    "a full-width colon": Broken(
        "why: 因为", "why：因为", "4:4: found a full-width colon, expected `: `, a colon and"
    ),
    "a dash without a space": Broken(
        "- 你找别人去", "-你找别人去", "9:4: found `-` and a word together, expected a"
    ),
    "an entry further right": Broken(
        "  - 你找别人去",
        "    - 你找别人去",
        "8:5: found a text that goes on in line 9, expected the next entry or key",
    ),
    "an entry further left": Broken(
        "  - 你找别人去", "- 你找别人去", "9:1: found a list entry out of place, expected"
    ),
    "an entry without a dash": Broken(
        "  - 你找别人去", "  你找别人去", "9:3: found a line without a colon, expected"
    ),
    "a Chinese word for a choice": Broken(
        "role: agent", "role: 坐席", "6:7: found '坐席', expected one of agent, any"
    ),
    "the choice that it means": Broken("role: agent", "role: 坐席", "customer; did you mean `agent`?"),
    "an alias": Broken("why: 因为", "why: *label", "4:6: found the alias *label, expected the value itself"),
    "an anchor": Broken("why: 因为", "why: &w 因为", "4:6: found the anchor &w, expected the value itself"),
    "a merge key": Broken(
        "why: 因为", "<<: {why: 因为}", "4:1: found the merge key <<, expected the keys themselves"
    ),
    "a tag": Broken(
        "why: 因为", "why: !!str 1", "found the tag tag:yaml.org,2002:str, expected a value without"
    ),
    "a tag that runs code": Broken(
        "why: 因为",
        "why: !!python/object/apply:os.system [ls]",
        "4:6: found the tag tag:yaml.org,2002:python",
    ),
    "a tag of one's own": Broken(
        "why: 因为", "why: !secret x", "4:6: found the tag !secret, expected a value"
    ),
    "too deep": Broken(
        "why: 因为",
        f"why: {'[' * MOST_LEVELS}{']' * MOST_LEVELS}",
        f"4:25: found more than {MOST_LEVELS} levels of nesting, expected at most {MOST_LEVELS}",
    ),
    "far too deep": Broken("", "[" * 5000, f"1:{MOST_LEVELS + 1}: found more than {MOST_LEVELS} levels"),
    "a billion laughs": Broken("", BILLION_LAUGHS, "1:4: found the anchor &a, expected the value itself"),
    "a number of five thousand digits": Broken("why: 因为", f"why: {'9' * 5000}", "4:6: found '99999"),
    "a control character": Broken(
        "why: 因为", "why: 因\x07为", "4:7: found the control character #07, expected text"
    ),
    "a key that is a list": Broken(
        "why: 因为", "? [why]\n: 因为", "4:3: found a list or keys in the place of a key"
    ),
    "a key without a name": Broken("why: 因为", "null: 因为", "4:1: found a key without a name"),
    "a directive": Broken("", f"%YAML 1.1\n---\n{GOOD}", "found a line that begins with %, expected none"),
    "a second document": Broken(
        "", f"{GOOD}---\n{GOOD}", "17:1: found a second document after `---`, expected one"
    ),
    "an empty file": Broken("", "# nothing\n", "1:1: found an empty file, expected `id:` and the other keys"),
    "a list": Broken("", "- 不归我们管\n", "1:1: found a list, expected keys such as `id:`"),
    "a file too large": Broken(
        "", f"# {'长' * MOST_BYTES}", "1:1: found a file over 1 MiB, expected a rule file"
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
    assert all(line.startswith("a/rule.yml:") for line in told)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            GOOD.encode("gb18030"),
            "a.yml:2:8: found text in GBK/GB18030, expected UTF-8; save the file as UTF-8",
        ),
        (GOOD.encode("utf-16"), "a.yml:1:1: found text in UTF-16, expected UTF-8; save the file as UTF-8"),
        (b"id: a.rule\ntitle: \xff\xff", "a.yml:2:8: found text in another encoding, expected UTF-8"),
        (b"\xff" * (MOST_BYTES + 1), "a.yml:1:1: found a file over 1 MiB, expected a rule file"),
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
    with pytest.raises(RuleError, match=r"1:5: found rules that need each other: a\.\w+ -> a\.\w+ -> a\.\w+"):
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
    assert str(error.value).startswith("a/rule.yml:4:4: found a full-width colon")
    assert len(str(error.value).splitlines()) == 1
