"""What a night leaves in files: a log as it goes and a report at its end. Ids, times and causes, never what
was said."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TextIO

from pipeline.errors import UsageError
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.workflows.night.pace import Pace
from pipeline.workflows.night.values import NightPlan, Summary, Watcher


class Log:
    """One JSON object a line: `at`, `event`, `night`, and what belongs to the event."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        """Raises UsageError: the file cannot be written."""
        self._clock, self._night = clock, None  # type: tuple[Callable[[], datetime], int | None]
        try:
            self._file: TextIO = path.open("a", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path}：日志写不进去（{error.strerror}）", hint="检查设置 log") from error

    def started(self, night: int) -> None:
        self._night = night
        self._write("started")

    def counted(self, recordings: int) -> None:
        self._write("counted", recordings=recordings)

    def passed(self, recordings: int) -> None:
        """Not worth a line each."""

    def scored(self, call: ScoredCall) -> None:
        about = call.recording
        self._write("scored", recording=about.id, call=about.call_id, duration_ms=about.duration)

    def quarantined(self, fault: Quarantined) -> None:
        self._write("quarantined", recording=(fault.sha256 or "")[:16], stage=fault.stage, why=fault.reason)

    def noticed(self, fault: str) -> None:
        self._write("noticed", what=fault)

    @contextmanager
    def lines(self) -> Iterator[None]:
        """What the program logs of the night meanwhile is kept here, and shows nowhere else."""
        with logged_by(_Into(self)):
            yield

    def warned(self, line: str) -> None:
        self._write("warned", what=line)

    def ended(self, summary: Summary) -> None:
        """The last line; the file is closed."""
        self._write("ended", **summary.counts())
        self._file.close()

    def _write(self, event: str, **values: object) -> None:
        line = {"at": self._clock().isoformat(), "event": event, "night": self._night} | values
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()


class _Into(logging.Handler):
    """Lines of the program as events."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.warned(record.getMessage())


@contextmanager
def logged_by(handler: logging.Handler) -> Iterator[None]:
    """What the program logs of a night goes there; nothing of it shows on a terminal."""
    logger = logging.getLogger("callscore.night")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class Together:
    """Several watchers as one."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    def started(self, night: int) -> None:
        for watcher in self._watchers:
            watcher.started(night)

    def counted(self, recordings: int) -> None:
        for watcher in self._watchers:
            watcher.counted(recordings)

    def passed(self, recordings: int) -> None:
        for watcher in self._watchers:
            watcher.passed(recordings)

    def scored(self, call: ScoredCall) -> None:
        for watcher in self._watchers:
            watcher.scored(call)

    def quarantined(self, fault: Quarantined) -> None:
        for watcher in self._watchers:
            watcher.quarantined(fault)

    def noticed(self, fault: str) -> None:
        for watcher in self._watchers:
            watcher.noticed(fault)


def report(summary: Summary, plan: NightPlan, at: datetime) -> str:
    """The night for other programs, as JSON."""
    counts = summary.counts()
    pace = Pace.of(counts)
    document = {
        "night": summary.night,
        "folder": str(plan.folder),
        "ended_at": at.isoformat(),
        "counts": counts,
        "out_of_time": summary.out_of_time,
        "realtime_factor": round(pace.realtime(summary.seconds), 2),
        "calls_per_hour": round(pace.per_hour(summary.seconds), 1),
        "quarantined": [_plain(fault) for fault in summary.quarantined],
        "notices": summary.notices,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _plain(fault: Quarantined) -> dict[str, object]:
    return {name: value for name, value in asdict(fault).items() if name != "at"}
