"""A decoded file and the PBX's row about it, joined to a Recording."""

from dataclasses import replace
from pathlib import Path

from pipeline.media.decode import Decoded
from pipeline.media.places import address
from pipeline.media.rows import Row
from pipeline.timeline import Recording

ID_DIGITS = 16


def recording_id(sha256: str) -> str:
    """The first 16 hex digits of the fingerprint."""
    return sha256[:ID_DIGITS]


def recording_of(path: Path, decoded: Decoded, sha256: str, row: Row | None) -> Recording:
    """What is known about the recording; without a row, what the file alone says."""
    file_facts = Recording(
        id=recording_id(sha256),
        sha256=sha256,
        path=address(path),
        duration=decoded.samples.duration,
        sample_rate=decoded.source_rate,
        channels=decoded.channels,
        codec=decoded.codec,
        warnings=decoded.warnings,
    )
    return with_row(file_facts, row) if row else file_facts


def with_row(recording: Recording, row: Row) -> Recording:
    """The same recording with what the PBX says about it."""
    return replace(
        recording,
        call_id=row.call_id,
        started_at=row.started_at,
        agent_id=row.agent_id,
        customer=row.customer,
        direction=row.direction,
        business=row.business,
        queue_wait_seconds=row.queue_wait_seconds,
        ring_count=row.ring_count,
        agent_channel=row.agent_channel,
        is_complaint=row.is_complaint,
    )
