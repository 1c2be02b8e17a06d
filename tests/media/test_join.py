from pathlib import Path

from sounds import tone, write

from pipeline.media.decode import decode, fingerprint
from pipeline.media.join import recording_of
from pipeline.media.rows import Row
from pipeline.timeline import Direction


def test_a_recording_joins_the_bytes_and_the_row(tmp_path: Path) -> None:
    path = write(tmp_path, "alaw.wav", tone(2, channels=2))
    row = Row(
        number=2, path=str(path), call_id="c7", agent_id="1021", direction=Direction.OUTBOUND, ring_count=3
    )
    recording = recording_of(path, decode(path), fingerprint(path), row)
    assert recording.id == fingerprint(path)[:16]
    assert (recording.duration, recording.sample_rate, recording.channels) == (2000, 8000, 2)
    assert (recording.name, recording.agent_id, recording.ring_count) == ("c7", "1021", 3)
    assert recording.direction is Direction.OUTBOUND


def test_a_recording_without_a_row_goes_by_the_id_of_its_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, "alaw.wav", tone(2))
    recording = recording_of(path, decode(path), fingerprint(path), None)
    assert recording.name == recording.id
    assert recording.agent_id is None
