"""The plots of a report as SVG text that stands alone: letters are outlines, no font is needed."""

from collections.abc import Callable, Sequence
from io import StringIO
from threading import Lock
from typing import Any

from pipeline.scoring.means import Mean
from pipeline.workflows.report.values import BINS, Part, Report

INK, BAR, SOFT, MARK = "#1f3a5f", "#7fa3c7", "#c9d6e3", "#c0504d"
WIDE = 9.0
DRAWING = Lock()
"""The library keeps its settings in one place for all threads."""


def plots(report: Report, words: Callable[[str], str] = str) -> dict[str, str]:
    """SVG by the name of the plot; only plots that have something to show. `words` says in the language of
    the reader what stands beside the axes."""
    with DRAWING:
        made = {
            f"sections.{form.template}": _sections(form.title, parts, words) for form, parts in report.forms()
        }
        made |= {"distribution": _distribution(report, words), "trend": _trend(report, words)}
    return {name: svg for name, svg in made.items() if svg}


def _font() -> Any:
    """Noto Sans SC from its package: no font of the machine is needed."""
    from matplotlib.font_manager import FontProperties
    from pylopdf_fonts_zh_cn import sans_path

    return FontProperties(fname=str(sans_path()))


def _figure(height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # takes a second to load

    figure = Figure(figsize=(WIDE, height), layout="constrained")
    axis = figure.subplots()
    axis.spines[["top", "right"]].set_visible(False)
    return figure, axis


def _svg(figure: Any, axes: tuple[Any, ...], labels: tuple[tuple[Any, str, str], ...]) -> str:
    """`labels`: axis, label below, label at the side. The same report gives the same text."""
    import matplotlib as mpl

    font = _font()
    for axis, below, side in labels:
        axis.set_xlabel(below, fontproperties=font)
        axis.set_ylabel(side, fontproperties=font)
    for axis in axes:
        for tick in (*axis.get_xticklabels(), *axis.get_yticklabels()):
            tick.set_fontproperties(font)
            tick.set_fontsize(9)
    buffer = StringIO()
    with mpl.rc_context({"svg.hashsalt": "callscore", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _percent(axis: Any, which: str) -> None:
    places, names = [0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"]
    (axis.set_xticks if which == "x" else axis.set_yticks)(places, names)
    (axis.set_xlim if which == "x" else axis.set_ylim)(0, 1.02)


def _spread(mean: Mean) -> tuple[float, float]:
    """How far the 95 % interval goes below and above, within 0 and 1; 0 where there is none."""
    if mean.interval is None or mean.value is None:
        return 0.0, 0.0
    low, high = mean.interval
    return mean.value - max(0.0, low), min(1.0, high) - mean.value


def _sections(form: str, parts: Sequence[Part], words: Callable[[str], str]) -> str:
    known = [part for part in parts if part.rate.value is not None][::-1]
    if not known:
        return ""
    figure, axis = _figure(0.9 + 0.38 * len(known))
    rates = [part.rate.value for part in known]
    spreads = list(zip(*(_spread(part.rate) for part in known), strict=True))
    names = [f"{part.title}（n={part.rate.n}）" for part in known]
    axis.barh(range(len(known)), rates, xerr=spreads, color=BAR, ecolor=INK, capsize=3, height=0.6)
    axis.set_yticks(range(len(known)), names)
    _percent(axis, "x")
    axis.set_title(form, fontproperties=_font(), fontsize=11)
    return _svg(figure, (axis,), ((axis, words("得分率（已定的分，细线是 95 % 区间）"), ""),))


def _distribution(report: Report, words: Callable[[str], str]) -> str:
    if not sum(report.distribution):
        return ""
    figure, axis = _figure(2.8)
    axis.bar([i + 0.5 for i in range(BINS)], report.distribution, width=0.92, color=BAR)
    axis.set_xticks(range(BINS + 1), [f"{i * 100 // BINS}" for i in range(BINS + 1)])
    axis.yaxis.get_major_locator().set_params(integer=True)
    return _svg(figure, (axis,), ((axis, words("得分率（%，已定的分）"), words("通话（通）")),))


def _trend(report: Report, words: Callable[[str], str]) -> str:
    known = [group for group in report.trend if group.rate.value is not None]
    if len(known) < 2:
        return ""
    figure, counts = _figure(3.2)
    rates = counts.twinx()
    at = range(len(known))
    counts.bar(at, [group.calls for group in known], color=SOFT, width=0.7)
    counts.set_xticks(at, [group.name[5:] for group in known], rotation=60 if len(known) > 10 else 0)
    counts.yaxis.get_major_locator().set_params(integer=True)
    spreads = list(zip(*(_spread(group.rate) for group in known), strict=True))
    rates.errorbar(
        at,
        [group.rate.value for group in known],
        yerr=spreads,
        color=INK,
        marker="o",
        markersize=4,
        capsize=3,
    )
    rates.spines[["top"]].set_visible(False)
    _percent(rates, "y")
    labels = ((counts, "", words("通话（通，柱）")), (rates, "", words("得分率（线，95 % 区间）")))
    return _svg(figure, (counts, rates), labels)
