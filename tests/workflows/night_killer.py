"""Runs nights over a folder in processes of their own and kills them; prints what came of it as JSON.

    python night_killer.py FOLDER DATABASE SEED KILLS [--commits] [--readers N]

One process loads the code; each night is split off it. With readers one of its child processes is killed
first. `--commits` kills the n-th night at its n-th commit,
before and after it in turn, else nights are killed at random moments. The last night is left alone.
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from night_help import FakeListener, Notes, beep, tools
from sqlalchemy import Engine, event

from pipeline.storage.store import Store
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night


def main() -> None:
    options = _options()
    _warm_up()
    chance = random.Random(options.seed)  # noqa: S311
    longest, killed, finished = (4.0 if options.readers else 0.4), 0, 0
    for number in range(options.kills):
        nth = number + 1 if options.commits else 0
        child = os.fork()
        if not child:
            _night(options, nth)
        if not nth:
            time.sleep(chance.uniform(0, longest))
            _kill_one(_below(child), chance)
            time.sleep(chance.uniform(0, longest / 4))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        finished += os.WIFEXITED(status)
    child = os.fork()
    if not child:
        _night(options, 0)
    _, status = os.waitpid(child, 0)
    print(json.dumps({"killed": killed, "finished": finished, "last": status}))


def _warm_up() -> None:
    """What is made at the first use is made once, for all processes that are split off."""
    with tempfile.TemporaryDirectory() as place, Store.open("sqlite://") as store:
        beep(Path(place) / "in/a.wav", 500)
        run_night(NightPlan(folder=Path(place) / "in"), tools(store, FakeListener()), Notes())


def _below(process: int) -> list[int]:
    """The server of child processes and those that it split off."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (child, *_below(child))]


def _kill_one(processes: list[int], chance: random.Random) -> None:
    if processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(processes), signal.SIGKILL)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("database")
    parser.add_argument("seed", type=int)
    parser.add_argument("kills", type=int)
    parser.add_argument("--commits", action="store_true")
    parser.add_argument("--readers", type=int, default=0)
    return parser.parse_args()


def _night(options: argparse.Namespace, nth: int) -> None:
    if nth:
        _kill_at(nth)
    with Store.open(options.database) as store:
        ready = tools(store, FakeListener(), readers=options.readers)
        run_night(NightPlan(folder=options.folder), ready, Notes())
    os._exit(0)


def _kill_at(nth: int) -> None:
    """Odd numbers before the commit, even ones after it."""
    count = 0

    @event.listens_for(Engine, "commit")
    def _(connection: object) -> None:
        nonlocal count
        count += 1
        if count == nth // 2 + 1:
            if nth % 2 == 0:
                connection.connection.driver_connection.execute("COMMIT")  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
