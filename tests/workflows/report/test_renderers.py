"""The same report on a terminal, as a page, and as a workbook."""

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from report_help import AROUND, Made, put, review
from rich.cells import cell_len
from rich.console import Console

from pipeline.cli.page_view import print_page
from pipeline.storage.store import Store
from pipeline.workflows.report.compute import Order, report
from pipeline.workflows.report.html import html
from pipeline.workflows.report.layout import page
from pipeline.workflows.report.period import Asked
from pipeline.workflows.report.values import Kind, Report
from pipeline.workflows.report.xlsx import workbook

GOLDEN = Path(__file__).parents[2] / "data/golden/report.txt"
FORMULAS = ("=1+1", "+86", "-2", "@sum", '=HYPERLINK("x","y")')
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as opened:
        yield opened


def a_week(store: Store) -> Report:
    """Three agents over two weeks: one good, one who does not greet, one with two calls."""
    put(store, *(Made(number=n, agent="1001", day=n % 10) for n in range(60)))
    put(store, *(Made(number=100 + n, agent="1002", day=n % 10, greeting=n % 4 // 3 * 10) for n in range(40)))
    put(store, Made(number=200, agent="1003", day=8, manners=10, complaint=True))
    put(store, Made(number=201, agent="1003", day=9, forbidden=True, fatal=True))
    looked = Made(number=18, agent="1001", day=8)
    review(store, looked, Made(number=18, agent="1001", day=8, manners=8, by_person=True))
    return a_report(store)


def a_report(store: Store) -> Report:
    return report(Order(kind=Kind.WEEK, asked=Asked(day=date(2024, 5, 13)), least=5), store, AROUND)


def printed(made: Report) -> str:
    out = StringIO()
    print_page(page(made), Console(file=out, width=120, no_color=True, highlight=False))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def test_a_week_on_a_terminal_is_as_the_golden_file_has_it(store: Store) -> None:
    assert printed(a_week(store)) == GOLDEN.read_text(encoding="utf-8")


def test_no_line_is_wider_than_the_terminal(store: Store) -> None:
    assert max(cell_len(line) for line in printed(a_week(store)).splitlines()) <= 120


def test_a_page_needs_nothing_from_outside(store: Store) -> None:
    made = html(a_week(store))
    outside = re.findall(
        r"""(?:src|href)\s*=\s*["'](?!#)[^"']*|url\((?!["']?(?:data:|#))[^)]*|@import|<script|<link""", made
    )
    assert outside == []
    assert made.count("<svg") == 3


def test_a_page_carries_the_letters_that_it_shows(store: Store) -> None:
    from base64 import b64decode

    from fontTools.ttLib import TTFont

    made = html(a_week(store))
    (font,) = re.findall(r"data:font/woff;base64,([A-Za-z0-9+/=]+)", made)
    known = TTFont(BytesIO(b64decode(font))).getBestCmap()
    body = re.sub(r"<(style|svg).*?</\1>|<[^>]+>", "", made, flags=re.DOTALL)
    assert {letter for letter in body if letter.isprintable() and ord(letter) not in known} == set()


def test_plots_are_drawn_with_chinese_letters_and_labelled_axes(store: Store) -> None:
    """Outlines carry their text as a comment."""
    made = html(a_week(store))
    for label in ("通话（通）", "得分率（%，已定的分）", "得分率（线，95 % 区间）", "开场（n="):
        assert f"<!-- {label}" in made, label


def test_each_form_has_its_own_table_and_plot_under_its_title(store: Store) -> None:
    long = "市民服务热线电话服务质量评分表（二〇二四年修订版，适用于呼入）"
    put(store, Made(number=1, day=7), Made(number=2, day=7, form=long), Made(number=3, day=7, form=long))
    made = a_report(store)
    titles = [block.title for block in page(made).blocks]
    assert [title for title in titles if "各维度" in title] == [
        "各维度得分率：服务评分表",
        f"各维度得分率：{long}",
    ]
    assert "other" not in printed(made)
    pictures = html(made)
    assert pictures.count("<!-- 开场（n=") == 2
    assert f"<!-- {long} -->" in pictures
    names = load_workbook(BytesIO(workbook(page(made)))).sheetnames
    assert len(set(names)) == len(titles)
    assert max(map(len, names)) <= 31


def test_what_was_said_is_text_on_the_page(store: Store) -> None:
    put(store, Made(number=1, day=7, forbidden=True, quote=MARKUP))
    made = html(a_report(store))
    assert MARKUP not in made
    assert "&lt;script&gt;" in made


def test_the_same_report_gives_the_same_page_and_workbook(store: Store) -> None:
    made = a_week(store)
    assert html(made) == html(made)
    assert _contents(workbook(page(made))) == _contents(workbook(page(made)))


def _contents(data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("quote", FORMULAS)
def test_nothing_that_was_said_becomes_a_formula(store: Store, quote: str) -> None:
    call = Made(number=1, day=7, forbidden=True, quote=quote, agent=quote, business=quote)
    put(store, call)
    data = workbook(page(a_report(store)))
    cells = [cell for sheet in load_workbook(BytesIO(data)) for row in sheet for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert [cell.data_type for cell in cells if cell.value == quote] == ["s"]
    sheets = [text for name, text in _contents(data).items() if name.startswith("xl/worksheets")]
    assert not any(b"<f>" in text or b"<f " in text for text in sheets)


def test_figures_in_the_workbook_are_numbers_with_a_format(store: Store) -> None:
    sheet = load_workbook(BytesIO(workbook(page(a_week(store)))))["概况"]
    cells = {row[0].value: row for row in sheet.iter_rows(min_row=4)}
    assert cells["通话"][1].value == 32
    assert cells["投诉"][2].value == pytest.approx(1 / 32)
    assert cells["投诉"][2].number_format == "0.0%"


def test_every_table_is_a_sheet_that_prints_on_one_page_width(store: Store) -> None:
    book = load_workbook(BytesIO(workbook(page(a_week(store)))))
    assert book.sheetnames[:3] == ["概况", "合格率", "各维度得分率：服务评分表"]
    assert all(sheet.page_setup.fitToWidth == 1 for sheet in book)


def test_letters_that_no_workbook_can_hold_are_left_out(store: Store) -> None:
    put(store, Made(number=1, day=7, forbidden=True, quote="不归\x0b我们管"))
    data = workbook(page(a_report(store)))
    assert "不归我们管" in str([cell.value for cell in load_workbook(BytesIO(data))["禁用语"]["E"]])


def test_an_empty_report_says_so_everywhere(store: Store) -> None:
    put(store, Made(number=1, day=30))
    made = a_report(store)
    assert "没有符合条件的通话" in printed(made)
    assert "没有符合条件的通话" in html(made)
    assert workbook(page(made))


if (
    __name__ == "__main__"
):  # python tests/workflows/report/test_renderers.py: write the golden file anew, then read it
    with TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/calls.db") as made:
        GOLDEN.write_text(printed(a_week(made)), encoding="utf-8")
