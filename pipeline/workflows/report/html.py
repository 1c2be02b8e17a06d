"""A report as one page that stands alone: no script, no link, plots and letters inside."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.workflows.page_font import font_of
from pipeline.workflows.report.cells import Lines, Page, Table, text
from pipeline.workflows.report.layout import page
from pipeline.workflows.report.plots import plots
from pipeline.workflows.report.values import Report

TEMPLATE = "page.html.jinja"


def html(report: Report) -> str:
    """The report with its plots."""
    drawn = {name: Markup(svg) for name, svg in plots(report).items()}
    return render(page(report), drawn)


def render(laid: Page, drawn: Mapping[str, Markup]) -> str:
    """Any page. Everything but the plots is escaped."""
    template = _environment().get_template(TEMPLATE)
    letters = template.render(page=laid, plots={}, font="")
    return template.render(page=laid, plots=drawn, font=font_of(letters))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["text"] = text
    environment.tests["table"] = lambda block: isinstance(block, Table)
    environment.tests["lines"] = lambda block: isinstance(block, Lines)
    return environment
