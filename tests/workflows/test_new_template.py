"""Scorecards that begin as a spreadsheet."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.detect.lint import lint_texts
from pipeline.detect.load import parse_ruleset
from pipeline.errors import BadInput
from pipeline.template import Fill, Template, Total, Use
from pipeline.workflows.new_template import new_template

ROWS = [
    ["呼叫中心评分表"],
    ["维度", "权重", "项目", "分值", "等级", "等级分", "描述"],
    ["开场白", "15%", "问候", "5", "优", "5分", "三声内接听"],
    ["", "", "", "", "良", "3-4", "平淡"],
    ["", "", "", "", "差", "0", "无问候"],
    ["", "", "需求确认", "10", "优（10分）", "", "主动询问"],
    ["", "", "", "", "差（0～4分）", "", "没有询问"],
    ["解决", "85%", "解决问题", "85", "好", "", ""],
    ["", "", "", "", "差", "", ""],
    ["合计", "", "", "100", "", "", ""],
]


def csv_of(rows: list[list[str]], path: Path) -> Path:
    path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    return path


def read(text: str) -> Template:
    (template,) = parse_ruleset({"scorecards/form.yml": text}).templates
    return template


def test_a_table_becomes_sections_items_and_levels(tmp_path: Path) -> None:
    template = read(new_template(csv_of(ROWS, tmp_path / "form.csv")))
    assert [(s.title, s.weight, len(s.items)) for s in template.sections] == [
        ("开场白", 15, 2),
        ("解决", 85, 1),
    ]
    greeting, need, solved = template.items
    assert [(v.title, v.points, v.lowest) for v in greeting.levels] == [
        ("优", 5, None),
        ("良", 4, 3),
        ("差", 0, None),
    ]
    assert [(v.title, v.points, v.lowest, v.text) for v in need.levels] == [
        ("优", 10, None, "主动询问"),
        ("差", 4, 0, "没有询问"),
    ]
    assert [v.points for v in solved.levels] == [85, 0]
    assert (template.total, template.use, template.points) == (Total.POINTS, Use.ON_REQUEST, 100)


def test_all_that_lint_misses_is_who_fills_the_items(tmp_path: Path) -> None:
    text = new_template(csv_of(ROWS, tmp_path / "form.csv"))
    notices = lint_texts({"scorecards/form.yml": text}, date(2026, 3, 1))
    assert {notice.check for notice in notices} == {"nobody-fills"}
    assert all(item.fill is Fill.MANUAL for item in read(text).items)


def test_merged_cells_of_a_workbook_count_for_every_row(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["评估维度", "占比", "评估指标", "满分"],
        ["态度", 0.25, "耐心", 5],
        [None, None, "主动", 5],
        ["能力", 0.75, "业务", 5],
    ):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("B2:B3")
    book.save(tmp_path / "form.xlsx")
    template = read(new_template(tmp_path / "form.xlsx"))
    assert [(s.title, s.weight, [i.title for i in s.items]) for s in template.sections] == [
        ("态度", 25, ["耐心", "主动"]),
        ("能力", 75, ["业务"]),
    ]
    assert template.total is Total.WEIGHTED


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [
        (2, 3, "五", "D3（分值）：发现“五”，应为数字"),
        (3, 5, "三分", "F4（等级分）：发现“三分”，应为分数，例如 5 或 3-4"),
        (3, 5, "3-5", "D3（分值）：“问候”的等级“良”与“优”的分数重叠，应从高到低分开"),
        (2, 3, "6", "D3（分值）：“问候”的最高等级是 5 分，应等于分值 6"),
        (7, 1, "80%", "B3（权重）：各维度权重加起来是 95，应为 100"),
        (2, 2, "", "C3（项目）：是空的，应写项目"),
    ],
)
def test_a_fault_is_told_with_its_cell(tmp_path: Path, row: int, column: int, value: str, said: str) -> None:
    rows = [line[:] for line in ROWS]
    rows[row][column] = value
    with pytest.raises(BadInput) as error:
        new_template(csv_of(rows, tmp_path / "form.csv"))
    assert said in error.value.message


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    rows = [line[:] for line in ROWS]
    rows[2][3], rows[3][5] = "五", "三分"
    with pytest.raises(BadInput) as error:
        new_template(csv_of(rows, tmp_path / "form.csv"))
    assert "D3" in error.value.message
    assert "F4" in error.value.message


def test_a_table_without_headings_says_which_there_must_be(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="没有列名"):
        new_template(csv_of([["甲", "乙"], ["1", "2"]], tmp_path / "form.csv"))
