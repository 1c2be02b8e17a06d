"""`make bench-night`: how fast a night is, part by part; writes docs/benchmark-night.md.

    python -m benchmarks.night [--corpus FOLDER] [--quick] [--parts stock,workers,...] [--device cuda]

FOLDER holds recordings, metadata.csv and truth/<name>.json. All parts take about ten minutes on two cores
with nothing else to do; `--quick` takes less of everything. With `--parts` the page is printed and not
written, unless `--markdown` says where.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.night import batches, devices, memory, resumed, stages, stock, waits, workers
from benchmarks.night.nights import Bench, opened
from benchmarks.night.page import Part, Run, page

PARTS: dict[str, Callable[[Bench], Part]] = {
    "stock": stock.part,
    "workers": workers.part,
    "resumed": resumed.part,
    "memory": memory.part,
    "batches": batches.part,
    "waits": waits.part,
    "stages": stages.part,
    "devices": devices.part,
}
PAGE = Path("docs/benchmark-night.md")
COMPUTE, BATCH = {"cpu": "int8", "cuda": "float16"}, {"cpu": 4, "cuda": 16}


def main() -> int:
    """Run, print, write the page; 1 where something that was asked for was not met."""
    options = _options()
    before, began = os.getloadavg()[0], time.monotonic()
    settings = {
        "threads": options.threads,
        "model": options.model,
        "device": options.device,
        "compute_type": COMPUTE[options.device],
        "batch_size": options.batch_size or BATCH[options.device],
    }
    with opened(options.corpus, quick=options.quick, **settings) as bench:
        parts = [_told(name, bench) for name in options.parts]
    seconds, after = time.monotonic() - began, os.getloadavg()[0]
    run = Run(command=_command(options.corpus), before=before, after=after, seconds=seconds)
    lines = page(parts, run)
    print("\n".join(lines))
    target = options.markdown or (PAGE if options.parts == list(PARTS) else None)
    if target:
        target.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return 0 if all(bar.met for part in parts for bar in part.bars) else 1


def _told(name: str, bench: Bench) -> Part:
    """A part, with a word when it begins and what it found."""
    began = time.monotonic()
    print(f"{datetime.now(UTC):%H:%M:%S} {name} ...", file=sys.stderr, flush=True)
    part = PARTS[name](bench)
    for bar in part.bars:
        print(f"    {bar.row()}", file=sys.stderr)
    print(f"    {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return part


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.night",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--corpus", type=Path, default=Path("data/demo"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", type=_names, default=list(PARTS))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--model", default="base")
    parser.add_argument("--device", choices=list(COMPUTE), default="cpu")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = set(names) - set(PARTS)
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: expected some of {', '.join(PARTS)}")
    return names


def _command(corpus: Path) -> str:
    """How to do it again; a folder that only this machine has stays unnamed."""
    given = " ".join("文件夹" if Path(word) == corpus.absolute() else word for word in sys.argv[1:])
    return f"python -m benchmarks.night {given}".strip()


if __name__ == "__main__":
    sys.exit(main())
