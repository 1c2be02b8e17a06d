"""The sweep of the threshold as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.workflows.tuning.sweep import SweepRow

INCHES = (8.0, 5.6)
DPI = 150
BAR = 0.036
INK, CONFIRMED, REJECTED, UNDECIDED = "#1f3a5f", "#3a8f6f", "#d0604f", "#c3cad0"


def plot_sweep(rows: Sequence[SweepRow], threshold: float, title: str, path: Path) -> None:
    """Above the precision with its 95 % interval, below the findings by what was decided; today's threshold
    is marked. The kind of picture follows the name: .png, .svg, .pdf."""
    from matplotlib.figure import Figure  # takes a second to load

    font = _font()
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    shares, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _precision(shares, rows)
    _bars(counts, rows)
    for axis in (shares, counts):
        axis.axvline(threshold, color="#555555", linestyle="--", linewidth=1, label=f"现在 {threshold:.2f}")
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(prop=font, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    shares.set_title(title, fontproperties=font)
    shares.set_ylabel("精确率（判过的）", fontproperties=font)
    counts.set_ylabel("命中（处）", fontproperties=font)
    counts.set_xlabel("把握阈值（设置 match_confidence）", fontproperties=font)
    figure.savefig(path)


def _font() -> Any:
    """Noto Sans SC from its package: no font of the machine is needed."""
    from matplotlib.font_manager import FontProperties
    from pylopdf_fonts_zh_cn import sans_path

    return FontProperties(fname=str(sans_path()))


def _precision(axis: Any, rows: Sequence[SweepRow]) -> None:
    known = [row for row in rows if row.precision.n]
    at = [row.threshold for row in known]
    low, high = [row.precision.interval[0] for row in known], [row.precision.interval[1] for row in known]
    axis.fill_between(at, low, high, color=INK, alpha=0.15, linewidth=0, label="95 % 区间")
    axis.plot(at, [row.precision.value for row in known], color=INK, marker="o", markersize=4, label="精确率")
    axis.set_ylim(0, 1.05)
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])


def _bars(axis: Any, rows: Sequence[SweepRow]) -> None:
    at = [row.threshold for row in rows]
    bottom = [0] * len(rows)
    for title, colour, heights in (
        ("确认", CONFIRMED, [row.confirmed for row in rows]),
        ("驳回", REJECTED, [row.rejected for row in rows]),
        ("未定", UNDECIDED, [row.undecided for row in rows]),
    ):
        axis.bar(at, heights, width=BAR, bottom=bottom, color=colour, label=title)
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    axis.yaxis.get_major_locator().set_params(integer=True)
