"""A case file on A4, as PDF."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, VAlign, XPos, YPos
from fpdf.fonts import FontFace, TTFFont
from pylopdf_fonts_zh_cn import sans_path

from pipeline.findings import Outcome
from pipeline.ruleset import Status
from pipeline.scorecard import Verdict
from pipeline.units import clock
from pipeline.workflows.dispute.replay import Agreement
from pipeline.workflows.evidence.case import REPLAYED, CaseFile, Exhibit, Figure, Tone
from pipeline.workflows.evidence.form import Row

FONT = "sans"
INK, SOFT, LINE, BACK = (28, 39, 51), (93, 107, 122), (217, 223, 230), (244, 246, 248)
GOOD, BAD, OPEN = (31, 122, 77), (179, 38, 30), (148, 98, 0)
COLOURS = {Verdict.PASS: GOOD, Verdict.FAIL: BAD, Verdict.NEEDS_REVIEW: OPEN}
TONES = {Tone.PLAIN: INK, Tone.GOOD: GOOD, Tone.BAD: BAD, Tone.OPEN: OPEN}
NOTE_BACK = {GOOD: (233, 246, 239), BAD: (253, 236, 234), OPEN: (255, 246, 224)}
WHITE = (255, 255, 255)
MARGIN = 15
BODY, SMALL = 9.5, 8
Cell = str | tuple[str, FontFace]


def paper(case: CaseFile) -> bytes:
    """The PDF's bytes: the same parts as the page, without sound."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    sheet = Sheet(case)
    sheet.first_page()
    sheet.call()
    sheet.scorecard()
    sheet.exhibits()
    sheet.absences()
    sheet.transcript()
    sheet.events()
    sheet.versions()
    sheet.rules()
    return sheet.bytes()


def _row(row: Row) -> Sequence[Cell]:
    judged = (row.judged, FontFace(color=COLOURS.get(row.item.verdict, SOFT)))
    because = "\n".join((row.item.reason, *row.deductions))
    return (row.item.title, row.gained, judged, because, _listed(row.exhibits))


def _listed(numbers: Iterable[int]) -> str:
    return "、".join(map(str, numbers))


NOT_FIRST = frozenset("，。！？；：、”’）》〕…—·,.!?;:)]}%")
NOT_LAST = frozenset("“‘（《〔([{")
LONGEST_WORD = 24


def may_break(before: str, after: str) -> bool:
    """Whether a line may end between two characters: at a space, or where one is Chinese, but not before a
    closing mark or after an opening one."""
    if before == " ":
        return True
    chinese = not (before.isascii() and after.isascii())
    return chinese and after not in NOT_FIRST and before not in NOT_LAST


def wrapped(text: str, width: float, measure: Callable[[str], float]) -> str:
    """The text with line ends, no line longer than `width`; words that are too long end anywhere."""
    return "\n".join(line for part in text.split("\n") for line in _lines(part, width, measure))


def _lines(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    start, reached = 0, 0.0
    end = 0  # the last place where the line may end
    for n, character in enumerate(text):
        if n > start and may_break(text[n - 1], character):
            end = n
        reached += measure(character)
        if reached > width and n > start:
            stop = end if start < end and n - end <= LONGEST_WORD else n
            yield text[start:stop]
            start, reached = stop, sum(map(measure, text[stop : n + 1]))
    yield text[start:]


class Paper(FPDF):
    """A4 with a CJK font and a footer that numbers the pages."""

    def __init__(self, footer: str) -> None:
        super().__init__(format="A4")
        self._told = footer
        self.add_font(FONT, fname=str(sans_path()))
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=18)

    def footer(self) -> None:
        """Which case this is, on every page."""
        self.set_y(-12)
        self.set_font(FONT, size=7.5)
        self.set_text_color(*SOFT)
        self.cell(0, 5, self._told, align="L")
        self.set_x(MARGIN)
        self.cell(0, 5, f"第 {self.page_no()} 页，共 {{nb}} 页", align="R")


class Sheet:
    """Writes the parts of a case one after the other."""

    def __init__(self, case: CaseFile) -> None:
        self.case = case
        self.pdf = Paper(f"{case.title}    评分 sha256 {case.replay.stored.body_sha256[:32]}…")
        self.pdf.set_title(case.title)
        self.pdf.set_lang("zh-CN")
        self.pdf.set_creation_date(case.made_at)
        self.pdf.add_page()

    def bytes(self) -> bytes:
        """The finished document."""
        made = bytes(self.pdf.output())
        for font in self.pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()
        return made

    def first_page(self) -> None:
        case, card = self.case, self.case.card
        self._text(case.title, size=20, leading=11)
        form = f"{card.template_title}（第 {card.template_version} 版）" if card else "没有适用的评分表"
        made = f"评分于 {case.local(case.replay.stored.scored_at)}，案卷制作于 {case.local(case.made_at)}"
        self._text(f"{form}；{made}（{case.zone}）", size=BODY, colour=SOFT)
        if case.figures:
            self._figures(case.figures)
        agreement = case.replay.agreement
        colour = {Agreement.IDENTICAL: GOOD, Agreement.DIFFERENT: BAD}.get(agreement, OPEN)
        told = REPLAYED[agreement]
        if agreement is Agreement.DIFFERENT:
            told += f"第一处不同：{case.replay.difference}"
        self._note(told, colour)
        for note in (*case.notes, *case.replay.assumed):
            self._note(note, OPEN)

    def call(self) -> None:
        self._heading("一、通话")
        self._pairs(self.case.facts)

    def scorecard(self) -> None:
        self._heading("二、评分表")
        if self.case.form is None:
            self._text("没有适用于这通电话的评分表。")
            return
        for fatal in self.case.form.fatals:
            told = f"{fatal.title}：{fatal.told}。{fatal.reason}"
            numbers = f"（证据 {_listed(fatal.exhibits)}）" if fatal.exhibits else ""
            self._note(told + numbers, BAD if fatal.holds else OPEN)
        rows: list[Sequence[Cell]] = []
        for section in self.case.form.sections:
            style = FontFace(fill_color=BACK, color=INK)
            cells = (section.title, section.gained, "", section.told, "")
            rows.append([(cell, style) for cell in cells])
            rows += [_row(row) for row in section.rows]
        heads = ("项目", "得分", "判定", "依据", "证据")
        self._table(heads, rows, widths=(38, 16, 17, 92, 17), aligns=("L", "R", "L", "L", "L"))

    def exhibits(self) -> None:
        self._heading("三、证据")
        self._text("录音片段在案卷的网页版和压缩包里，文件名就是时间。", size=SMALL, colour=SOFT)
        for exhibit in self.case.exhibits:
            self._exhibit(exhibit)

    def absences(self) -> None:
        self._heading("四、查过而没有的")
        rows = [(str(e.number), e.title, e.finding.explanation) for e in self.case.absences]
        self._table(("编号", "规则", "查了哪里，最接近的是什么"), rows, widths=(12, 44, 124))

    def transcript(self) -> None:
        self._heading("五、转写")
        soft = FontFace(color=SOFT)
        rows: list[Sequence[Cell]] = [
            ((clock(line.start), soft), line.who, line.text if line.who else (f"〔{line.text}〕", soft))
            for line in self.case.lines
        ]
        self._table((), rows, widths=(17, 14, 149))

    def events(self) -> None:
        self._heading("六、经过：评分、改正和人的决定")
        local = self.case.local
        rows = [(local(e.at), e.what, e.who, e.told, e.points, e.sha256[:12]) for e in self.case.events]
        heads = ("时间", "事情", "谁", "内容", "得分", "评分摘要")
        self._table(heads, rows, widths=(34, 18, 20, 70, 13, 25), aligns=("L", "L", "L", "L", "R", "L"))

    def versions(self) -> None:
        self._heading("七、版本和摘要")
        self._pairs(self.case.versions)

    def rules(self) -> None:
        self._heading("八、规则原文")
        for path, text in self.case.rules.items():
            self._text(path, size=SMALL, colour=SOFT, leading=6)
            self.pdf.set_fill_color(*BACK)
            self._text(text.rstrip(), size=7.5, leading=3.9, fill=True)
            self.pdf.ln(2)

    def _exhibit(self, e: Exhibit) -> None:
        found = e.finding
        draft = "（草稿，不计分）" if e.rule and e.rule.status is Status.DRAFT else ""
        facts = [str(found.span), found.role.chinese]
        if e.phrase:
            facts.append(f"对照“{e.phrase}”" + (f"（{e.how}）" if e.how else ""))
        facts += [f"把握 {found.confidence:.0%}", f"规则 {found.rule_id}", f"编号 {found.id}"]
        if e.clip:
            facts.append(e.clip.name)
        if self.pdf.will_page_break(24):
            self.pdf.add_page()
        colour = OPEN if found.outcome is Outcome.CANNOT_TELL else INK
        self._text(
            f"{e.number}　{e.title}{draft}：{found.outcome.chinese}", size=10.5, colour=colour, leading=6
        )
        if e.quote:
            self._text(f"“{e.quote}”", size=10.5, leading=5.5)
        self._text(found.explanation, size=BODY)
        self._text("　".join(facts), size=SMALL, colour=SOFT, leading=4.2)
        self.pdf.set_draw_color(*LINE)
        y = self.pdf.get_y() + 1.5
        self.pdf.line(MARGIN, y, self.pdf.w - MARGIN, y)
        self.pdf.set_y(y + 2)

    def _figures(self, figures: Sequence[Figure]) -> None:
        """Boxes side by side."""
        pdf, top = self.pdf, self.pdf.get_y() + 3
        width = (pdf.epw - 4 * (len(figures) - 1)) / len(figures)
        for n, figure in enumerate(figures):
            left = MARGIN + n * (width + 4)
            pdf.set_fill_color(*BACK)
            pdf.rect(left, top, width, 17, style="F", round_corners=True, corner_radius=2)
            self._at(left + 4, top + 2, figure.label, SMALL, SOFT)
            self._at(left + 4, top + 7, figure.value, 14, TONES[figure.tone])
        pdf.set_y(top + 21)

    def _at(self, x: float, y: float, text: str, size: float, colour: tuple[int, int, int]) -> None:
        self.pdf.set_xy(x, y)
        self.pdf.set_font(FONT, size=size)
        self.pdf.set_text_color(*colour)
        self.pdf.cell(text=text)

    def _note(self, text: str, colour: tuple[int, int, int]) -> None:
        self.pdf.set_fill_color(*NOTE_BACK[colour])
        self._text(text, size=BODY, colour=colour, leading=7, fill=True)
        self.pdf.ln(1.5)

    def _heading(self, text: str) -> None:
        if self.pdf.will_page_break(48):
            self.pdf.add_page()
        self.pdf.ln(5)
        self._text(text, size=13, leading=8)
        self.pdf.set_draw_color(*INK)
        self.pdf.line(MARGIN, self.pdf.get_y(), self.pdf.w - MARGIN, self.pdf.get_y())
        self.pdf.ln(2)

    def _text(
        self,
        text: str,
        *,
        size: float = BODY,
        colour: tuple[int, int, int] = INK,
        leading: float = 5,
        fill: bool = False,
    ) -> None:
        self.pdf.set_font(FONT, size=size)
        self.pdf.set_text_color(*colour)
        lines = self._wrapped(text, self.pdf.epw - 2 * self.pdf.c_margin)
        self.pdf.multi_cell(0, leading, lines, fill=fill, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _width(self, widths: Sequence[int], column: int) -> float:
        """Of the text in a column, in mm."""
        return float(self.pdf.epw * widths[column] / sum(widths) - 2.4)

    def _wrapped(self, text: str, width: float) -> str:
        """Lines of the font that is set, a little narrower than `width`, so that they stay whole."""
        measure = lru_cache(maxsize=None)(self.pdf.get_string_width)
        return wrapped(text, width - 0.5, measure)

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        rows: list[Sequence[Cell]] = [((label, FontFace(color=SOFT)), value) for label, value in pairs]
        self._table((), rows, widths=(34, 146))

    def _table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        widths: Sequence[int],
        aligns: Sequence[str] = (),
    ) -> None:
        """Horizontal lines only; the heads come again on every page."""
        pdf = self.pdf
        pdf.set_font(FONT, size=BODY - 0.5)
        pdf.set_text_color(*INK)
        pdf.set_draw_color(*LINE)
        pdf.set_fill_color(*WHITE)
        options: dict[str, Any] = {"text_align": tuple(aligns)} if aligns else {"text_align": "LEFT"}
        with pdf.table(
            col_widths=tuple(widths),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            first_row_as_headings=bool(heads),
            headings_style=FontFace(color=SOFT, emphasis=None),
            line_height=4.8,
            padding=(1, 1.2),
            v_align=VAlign.T,
            **options,
        ) as table:
            for cells in [*([tuple(heads)] if heads else []), *rows]:
                row = table.row()
                for cell in cells:
                    text, style = cell if isinstance(cell, tuple) else (cell, None)
                    width = self._width(widths, len(row.cells)) if len(cells) > 1 else pdf.epw - 2.4
                    span = 1 if len(cells) > 1 else len(widths)
                    row.cell(self._wrapped(text, width), style=style, colspan=span)
