"""A small archive of beeps and a listener that knows by heart what was said in each."""

import csv
import wave
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from night_children import preparing
from night_listeners import MADE_BY, FakeListener

from pipeline.detect.load import load_ruleset
from pipeline.resources import shipped_rules
from pipeline.settings import Settings
from pipeline.storage.database import open_database
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.workflows.night.values import NightTools

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
RULESET = load_ruleset(shipped_rules())


class Notes:
    """Remembers what the night reported."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def started(self, night: int) -> None:
        self.lines.append("started")

    def counted(self, recordings: int) -> None:
        self.lines.append(f"counted {recordings}")

    def passed(self, recordings: int) -> None:
        self.lines.append(f"passed {recordings}")

    def scored(self, call: ScoredCall) -> None:
        self.lines.append(f"scored {call.recording.name}")

    def quarantined(self, fault: Quarantined) -> None:
        self.lines.append(f"quarantined {fault.reason}")

    def noticed(self, fault: str) -> None:
        self.lines.append(f"noticed {fault}")


def beep(path: Path, hertz: float, seconds: float = 2.0) -> Path:
    """A mono 8 kHz WAV whose bytes differ with `hertz`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(8000 * seconds)) / 8000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    return path


def archive(folder: Path, calls: int = 3) -> Path:
    """`calls` recordings and their metadata.csv."""
    rows = []
    for number in range(1, calls + 1):
        beep(folder / f"audio/c{number}.wav", 300 + 50 * number)
        rows.append(
            [f"c{number}", f"audio/c{number}.wav", "1001", "inbound", f"2024-05-0{number} 10:00:00", "mixed"]
        )
    write_metadata(folder / "metadata.csv", rows)
    return folder


def write_metadata(path: Path, rows: list[list[str]], encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["call_id", "file", "agent_id", "direction", "start_time", "agent_channel"])
        writer.writerows(rows)


def tools(store: Store, listener: FakeListener | None = None, **settings: Any) -> NightTools:
    """Everything in this process, unless `readers` and `workers` say otherwise."""
    ready = listener or FakeListener()
    return NightTools(
        store=store,
        listener=lambda settings: ready,  # type: ignore[arg-type, return-value]
        prepare=preparing,
        provenance=MADE_BY,
        ruleset=lambda: RULESET,
        settings=Settings(**{"readers": 0, "workers": 0, **settings}),
        clock=lambda: NOON,
    )


def kept(url: str) -> list[tuple[Any, ...]]:
    """Everything that a night keeps, without the numbers of rows; the same whatever database it is in."""
    engine = open_database(url)
    with engine.connect() as connection:
        calls = connection.exec_driver_sql(
            """SELECT r.id, r.path, r.body, t.work_key, t.body_sha256, t.body, s.total,
                 s.body_sha256, s.body, p.body,
                 (SELECT count(*) FROM findings f WHERE f.scorecard_id = s.id)
               FROM recordings r JOIN transcripts t ON t.recording_id = r.id
               JOIN scorecards s ON s.transcript_id = t.id JOIN peaks p ON p.recording_id = r.id
               JOIN facts ON facts.scorecard_id = s.id JOIN compact_calls c ON c.transcript_id = t.id
               ORDER BY r.id"""
        ).fetchall()
    engine.dispose()
    return [tuple(call) for call in calls]
