"""A table to print, on a terminal or a page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table to print: a column of text and columns of figures, or all `prose`. `note` stands above it."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    prose: bool = False
    note: str = ""


def percent(share: float | None) -> str:
    """`percent(0.5) == "50.0 %"`; a dash for None."""
    return "—" if share is None else f"{100 * share:.1f} %"


def decimal(value: float | None) -> str:
    """Three places; a dash for None."""
    return "—" if value is None else f"{value:.3f}"
