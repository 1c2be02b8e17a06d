"""How long a search takes: `python benchmarks/search.py calls.db --calls 10000 --calls 100000`.

`calls.db` is an archive that `made_archive.py` made. A copy of it is filled with the same calls under other
names, agents and days, without what no search reads (whole transcripts and scorecards); then each question is
asked for its first page, several times.
"""

import argparse
import json
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipeline.detect.archive.sweep import warm
from pipeline.settings import Settings
from pipeline.storage.records import CallFilter
from pipeline.storage.store import Store
from pipeline.timeline import Role
from pipeline.workflows.search import Query, search

TIMES = 5
AGENTS = 300
MINUTES = 3
"""Between one call and the next."""
LINE = "| {calls:,} | {what} | {wall:.0f} | {cpu:.0f} | {hits} | {looked:,} |"
ASKED = (
    ("字，常见：请问有什么可以帮您", Query(text="请问有什么可以帮您")),
    ("音，常见", Query(text="请问有什么可以帮您", by_sound=True)),
    ("字，客户说，没有：飞机票改签到火星", Query(text="飞机票改签到火星", role=Role.CUSTOMER)),
    ("音，没有", Query(text="飞机票改签到火星", by_sound=True)),
    (
        "音，没有，只看一名坐席",
        Query(text="飞机票改签到火星", by_sound=True, which=CallFilter(agent_id="B007")),
    ),
    ("规则，常见：closing.goodbye", Query(which=CallFilter(rule_id="closing.goodbye"))),
    ("规则，少见：forbidden.blunt", Query(which=CallFilter(rule_id="forbidden.blunt"))),
    ("规则，没有", Query(which=CallFilter(rule_id="no.such_rule"))),
    ("标签 forbidden", Query(which=CallFilter(label="forbidden"))),
    ("得分 0 到 5", Query(which=CallFilter(least_total=Decimal(0), most_total=Decimal(5)))),
    ("全部，第一页", Query()),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--calls", type=int, action="append", required=True)
    given = parser.parse_args()
    warm()
    with tempfile.TemporaryDirectory() as folder:
        for calls in given.calls:
            copy = Path(folder) / f"{calls}.db"
            shutil.copy(given.database, copy)
            Store.open(f"sqlite:///{copy}").close()
            multiply(copy, calls)
            with Store.open(f"sqlite:///{copy}") as store:
                for line in measured(store, calls):
                    print(line, flush=True)
            copy.unlink()


def measured(store: Store, calls: int) -> Iterator[str]:
    """Each question: the medians of some first pages, in ms of wall and of CPU."""
    settings = Settings()
    for what, query in ASKED:
        page, walls, cpus = search(query, store, settings), [], []
        for _ in range(TIMES):
            wall, cpu = time.perf_counter(), time.process_time()
            page = search(query, store, settings)
            walls.append(1000 * (time.perf_counter() - wall))
            cpus.append(1000 * (time.process_time() - cpu))
        yield LINE.format(
            calls=calls,
            what=what,
            wall=statistics.median(walls),
            cpu=statistics.median(cpus),
            hits=len(page.hits),
            looked=page.looked_through,
        )


def multiply(path: Path, calls: int) -> None:
    """Fill the database up to so many calls."""
    db = sqlite3.connect(path)
    db.executescript("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;")
    known = db.execute(
        "SELECT r.id, r.body, c.transcript_id, max(s.id) FROM recordings r JOIN compact_calls c "
        "ON c.recording_id = r.id JOIN scorecards s ON s.recording_id = r.id GROUP BY r.id ORDER BY r.id"
    ).fetchall()
    indexes = db.execute(INDEXES).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    for number in range(len(known), calls):
        origin, body, transcript, scorecard = known[number % len(known)]
        _copy_recording(db, origin, body, number)
        _copy_scoring(db, f"{number:016x}", transcript, scorecard)
    for _, sql in indexes:
        db.execute(sql)
    db.commit()
    db.close()


def _copy_recording(db: sqlite3.Connection, origin: str, body: bytes, number: int) -> None:
    plain, name = json.loads(zlib.decompress(body)), f"{number:016x}"
    at = datetime.fromisoformat(plain["started_at"]) + timedelta(minutes=MINUTES * number)
    changed = {
        "id": name,
        "sha256": name * 4,
        "call_id": f"M{number:06d}",
        "agent_id": f"B{number % AGENTS:03d}",
        "started_at": at.isoformat(),
    }
    packed = zlib.compress(json.dumps(plain | changed, ensure_ascii=False).encode())
    db.execute(
        f"INSERT INTO recordings (id, sha256, call_id, agent_id, started_at, body, {RECORDING}) "
        f"SELECT ?, ?, ?, ?, ?, ?, {RECORDING} FROM recordings WHERE id = ?",
        (*list(changed.values())[:4], at.strftime("%Y-%m-%d %H:%M:%S.%f"), packed, origin),
    )


INDEXES = (
    "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'findings' AND type = 'index' "
    "AND name <> 'ix_findings_scorecard_id'"
)
RECORDING = "path, duration_ms, business, direction, is_complaint"
TRANSCRIPT = "pipeline, model, model_sha256, settings_digest, origin, created_at, body_sha256"
SCORECARD = (
    "ruleset_digest, template_id, template_version, created_at, reason, total, open_points, points_possible, "
    "open_items, forbidden, fatal, reviews, body_sha256"
)
FINDING = "finding_id, rule_id, label, category, outcome, role, start_ms, end_ms, confidence, quote"


def _copy_scoring(db: sqlite3.Connection, name: str, transcript: int, scorecard: int) -> None:
    heard = db.execute(
        f"INSERT INTO transcripts (recording_id, body, {TRANSCRIPT}) "
        f"SELECT ?, x'', {TRANSCRIPT} FROM transcripts WHERE id = ?",
        (name, transcript),
    ).lastrowid
    db.execute(
        "INSERT INTO compact_calls (transcript_id, recording_id, version, text, detail) "
        "SELECT ?, ?, version, text, detail FROM compact_calls WHERE transcript_id = ?",
        (heard, name, transcript),
    )
    scored = db.execute(
        f"INSERT INTO scorecards (recording_id, transcript_id, body, {SCORECARD}) "
        f"SELECT ?, ?, x'', {SCORECARD} FROM scorecards WHERE id = ?",
        (name, heard, scorecard),
    ).lastrowid
    db.execute(
        f"INSERT INTO findings (scorecard_id, {FINDING}) "
        f"SELECT ?, {FINDING} FROM findings WHERE scorecard_id = ?",
        (scored, scorecard),
    )


if __name__ == "__main__":
    main()
