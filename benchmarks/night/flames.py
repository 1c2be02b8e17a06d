"""A flame graph as a picture: how wide a frame is says how much time went through it."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Stack = tuple[str, ...]

WIDTH_INCHES, ROW_INCHES = 14.0, 0.17
LEAST = 0.002
"""Narrower frames are left out, as parts of the whole."""
LETTER = 0.0047
"""How wide a letter is, as a part of the picture."""
DEEPEST = 30
"""Rows: what is called below is inside."""
MACHINERY = "importlib"
"""Frames of it are left out: an import in an import in an import."""


@dataclass(slots=True)
class Frame:
    """A function and what it calls, with how much time went through it."""

    name: str
    count: int = 0
    below: dict[str, "Frame"] = field(default_factory=dict)

    def add(self, stack: Stack, count: int) -> None:
        self.count += count
        if stack:
            first, *rest = stack
            self.below.setdefault(first, Frame(first)).add(tuple(rest), count)

    def boxes(self, whole: int, start: float = 0.0, depth: int = 0) -> Iterator["Box"]:
        """This one and those below it, the widest of each first."""
        share = self.count / whole
        if share < LEAST or depth > DEEPEST:
            return
        yield Box(name=self.name, start=start, width=share, depth=depth)
        for frame in sorted(self.below.values(), key=lambda frame: (-frame.count, frame.name)):
            yield from frame.boxes(whole, start, depth + 1)
            start += frame.count / whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where a frame is drawn: parts of the width, rows from the bottom."""

    name: str
    start: float
    width: float
    depth: int

    @property
    def label(self) -> str:
        """As much of the name as there is room for."""
        room = int(self.width / LETTER)
        return self.name if len(self.name) <= room else self.name[: room - 1] + "…" if room > 4 else ""


def drawn(stacks: Mapping[Stack, int], title: str) -> str:
    """SVG."""
    from matplotlib import pyplot, rc_context

    root = Frame(title)
    for stack, count in stacks.items():
        root.add(tuple(frame for frame in stack if MACHINERY not in frame), count)
    boxes = list(root.boxes(max(1, root.count)))
    rows = 1 + max(box.depth for box in boxes)
    with rc_context({"svg.fonttype": "none", "font.size": 7, "svg.hashsalt": "callscore"}):
        figure = pyplot.figure(figsize=(WIDTH_INCHES, rows * ROW_INCHES))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, rows)
        for box in boxes:
            middle, edge = box.depth + 0.5, {"edgecolor": "white", "linewidth": 0.3}
            axes.barh(middle, box.width, 0.94, box.start, color=colour_of(box.name), **edge)
            axes.text(box.start + LETTER / 3, middle, box.label, va="center", clip_on=True)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return out.getvalue()


def colour_of(name: str) -> str:
    """By what a frame belongs to."""
    parts = (
        ("pipeline/speech/", "#f2a65a"),
        ("pipeline/media/", "#7fb7be"),
        ("pipeline/storage/", "#b8a1d9"),
        ("pipeline/detect/", "#9cc97f"),
        ("pipeline/", "#f6d186"),
    )
    return next((colour for mark, colour in parts if mark in name), "#d9d9d9")
