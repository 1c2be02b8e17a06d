"""The sweep of the threshold as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.workflows.tuning.sweep import SweepRow

INCHES = (8.0, 4.8)
DPI = 150
COLOURS = {"确认": "#2a7f62", "驳回": "#c0392b", "未定": "#b0b7bd"}


def plot_sweep(rows: Sequence[SweepRow], threshold: float, title: str, path: Path) -> None:
    """Findings by what was decided (bars) and precision with its 95 % interval (line); today's threshold is
    marked. The kind of picture follows the name: .png, .svg, .pdf."""
    from matplotlib.figure import Figure  # takes a second to load

    font = _font()
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    counts = figure.add_subplot()
    _bars(counts, rows)
    shares = counts.twinx()
    _precision(shares, rows)
    shares.axvline(threshold, color="#555555", linestyle="--", linewidth=1, label=f"现在的阈值 {threshold:.2f}")
    counts.set_title(title, fontproperties=font)
    counts.set_xlabel("把握阈值（match_confidence）", fontproperties=font)
    counts.set_ylabel("命中（处）", fontproperties=font)
    shares.set_ylabel("精确率（已判的）", fontproperties=font)
    handles = [axis.get_legend_handles_labels() for axis in (counts, shares)]
    lines, labels = handles[0][0] + handles[1][0], handles[0][1] + handles[1][1]
    figure.legend(lines, labels, loc="outside lower center", ncols=len(labels), prop=font, frameon=False)
    figure.savefig(path)


def _font() -> Any:
    """Noto Sans SC from its package: no font of the machine is needed."""
    from matplotlib.font_manager import FontProperties
    from pylopdf_fonts_zh_cn import sans_path

    return FontProperties(fname=str(sans_path()))


def _bars(axis: Any, rows: Sequence[SweepRow]) -> None:
    at = [row.threshold for row in rows]
    bottom = [0] * len(rows)
    for title, heights in (
        ("确认", [row.confirmed for row in rows]),
        ("驳回", [row.rejected for row in rows]),
        ("未定", [row.undecided for row in rows]),
    ):
        axis.bar(at, heights, width=0.035, bottom=bottom, color=COLOURS[title], label=title)
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    axis.yaxis.get_major_locator().set_params(integer=True)


def _precision(axis: Any, rows: Sequence[SweepRow]) -> None:
    known = [row for row in rows if row.precision.n]
    at = [row.threshold for row in known]
    values = [row.precision.value for row in known]
    low, high = [row.precision.interval[0] for row in known], [row.precision.interval[1] for row in known]
    axis.plot(at, values, color="#1f3a5f", marker="o", markersize=4, label="精确率")
    axis.fill_between(at, low, high, color="#1f3a5f", alpha=0.12, linewidth=0, label="95 % 区间")
    axis.set_ylim(0, 1.05)
