"""`make bench-night`: how fast a night is, part by part; writes docs/benchmark-night.md.

    python -m benchmarks.night [--corpus FOLDER] [--quick] [--parts stock,workers,...] [--device cuda]

FOLDER holds recordings, metadata.csv and truth/<name>.json. All parts take half an hour on two cores with
nothing else to do. With `--parts` the other sections of the page stay as they are. `--quick` takes less of
everything and writes no page, unless `--markdown` says where.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.night import batches, devices, memory, resumed, stages, stock, waits, workers
from benchmarks.night.nights import Bench, opened
from benchmarks.night.page import Part, Run, page, section, sections_of
from benchmarks.night.processes import spent

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
    target = options.markdown or (None if options.quick else PAGE)
    settings = {
        "threads": options.threads,
        "model": options.model,
        "device": options.device,
        "compute_type": COMPUTE[options.device],
        "batch_size": options.batch_size or BATCH[options.device],
    }
    met = True
    with opened(options.corpus, quick=options.quick, **settings) as bench:
        for name in options.parts:
            part, run = _measured(name, bench)
            text = section(part, run)
            print(f"## {part.title}\n\n{text}\n", flush=True)
            met = met and all(bar.met for bar in part.bars)
            if target:
                before = sections_of(target.read_text(encoding="utf-8")) if target.exists() else {}
                target.write_text(page({**before, part.title: text}), encoding="utf-8")
    return 0 if met else 1


def _measured(name: str, bench: Bench) -> tuple[Part, Run]:
    """A part, with a word when it begins."""
    print(f"{datetime.now(UTC):%H:%M:%S} {name} ...", file=sys.stderr, flush=True)
    began, own, all_of_it = time.monotonic(), spent(), _busy_seconds()
    part = PARTS[name](bench)
    seconds = time.monotonic() - began
    others = _busy_seconds() - all_of_it - (spent() - own)
    share = max(0.0, others) / (seconds * (os.cpu_count() or 1))
    return part, Run(command=_command(bench.corpus, name), seconds=seconds, others=share)


def _busy_seconds() -> float:
    """Of all processors, by all programs, since the machine was started."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice


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


def _command(corpus: Path, name: str) -> str:
    """How to do a part again; a folder that only this machine has stays unnamed."""
    here = Path.cwd()
    folder = corpus.relative_to(here).as_posix() if corpus.is_relative_to(here) else "文件夹"
    given = [
        word for word in sys.argv[1:] if word.startswith(("--quick", "--model", "--device", "--threads"))
    ]
    return " ".join(("python -m benchmarks.night", "--corpus", folder, "--parts", name, *given))


if __name__ == "__main__":
    sys.exit(main())
