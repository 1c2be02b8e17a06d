"""What shows on a terminal while something takes long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Move = Callable[[], None]


@contextmanager
def bar(title: str, total: int | None = None) -> Iterator[Move]:
    """A bar on a terminal's standard error, gone at the end; what is yielded moves it on by one. Without
    `total` it says that the work goes on."""
    out = Console(stderr=True)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)
