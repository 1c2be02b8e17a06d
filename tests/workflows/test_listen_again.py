from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dispute_help import NOON, a_call, rules
from night_help import beep

from pipeline.detect.script import call_of
from pipeline.errors import ModelError, NotFound, UsageError
from pipeline.media.decode import fingerprint
from pipeline.settings import Settings
from pipeline.speech.provenance import TRANSCRIPT_VERSION, provenance_of
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Provenance, Transcript
from pipeline.workflows.dispute.changes import item_changes
from pipeline.workflows.dispute.listen_again import HeardAgain, Hearing, hearing_of, listen_again, reworded
from pipeline.workflows.dispute.replay import rules_by_digest
from pipeline.workflows.process_call import judge

SETTINGS = Settings()
MADE_BY = provenance_of(SETTINGS)


class Says:
    """A listener that knows by heart what it hears."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript

    def prepare(self, recording: object, samples: object, lost: object) -> object:
        return recording

    def hear(self, recordings: list[object]) -> Iterator[tuple[object, Transcript]]:
        yield recordings[0], self.transcript


def heard(said: str, made_by: Provenance = MADE_BY) -> Transcript:
    return replace(call_of(said).transcript, provenance=made_by)


def filled(folder: Path, made_by: Provenance = MADE_BY) -> tuple[Store, StoredCall]:
    path = beep(folder / "c1.wav", 400, seconds=15)
    sha256, call = fingerprint(path), a_call()
    about = replace(call.recording, path=str(path), sha256=sha256, id=sha256[:16])
    transcript = replace(call.transcript, provenance=made_by)
    store = Store.open(f"sqlite:///{folder}/calls.db")
    scored = judge(replace(call, recording=about, transcript=transcript), rules(), SETTINGS)
    store.save_night_result(scored, at=NOON, reason="nightly")
    return store, store.latest(about.id)


def again(store: Store, stored: StoredCall, hearing: Hearing, transcript: Transcript) -> HeardAgain:
    listener = Says(transcript)
    return listen_again(stored, hearing, listener, store, rules_by_digest(store))  # type: ignore[arg-type]


def test_the_same_words_again_are_identical(tmp_path: Path) -> None:
    store, stored = filled(tmp_path)
    with store:
        found = again(store, stored, hearing_of(stored, store, SETTINGS), stored.transcript)
    assert found.identical
    assert found.reworded == ()


def test_other_words_are_told_with_the_findings_and_items_that_follow(tmp_path: Path) -> None:
    store, stored = filled(tmp_path)
    fresh = replace(a_call().transcript, provenance=MADE_BY)
    turn = fresh.turns[0]
    words = tuple(replace(w, text=w.text.replace("宫", "工")) for w in turn.words)
    fresh = replace(fresh, turns=(replace(turn, words=words), *fresh.turns[1:]))
    with store:
        found = again(store, stored, hearing_of(stored, store, SETTINGS), fresh)
        assert len(store.history(stored.recording.id)) == 1
        assert store.latest(stored.recording.id) == stored
    assert not found.identical
    assert [(part.before, part.after) for part in found.reworded] == [("宫", "工")]
    assert [change.title for change in item_changes(found.before, found.after)] == ["报工号"]


def test_words_that_are_new_or_gone_are_told_apart() -> None:
    before, after = heard("坐席 1.0 好的。\n客户 3.0 再见。"), heard("坐席 1.0 好的呀。\n坐席 9.0 再见。")
    found = {(part.role.chinese, part.before, part.after) for part in reworded(before, after)}
    assert ("客户", "再见。", "") in found
    assert all(part[0] == "坐席" for part in found - {("客户", "再见。", "")})


def test_a_missing_recording_is_asked_for(tmp_path: Path) -> None:
    store, stored = filled(tmp_path)
    moved = Path(stored.recording.path).rename(tmp_path / "moved.wav")
    with store:
        with pytest.raises(NotFound, match="录音文件不在了") as caught:
            hearing_of(stored, store, SETTINGS)
        assert "--audio" in caught.value.hint
        assert hearing_of(stored, store, SETTINGS, moved).path == moved


def test_a_recording_with_other_bytes_is_refused(tmp_path: Path) -> None:
    store, stored = filled(tmp_path)
    beep(Path(stored.recording.path), 800)
    with store, pytest.raises(NotFound, match="不是当时听的那个录音"):
        hearing_of(stored, store, SETTINGS)


def test_another_model_is_refused(tmp_path: Path) -> None:
    store, stored = filled(tmp_path, replace(MADE_BY, model_sha256="1" * 64))
    with store, pytest.raises(ModelError, match="不是当时那一个"):
        hearing_of(stored, store, SETTINGS)


def test_settings_of_the_day_are_used_where_they_were_kept_and_else_refused(tmp_path: Path) -> None:
    of_the_day = Settings(beam_size=3)
    store, stored = filled(tmp_path, provenance_of(of_the_day))
    with store:
        with pytest.raises(UsageError, match="识别的设置没有存下"):
            hearing_of(stored, store, SETTINGS)
        store.keep_listening(of_the_day.transcript_digest(), of_the_day.of_hearing())
        assert hearing_of(stored, store, SETTINGS).settings.beam_size == 3


def test_a_transcript_of_another_version_of_listening_is_heard_with_a_note(tmp_path: Path) -> None:
    store, stored = filled(tmp_path, replace(MADE_BY, pipeline="1"))
    with store:
        notes = hearing_of(stored, store, SETTINGS).notes
    assert TRANSCRIPT_VERSION in notes[0]
