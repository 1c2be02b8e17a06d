"""Lines of Chinese on a terminal."""

import pytest
from rich.console import Console
from rich.table import Table

from pipeline.cli.wrapping import CLOSING, OPENING, break_between_characters

TEXT = (
    "打断客户：00:12.6–00:14.6坐席在客户说话时开口（同时说话2.0秒），"
    "见 callscore explain；“您好”，把握 97.5%。"
)


def lines(width: int) -> list[str]:
    break_between_characters()
    out = Console(width=width, highlight=False)
    with out.capture() as shown:
        out.print(TEXT)
    return shown.get().splitlines()


@pytest.mark.parametrize("width", range(16, 60))
def test_no_time_number_or_word_is_broken_and_no_mark_is_left_alone(width: int) -> None:
    shown = lines(width)
    for whole in ("00:12.6–00:14.6", "2.0", "callscore", "explain", "97.5%"):
        assert any(whole in line for line in shown)
    assert not [line for line in shown if line[0] in CLOSING or line.rstrip()[-1] in OPENING]


def test_lines_are_full_although_chinese_has_few_spaces() -> None:
    first, *_ = lines(40)
    assert len(first.encode("gbk")) >= 37


@pytest.mark.parametrize("width", range(16, 60))
def test_nothing_is_lost_at_the_end_of_a_line(width: int) -> None:
    assert "".join("".join(lines(width)).split()) == "".join(TEXT.split())


def test_a_narrow_column_cuts_nothing_off() -> None:
    break_between_characters()
    out = Console(width=30)
    table = Table(show_header=False)
    table.add_row("--report", "这一夜的报告写到哪里；默认在数据库旁边。")
    with out.capture() as shown:
        out.print(table)
    assert "…" not in shown.get()
    assert "边。" in shown.get()
