"""How long reports over an archive take: `python -m benchmarks.reports DATABASE --calls 100000`.

DATABASE is an SQLite file with a few scored calls; a copy of it is filled with the same calls under other
ids, agents and days, and every report is made of it.
"""

import argparse
import hashlib
import json
import random
import resource
import shutil
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.media.values import time_zone
from pipeline.storage.store import Store
from pipeline.workflows.report.compute import Order, Surroundings, make_facts, report
from pipeline.workflows.report.html import html
from pipeline.workflows.report.layout import page
from pipeline.workflows.report.period import Asked, between
from pipeline.workflows.report.values import Kind
from pipeline.workflows.report.xlsx import workbook
from pipeline.workflows.roster import Roster
from pipeline.workflows.sample import Rates, Sampling, sample

AGENTS, DAYS = 300, 28
FIRST = datetime(2024, 6, 3, tzinfo=UTC)
LINE = "{what:<28}{seconds:>8.1f} s   {cpu:>8.1f} s CPU   {peak:>6.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--calls", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "many.db"
        shutil.copy(given.database, copy)
        with Store.open(f"sqlite:///{copy}") as store:
            make_facts(store)
        multiply(copy, given.calls)
        with Store.open(f"sqlite:///{copy}") as store:
            for what, (seconds, cpu) in timed(store):
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(LINE.format(what=what, seconds=seconds, cpu=cpu, peak=peak), flush=True)


def multiply(path: Path, calls: int) -> None:
    """Fill the database up with the calls that it has, each under other names."""
    db = sqlite3.connect(path)
    rng = random.Random(7)
    known = db.execute("SELECT id FROM recordings ORDER BY id").fetchall()
    for number in range(calls):
        (origin,) = known[number % len(known)]
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        _copy_recording(db, origin, sha256, number, rng)
        _copy_scoring(db, origin, sha256[:16])
        if number % 5000 == 0:
            db.commit()
    db.commit()
    db.close()


def _copy_recording(
    db: sqlite3.Connection, origin: str, sha256: str, number: int, rng: random.Random
) -> None:
    at = FIRST + timedelta(days=rng.randrange(DAYS), hours=rng.randint(0, 12), minutes=rng.randrange(60))
    agent, call = f"{1000 + rng.randrange(AGENTS)}", f"m{number}"
    (body,) = db.execute("SELECT body FROM recordings WHERE id = ?", (origin,)).fetchone()
    plain = json.loads(zlib.decompress(body)) | {"id": sha256[:16], "sha256": sha256, "call_id": call}
    packed = zlib.compress(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode())
    db.execute(
        "INSERT INTO recordings (id, sha256, call_id, path, started_at, duration_ms, agent_id, business, "
        "direction, is_complaint, body) SELECT ?, ?, ?, path, ?, duration_ms, ?, business, direction, ?, ? "
        "FROM recordings WHERE id = ?",
        (
            sha256[:16],
            sha256,
            call,
            at.strftime("%Y-%m-%d %H:%M:%S.%f"),
            agent,
            rng.random() < 0.03,
            packed,
            origin,
        ),
    )


def _copy_scoring(db: sqlite3.Connection, origin: str, recording: str) -> None:
    columns = (
        "transcript_id, ruleset_digest, template_id, template_version, created_at, reason, total, "
        "open_points, points_possible, open_items, forbidden, fatal, body_sha256, body"
    )
    newest = "(SELECT max(id) FROM scorecards WHERE recording_id = ?)"
    made = db.execute(
        f"INSERT INTO scorecards (recording_id, {columns}) "
        f"SELECT ?, {columns} FROM scorecards WHERE id = {newest}",
        (recording, origin),
    )
    db.execute(
        f"INSERT INTO facts SELECT ?, version, body FROM facts WHERE scorecard_id = {newest}",
        (made.lastrowid, origin),
    )


def now() -> tuple[float, float]:
    """On the wall's clock and on the processor's."""
    return time.perf_counter(), time.process_time()


def since(began: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = now()
    return wall - began[0], cpu - began[1]


def timed(store: Store) -> Iterator[tuple[str, tuple[float, float]]]:
    """Every report over all days, then what is made of one, then the sample."""
    zone = time_zone("Asia/Shanghai")
    teams = {str(1000 + n): f"{n % 12} 班" for n in range(AGENTS)}
    around = Surroundings(zone=zone, roster=Roster(teams=teams), targets={})
    first, last = date(2024, 6, 1), date(2024, 7, 10)
    for kind in Kind:
        asked = Asked() if kind in (Kind.DAY, Kind.WEEK) else Asked(since=first, until=last)
        began = now()
        made = report(Order(kind=kind, asked=asked), store, around)
        yield f"report {kind}（{made.volume.calls} 通）", since(began)
    began = now()
    html(made)
    yield "html", since(began)
    began = now()
    workbook(page(made))
    yield "xlsx", since(began)
    began = now()
    sample(Sampling(period=between(first, last, zone), rates=Rates()), store, Roster(), zone)
    yield "sample", since(began)


if __name__ == "__main__":
    main()
