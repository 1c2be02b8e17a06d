"""Kills nights, the processes that recognize for them and those that decode, at random moments.

    python tests/workflows/night_workers_killer.py [--seed 1] [--kills 20] [--calls 120]
    python tests/workflows/night_workers_killer.py [--seed 1] [--kills 20] --model base [--folder FOLDER]

Without `--model` the words are known by heart and so many recordings are made here; else it is
`callscore nightly` as it is, over FOLDER, with two processes that recognize. Each run has a database of its
own; after its kills one more night is left alone, and what is kept then is compared with an undisturbed
night, byte for byte.
Prints what came of it as JSON.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from night_help import NOON, Notes, beep, kept, tools
from night_listeners import Slow

from pipeline.cli.app import main as callscore
from pipeline.errors import ModelError
from pipeline.storage.store import Store
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night

ROOT = Path(__file__).parents[2]
COORDINATOR_SHARE = 0.15
LONGEST = 0.3
"""Between two kills, of the time that an undisturbed night takes."""
EXIT_QUARANTINED, EXIT_STOPPED = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """`run` is one night into the database at a path, called in a process of its own; over one database there
    are at most `each` kills."""

    run: Callable[[Path], None]
    each: int

    def begin(self, path: Path) -> BaseProcess:
        night = get_context("fork").Process(target=self.run, args=(path,))
        night.start()
        return night


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as place:
        nights = _real(options.model, options.folder) if options.model else _fake(Path(place), options.calls)
        print(json.dumps(killed(nights, Path(place), options.seed, options.kills)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--calls", type=int, default=120)
    parser.add_argument("--model")
    parser.add_argument("--folder", type=Path, default=ROOT / "data/demo")
    return parser.parse_args()


def killed(nights: Nights, place: Path, seed: int, kills: int) -> dict[str, int]:
    """Kills by what was killed, runs, recordings of each, and how many a run left in quarantine because of
    three kills. Raises SystemExit: not all is as after an undisturbed night."""
    whole, began = place / "whole.db", time.monotonic()
    _left_alone(nights, whole)
    killer, runs, quarantined = Killer(seed, LONGEST * (time.monotonic() - began)), 0, 0
    while killer.kills < kills:
        path = place / f"killed{runs}.db"
        killer.disturb(nights, path, min(kills, killer.kills + nights.each))
        _left_alone(nights, path)
        runs, quarantined = runs + 1, quarantined + _tried_again(nights, path)
        if kept(f"sqlite:///{path}") != kept(f"sqlite:///{whole}"):
            raise SystemExit(f"seed {seed}: run {runs} differs from an undisturbed night ({killer.counts})")
        path.unlink()
    counts = {**killer.counts, "runs": runs, "quarantined": quarantined}
    return {**counts, "seed": seed, "recordings": _count(whole)}


class Killer:
    """Kills at random moments, at most `longest` seconds apart: processes below a night, or the night."""

    def __init__(self, seed: int, longest: float) -> None:
        self._chance, self._longest = random.Random(seed), longest  # noqa: S311
        self.counts: Counter[str] = Counter(coordinator=0, below=0, stopped=0)

    @property
    def kills(self) -> int:
        return self.counts["coordinator"] + self.counts["below"]

    def disturb(self, nights: Nights, path: Path, most: int) -> None:
        """Nights over one database, until all is done or so many were killed. What the last kill left goes on
        by itself."""
        while self.kills < most:
            night = nights.begin(path)
            while night.is_alive() and self.kills < most:
                time.sleep(self._chance.uniform(0, self._longest))
                self._kill_one(night.pid or 0)
            night.join()
            if night.exitcode in (0, EXIT_QUARANTINED):
                return
            if night.exitcode == EXIT_STOPPED:
                self.counts["stopped"] += 1
            elif night.exitcode != -signal.SIGKILL:
                raise SystemExit(f"a night whose processes were killed ended with {night.exitcode}")

    def _kill_one(self, night: int) -> None:
        below = _below(night)
        is_below = bool(below) and self._chance.random() > COORDINATOR_SHARE
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._chance.choice(below) if is_below else night, signal.SIGKILL)
            self.counts["below" if is_below else "coordinator"] += 1


def _left_alone(nights: Nights, path: Path) -> None:
    night = nights.begin(path)
    night.join()
    if night.exitcode not in (0, EXIT_QUARANTINED):
        raise SystemExit(f"a night that was left alone ended with {night.exitcode}")


def _tried_again(nights: Nights, path: Path) -> int:
    """Three kills of one recording look like its own fault; as an operator would, it is tried again."""
    with Store.open(f"sqlite:///{path}") as store:
        paths = [fault.path for fault in store.quarantined() if fault.is_poison]
        store.retry(paths, at=NOON)
    if paths:
        _left_alone(nights, path)
    return len(paths)


def _count(path: Path) -> int:
    with Store.open(f"sqlite:///{path}") as store:
        return store.counts()["recordings"]


def _below(process: int) -> list[int]:
    """All processes that came from it."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (child, *_below(child))]


def _fake(place: Path, calls: int) -> Nights:
    for number in range(calls):
        beep(place / f"in/c{number:05}.wav", 300 + number, 0.6)

    def run(path: Path) -> None:
        with Store.open(f"sqlite:///{path}") as store:
            ready = replace(tools(store, workers=2, readers=2), listener=Slow(0.02))
            try:
                run_night(NightPlan(folder=place / "in"), ready, Notes())
            except ModelError as error:  # they were killed before they were ready, again and again
                print(error, file=sys.stderr)
                sys.exit(EXIT_STOPPED)

    return Nights(run=run, each=20)


def _real(model: str, folder: Path) -> Nights:
    def run(path: Path) -> None:
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        os.environ["CALLSCORE_WORKERS"] = "2"
        sys.argv = ["callscore", "nightly", str(folder), "--database", f"sqlite:///{path}", "--model", model]
        callscore()

    return Nights(run=run, each=7)


if __name__ == "__main__":
    main()
