"""A report as one page that stands alone: no script, no link, plots inside."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.workflows.report.cells import Lines, Table, text
from pipeline.workflows.report.layout import page
from pipeline.workflows.report.plots import plots
from pipeline.workflows.report.values import Report

TEMPLATE = "page.html.jinja"


def html(report: Report) -> str:
    """The page. Everything but our own plots is escaped."""
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
    drawn = {name: Markup(svg) for name, svg in plots(report).items()}  # noqa: S704  (drawn by us, escaped)
    return environment.get_template(TEMPLATE).render(page=page(report), plots=drawn)
