"""The demo calls as they were heard once, scored by today's rules: a full page without the speech model.

`python tests/review/demo.py DATABASE` writes the file anew from a night over data/demo.
"""

import gzip
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.settings import Settings
from pipeline.storage import mapping
from pipeline.storage.records import CallFilter
from pipeline.storage.store import Store
from pipeline.timeline import Call
from pipeline.workflows.rescore import Scorer

ROOT = Path(__file__).parents[2]
HEARD = ROOT / "tests" / "data" / "demo_heard.json.gz"
AUDIO = ROOT / "data" / "demo" / "audio"
NIGHT = datetime(2026, 5, 20, 18, tzinfo=UTC)


def heard() -> tuple[Call, ...]:
    """The demo calls, their recordings where they are now."""
    found = json.loads(gzip.decompress(HEARD.read_bytes()))
    return tuple(_call(entry) for entry in found)


def _call(entry: dict[str, object]) -> Call:
    recording = mapping.recording_from_plain(entry["recording"])
    path = AUDIO / Path(recording.path).name
    return Call(
        recording=replace(recording, path=str(path)),
        transcript=mapping.transcript_from_plain(entry["transcript"]),
    )


def fill(store: Store, settings: Settings) -> None:
    """Score the demo calls into a store, as a night does."""
    scorer = Scorer.in_force(store, settings, at=NIGHT)
    for call in heard():
        store.save_night_result(scorer.scored(call), at=NIGHT, reason="night")


def keep(database: str) -> None:
    """Write the file from a database that a night made."""
    with Store.open(database, create=False) as store:
        calls = sorted(store.stored(CallFilter()), key=lambda call: call.recording.name)
        plain = [
            {
                "recording": mapping.recording_to_plain(
                    replace(c.recording, path=Path(c.recording.path).name)
                ),
                "transcript": mapping.transcript_to_plain(c.transcript),
            }
            for c in calls
        ]
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    HEARD.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    keep(sys.argv[1])
