"""`rules import` and `rules export`: word lists to rule files and back."""

import csv
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from pipeline.detect.cases import run_cases
from pipeline.detect.load import load_ruleset
from pipeline.errors import BadInput, NotFound, UsageError
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet, Severity, Status
from pipeline.workflows.tuning.import_rules import Plan, export_entries, import_rules, spoken, write_rules
from pipeline.workflows.tuning.wordlist import Entry, WordList, read_wordlist, write_wordlist

ROWS = [
    ("类别", "说法", "严重程度", "例句", "备注"),
    ("推诿", "不归我们管", "", "这个不归我们管，您问别人。", "老规矩"),
    ("推诿", "你找别的部门", "严重", "", ""),
    ("辱骂", "神经病", "致命", "你是不是神经病", ""),
]


def as_csv(path: Path, rows: list[tuple[str, ...]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def as_xlsx(path: Path, rows: list[tuple[str, ...]], merge: str = "") -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    book.save(path)
    return path


def imported(words: WordList, folder: Path, plan: Plan = Plan()) -> RuleSet:
    made = import_rules(words, plan)
    assert not made.faults
    write_rules(made, folder)
    return load_ruleset(folder)


def phrases(ruleset: RuleSet) -> dict[str, tuple[str, ...]]:
    return {rule.title: rule.parameters.phrases for rule in ruleset.rules}  # type: ignore[attr-defined]


def faults(path: Path, *, patterns: bool = False) -> list[str]:
    words = read_wordlist(path, patterns=patterns)
    return [str(fault) for fault in import_rules(words, Plan()).faults]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_csv_of_any_usual_encoding_becomes_rules_that_pass_their_cases(
    tmp_path: Path, encoding: str
) -> None:
    words = read_wordlist(as_csv(tmp_path / "禁语.csv", ROWS, encoding))
    ruleset = imported(words, tmp_path / "rules")
    assert phrases(ruleset) == {"推诿": ("不归我们管", "你找别的部门"), "辱骂": ("神经病",)}
    assert not run_cases(ruleset)
    for rule in ruleset.rules:
        assert rule.status is Status.DRAFT
        assert {case.hit for case in rule.cases} == {True, False}
        assert sum(case.hit for case in rule.cases) == len(phrases(ruleset)[rule.title])
    assert [rule.id for rule in ruleset.rules] == ["forbidden.ruma", "forbidden.tuiwei"]
    assert [rule.severity for rule in ruleset.rules] == [Severity.FATAL, Severity.MAJOR]


def test_a_merged_category_counts_for_all_its_rows(tmp_path: Path) -> None:
    rows = [ROWS[0], ROWS[1], ("", *ROWS[2][1:]), ROWS[3]]
    words = read_wordlist(as_xlsx(tmp_path / "禁语.xlsx", rows, merge="A2:A3"))
    assert [entry.category for entry in words.entries] == ["推诿", "推诿", "辱骂"]
    assert not words.faults


def test_headings_may_be_english_and_lie_below_a_title(tmp_path: Path) -> None:
    rows = [("我们的词表",), (), ("phrase", "category"), ("不归我们管", "推诿")]
    (entry,) = read_wordlist(as_xlsx(tmp_path / "list.xlsx", rows)).entries
    assert entry == Entry(row=4, category="推诿", phrase="不归我们管")


def test_a_text_file_has_a_phrase_a_line_under_headings(tmp_path: Path) -> None:
    path = tmp_path / "禁语.txt"
    path.write_bytes("不知道呀\n# 推诿\n\n不归我们管\n你找别的部门\n".encode("gb18030"))
    found = [(entry.row, entry.category, entry.phrase) for entry in read_wordlist(path).entries]
    assert found == [(1, "禁语", "不知道呀"), (4, "推诿", "不归我们管"), (5, "推诿", "你找别的部门")]


def test_every_fault_is_one_line_with_its_row(tmp_path: Path) -> None:
    rows = [
        ROWS[0],
        ("", "不归我们管", "", ""),
        ("推诿", "", "严重", ""),
        ("推诿", "你找[别的]部门", "", ""),
        ("推诿", "哼", "", ""),
        ("推诿", "跟我没关系", "", ""),
        ("推诿", "跟我没关系", "", ""),
        ("推诿", "不是我的事", "非常", ""),
        ("推诿", "我管不着", "", "我马上帮您查"),
        ("推诿", "《规定》", "", ""),
    ]
    expected = {2: "类别", 3: "说法", 4: "[", 5: "太短", 7: "第 6 行重复", 8: "非常", 9: "例句", 10: "《"}
    for path in (as_csv(tmp_path / "a.csv", rows), as_xlsx(tmp_path / "a.xlsx", rows)):
        told = faults(path)
        assert len(told) == len(expected)
        for (row, word), line in zip(expected.items(), told, strict=True):
            assert line.startswith(f"第 {row} 行：")
            assert word in line


def test_patterns_are_read_as_rules_write_them_when_asked(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "a.csv", [("说法", "类别"), ("你找[别的|其他]部门", "推诿"), ("你(找", "推诿")])
    assert len(faults(path)) == 2
    (told,) = faults(path, patterns=True)
    assert told.startswith("第 3 行：")


def test_severities_of_one_category_make_rules_of_their_own(tmp_path: Path) -> None:
    rows = [ROWS[0], ("辱骂", "神经病", "致命", "", ""), ("辱骂", "真是烦死了", "轻微", "", "")]
    ruleset = imported(read_wordlist(as_csv(tmp_path / "a.csv", rows)), tmp_path / "rules")
    assert {rule.id: rule.severity.value for rule in ruleset.rules} == {
        "forbidden.ruma_fatal": "fatal",
        "forbidden.ruma_minor": "minor",
    }


def test_what_was_exported_is_imported_as_it_was(tmp_path: Path) -> None:
    ruleset = imported(read_wordlist(as_csv(tmp_path / "a.csv", ROWS)), tmp_path / "one")
    for name in ("b.xlsx", "b.csv"):
        assert write_wordlist(export_entries(ruleset), tmp_path / name) == 3
        words = read_wordlist(tmp_path / name, patterns=True)
        assert tuple(export_entries(ruleset)) == words.entries
        again = imported(words, tmp_path / f"from_{name}")
        assert phrases(again) == phrases(ruleset)
        assert not run_cases(again)


def test_the_shipped_phrases_survive_the_journey_through_excel(tmp_path: Path) -> None:
    shipped = load_ruleset(shipped_rules())
    chosen = {rule.title: rule for rule in shipped.rules if rule.id in ("closing.resolved", "closing.thanks")}
    entries = [entry for entry in export_entries(shipped) if entry.category in chosen]
    write_wordlist(entries, tmp_path / "a.xlsx")
    words = read_wordlist(tmp_path / "a.xlsx", patterns=True)
    assert not words.faults
    assert [entry.phrase for entry in words.entries] == [entry.phrase for entry in entries]


def test_the_sheet_has_headings_that_people_read(tmp_path: Path) -> None:
    write_wordlist([Entry(row=2, category="推诿", phrase="不归我们管")], tmp_path / "a.xlsx")
    sheet = load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]] == ["类别", "说法", "严重程度", "例句"]


def test_existing_rules_are_not_overwritten_unasked(tmp_path: Path) -> None:
    made = import_rules(read_wordlist(as_csv(tmp_path / "a.csv", ROWS)), Plan())
    write_rules(made, tmp_path / "rules")
    with pytest.raises(UsageError, match="已经有"):
        write_rules(made, tmp_path / "rules")
    write_rules(made, tmp_path / "rules", force=True)


def test_files_that_are_no_word_list_are_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_wordlist(tmp_path / "none.csv")
    (tmp_path / "a.doc").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"\.xlsx"):
        read_wordlist(tmp_path / "a.doc")
    (tmp_path / "a.xlsx").write_bytes(b"no zip")
    with pytest.raises(BadInput, match="打不开"):
        read_wordlist(tmp_path / "a.xlsx")
    with pytest.raises(BadInput, match="列名"):
        read_wordlist(as_csv(tmp_path / "b.csv", [("甲", "乙"), ("丙", "丁")]))


def test_a_label_that_is_no_part_of_an_id_is_refused(tmp_path: Path) -> None:
    words = read_wordlist(as_csv(tmp_path / "a.csv", ROWS))
    for label in ("../up", "禁语", ""):
        with pytest.raises(UsageError, match="label"):
            import_rules(words, Plan(label=label))


def test_a_pattern_is_spoken_by_its_first_choices() -> None:
    assert spoken("你找[别的|其他]部门…8(去|吧)，工号{number}") == "你找别的部门去，工号一零二一"
