"""The audit log: added to with what it tells of or not at all, by many at once."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import rescore

from pipeline.appeal import Appeal, AppealEvent, Step
from pipeline.audit import Anchor, AuditEntry, AuditFilter
from pipeline.errors import NotFound, StorageError
from pipeline.scorecard import Decision, Review
from pipeline.storage.records import Change, Correction, Rescored, Reviewed, ScoredCall, Subject
from pipeline.storage.sealing import AuditFiles
from pipeline.storage.store import Store
from pipeline.workflows.audit import renew, verify

AT = datetime(2024, 5, 7, 1, 2, 3, 4, tzinfo=UTC)
Make = Callable[..., ScoredCall]


def an_entry(number: int = 1) -> AuditEntry:
    at = AT + timedelta(seconds=number)
    return AuditEntry(
        at=at, who=f"u{number}", action="call.play", object=f"call:{number}", detail={"n": number}
    )


@pytest.fixture
def files(tmp_path: Path) -> AuditFiles:
    return AuditFiles(key=tmp_path / "keys" / "audit.key")


@pytest.fixture
def audited(url: str, files: AuditFiles) -> Iterator[Store]:
    with Store.open(url, audit=files) as opened:
        yield opened


def test_entries_come_back_in_order_and_hold(audited: Store) -> None:
    audited.record(an_entry(1), an_entry(2))
    audited.record(an_entry(3))
    assert [line.seq for line in audited.audit_chain()] == [1, 2, 3]
    assert [line.who for line in audited.audit_lines(AuditFilter())] == ["u3", "u2", "u1"]
    assert audited.audit_lines(AuditFilter())[-1].at == an_entry(1).at
    assert verify(audited) == replace(verify(audited), lines=3, faults=())


def test_lines_are_listed_by_person_action_and_time(audited: Store) -> None:
    plain = an_entry(1)
    audited.record(plain, replace(plain, action="call.player"), replace(plain, action="call", who="u2"))

    def found(**asked: object) -> list[int]:
        return [line.seq for line in audited.audit_lines(AuditFilter(**asked))]  # type: ignore[arg-type]

    assert found(who="u1") == [2, 1]
    assert found(action="call") == [3, 2, 1]
    assert found(action="call.play") == [1]
    assert found(action="c_ll") == []
    assert found(since=plain.at) == [3, 2, 1]
    assert found(since=plain.at + timedelta(microseconds=1)) == []
    assert found(limit=1) == [3]


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "'; DROP TABLE audit_log; --", "字" * 5000, "\u202e"])
def test_whatever_is_written_can_be_verified(audited: Store, text: str) -> None:
    audited.record(replace(an_entry(), who=text, object=text, detail={text: text}))
    audited.record(an_entry())
    assert verify(audited).faults == ()


def test_key_and_anchor_are_for_their_owner_only_and_not_in_the_database(
    audited: Store, files: AuditFiles, tmp_path: Path
) -> None:
    audited.record(an_entry())
    assert files.key.stat().st_mode & 0o777 == files.anchor.stat().st_mode & 0o777 == 0o600
    key = files.read_key()
    assert key is not None
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("calls.db*"))
    assert key not in stored
    assert key.hex().encode() not in stored
    assert sorted(path.name for path in files.key.parent.iterdir()) == ["audit.anchor", "audit.key"]


def test_many_who_write_at_once_make_one_chain(url: str, files: AuditFiles) -> None:
    stores = [Store.open(url, audit=files) for _ in range(4)]

    def work(store: Store) -> None:
        for number in range(8):
            store.record(an_entry(number), an_entry(number))

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(stores[0])
    assert (found.lines, found.faults) == (64, ())
    anchor = files.read_anchor()
    assert anchor is not None
    assert anchor.seq == 64
    for store in stores:
        store.close()


def test_a_store_without_a_log_refuses_what_comes_with_an_entry(store: Store) -> None:
    with pytest.raises(StorageError, match="密钥"):
        store.record(an_entry())
    with pytest.raises(StorageError, match="密钥"):
        verify(store)


# decisions


def reviewed(store: Store, call: ScoredCall) -> Reviewed:
    review = Review(
        recording_id=call.recording.id,
        who="王",
        at=AT,
        decision=Decision.OVERRIDE,
        target="service",
        value="良",
        reason="",
    )
    before = store.reviews(call.recording.id)
    return Reviewed(
        reviews=(review,),
        scored=replace(call, reviews=len(before) + 1),
        basis=store.latest(call.recording.id).scorecard_id,
        reason="",
    )


@pytest.fixture
def call(audited: Store, scored: Make) -> ScoredCall:
    found = scored(1)
    audited.save_night_result(found, at=AT, reason="nightly")
    return found


def test_a_decision_and_its_entry_are_kept_together(audited: Store, call: ScoredCall) -> None:
    assert audited.save_reviewed(reviewed(audited, call), at=AT)
    (line,) = audited.audit_lines(AuditFilter())
    assert (line.who, line.action, line.object) == ("王", "review.override", f"call:{call.recording.id}")
    assert '"target":"service"' in line.detail
    assert '"value":"良"' in line.detail
    assert audited.reviews(call.recording.id)


def test_a_decision_that_came_too_late_leaves_no_entry(audited: Store, call: ScoredCall) -> None:
    late = reviewed(audited, call)
    rescore(audited, call, at=AT, reason="rescore")
    assert audited.save_reviewed(late, at=AT) is None
    assert audited.audit_lines(AuditFilter()) == ()


def test_a_decision_that_failed_leaves_no_entry(audited: Store, call: ScoredCall) -> None:
    review = replace(reviewed(audited, call).reviews[0], recording_id="0" * 16)
    with pytest.raises(NotFound):
        audited.add_review(review)
    assert audited.audit_lines(AuditFilter()) == ()


def test_no_reason_note_or_correction_reaches_the_log(audited: Store, call: ScoredCall) -> None:
    where, said = call.recording.id, "我不是说了吗"
    review = replace(reviewed(audited, call).reviews[0], reason=said)
    audited.add_review(review)
    audited.add_review(replace(review, decision=Decision.NOTE, value=said, target=""))
    step = AppealEvent(step=Step.RAISED, who="1021", at=AT, reason=said, until=AT)
    appeal = Appeal(recording_id=where, template_id="t", item="service", title=said, days=7, events=(step,))
    number = audited.add_appeal(appeal, earlier=0)
    change = Change(what="00:12.3", before=said, after=said)
    correction = Correction(
        recording_id=where, subject=Subject.WORDS, changes=(change,), who="王", at=AT, reason=said
    )
    basis, scored = audited.latest(where).scorecard_id, replace(call, reviews=2)
    assert audited.save_rescore(
        Rescored(scored=scored, basis=basis, reason=said, correction=correction), at=AT
    )
    lines = tuple(audited.audit_chain())
    assert [line.action for line in lines] == [
        "review.override",
        "review.note",
        "appeal.raised",
        "call.correct",
    ]
    assert [line.object for line in lines] == [f"call:{where}"] * 2 + [f"appeal:{number}", f"call:{where}"]
    assert said not in repr(lines)
    assert verify(audited).faults == ()


def test_without_the_key_nothing_is_decided(audited: Store, call: ScoredCall, files: AuditFiles) -> None:
    audited.record(an_entry())
    files.key.unlink()
    with pytest.raises(StorageError, match="备份"):
        audited.save_reviewed(reviewed(audited, call), at=AT)
    assert audited.reviews(call.recording.id) == ()
    assert not files.key.exists()
    assert [fault.seq for fault in verify(audited).faults] == [1]


@pytest.mark.parametrize("content", ["", "ff" * 31, "密", "zz" * 32])
def test_a_key_that_is_none_is_refused(audited: Store, files: AuditFiles, content: str) -> None:
    audited.record(an_entry())
    files.key.write_text(content, encoding="utf-8")
    with pytest.raises(StorageError, match=r"audit\.key"):
        audited.record(an_entry())
    with pytest.raises(StorageError, match=r"audit\.key"):
        verify(audited)


# crashes


def test_a_crash_before_the_anchor_does_not_look_like_tampering(
    audited: Store, files: AuditFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited.record(an_entry(1))
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_advance", lambda self, line: None)
        audited.record(an_entry(2))
    assert files.read_anchor() == Anchor(seq=1, mac=audited.audit_lines(AuditFilter())[-1].mac)
    assert verify(audited).faults == ()
    audited.record(an_entry(3))
    anchor = files.read_anchor()
    assert anchor is not None
    assert anchor.seq == 3


def test_a_crash_at_the_very_first_entry_does_not_either(audited: Store, files: AuditFiles) -> None:
    files.write_anchor(Anchor())
    files.make_key()
    assert verify(audited).faults == ()
    audited.record(an_entry())
    assert verify(audited).faults == ()


def test_an_anchor_that_cannot_be_written_loses_no_entry(
    audited: Store, files: AuditFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited.record(an_entry(1))

    def full(self: AuditFiles, anchor: Anchor) -> None:
        raise StorageError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(AuditFiles, "write_anchor", full)
        audited.record(an_entry(2))
    assert verify(audited) == replace(verify(audited), lines=2, faults=())


def test_a_lost_anchor_is_told_and_not_made_anew_in_silence(audited: Store, files: AuditFiles) -> None:
    audited.record(an_entry(1))
    files.anchor.unlink()
    audited.record(an_entry(2))
    assert not files.anchor.exists()
    (fault,) = verify(audited).faults
    assert "audit.anchor" in fault.found
    assert "--renew" in fault.todo
    renew(audited, "cli:root", AT)
    assert verify(audited) == replace(verify(audited), lines=3, faults=())
    assert audited.audit_lines(AuditFilter(limit=1))[0].action == "audit.renewed"


def test_several_who_decide_at_once_move_the_anchor_to_the_newest_line(
    audited: Store, files: AuditFiles
) -> None:
    start = threading.Barrier(8)

    def one(number: int) -> None:
        start.wait(20)
        audited.record(an_entry(number))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    newest = audited.audit_lines(AuditFilter())[0]
    assert newest.seq == 8
    assert files.read_anchor() == Anchor(seq=8, mac=newest.mac)
    assert verify(audited).faults == ()
