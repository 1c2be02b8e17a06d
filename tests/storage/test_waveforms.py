from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.errors import StorageError
from pipeline.samples import Peaks
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store

AT = datetime(2024, 5, 7, tzinfo=UTC)
STEREO = Peaks(step=50, channels=(bytes(range(100)), bytes(range(100, 200))))


def test_a_waveform_comes_back_as_it_was_kept(store: Store, scored: Callable[..., ScoredCall]) -> None:
    call = replace(scored(), peaks=STEREO)
    store.save_night_result(call, at=AT, reason="nightly")
    assert store.peaks(call.recording.id) == STEREO
    assert store.peaks("0" * 16) is None


def test_the_first_waveform_stays(store: Store, scored: Callable[..., ScoredCall]) -> None:
    call = scored()
    store.save_night_result(call, at=AT, reason="nightly")
    assert store.peaks(call.recording.id) is None
    store.keep_peaks(call.recording.id, STEREO)
    store.keep_peaks(call.recording.id, Peaks(step=100, channels=(b"",)))
    assert store.peaks(call.recording.id) == STEREO


def test_there_is_no_waveform_without_a_recording(store: Store) -> None:
    with pytest.raises(StorageError):
        store.keep_peaks("0" * 16, STEREO)
