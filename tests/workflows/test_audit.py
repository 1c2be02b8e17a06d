"""`verify` finds every change of the audit log, and where it was made: on copies of one log, by raw SQL."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit import AuditEntry
from pipeline.storage.sealing import AuditFiles
from pipeline.storage.store import Store
from pipeline.workflows.audit import verify

AT = datetime(2024, 5, 7, 1, 2, 3, 4, tzinfo=UTC)
LINES = 8
COLUMNS = ("at", "who", "action", "object", "detail", "mac")
CONTENT = ", ".join(COLUMNS)


def an_entry(number: int) -> AuditEntry:
    at = AT + timedelta(seconds=number)
    return AuditEntry(
        at=at, who=f"u{number}", action="call.play", object=f"call:{number}", detail={"n": number}
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    with Store.open(f"sqlite:///{folder}/calls.db", audit=AuditFiles(key=folder / "audit.key")) as store:
        store.record(*map(an_entry, range(1, LINES + 1)))
        assert verify(store).faults == ()
    return folder


def first_fault(written: Path, folder: Path, *changes: str) -> int | None:
    """Where `verify` finds the first fault after these statements."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(written, folder)
    with sqlite3.connect(folder / "calls.db") as raw:
        for change in changes:
            raw.execute(change)
    raw.close()
    with Store.open(f"sqlite:///{folder}/calls.db", audit=AuditFiles(key=folder / "audit.key")) as store:
        return min((fault.seq for fault in verify(store).faults), default=None)


def shifted(frm: int, by: int) -> list[str]:
    """Renumber the lines from one on, over numbers that are free."""
    return [
        f"UPDATE audit_log SET seq = -seq WHERE seq >= {frm}",
        f"UPDATE audit_log SET seq = -seq + {by} WHERE seq < 0",
    ]


def swapped(one: int, other: int, columns: tuple[str, ...]) -> list[str]:
    names = ", ".join(columns)
    change = f"UPDATE audit_log SET ({names}) = (SELECT {names} FROM kept WHERE kept.seq = "
    return [
        "CREATE TEMP TABLE kept AS SELECT * FROM audit_log",
        f"{change}{other}) WHERE seq = {one}",
        f"{change}{one}) WHERE seq = {other}",
    ]


SEQ = st.integers(1, LINES)
PAIRS = st.tuples(SEQ, SEQ).filter(lambda pair: pair[0] < pair[1])
EXAMPLES = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize("column", COLUMNS)
@EXAMPLES
@given(seq=SEQ, other=SEQ)
def test_any_edit_is_found_where_it_was_made(written: Path, column: str, seq: int, other: int) -> None:
    value = f"(SELECT {column} FROM audit_log WHERE seq = {other})"
    if other == seq:
        value = "'2024-05-07 00:00:00.000000'" if column == "at" else f"{column} || ' '"
    if column == "action" and other != seq:
        value = "'call.view'"
    change = f"UPDATE audit_log SET {column} = {value} WHERE seq = {seq}"
    assert first_fault(written, written.parent / "edit", change) == seq


@pytest.mark.parametrize("renumber", [False, True])
@EXAMPLES
@given(seq=SEQ)
def test_any_removal_is_found_where_it_was_made(written: Path, renumber: bool, seq: int) -> None:
    changes = [f"DELETE FROM audit_log WHERE seq = {seq}", *(shifted(seq, -1) if renumber else ())]
    assert first_fault(written, written.parent / "removal", *changes) == seq


@pytest.mark.parametrize("columns", [COLUMNS, COLUMNS[:-1]], ids=["with the seals", "without"])
@EXAMPLES
@given(pair=PAIRS)
def test_any_swap_is_found_where_it_was_made(
    written: Path, columns: tuple[str, ...], pair: tuple[int, int]
) -> None:
    assert first_fault(written, written.parent / "swap", *swapped(*pair, columns)) == pair[0]


@EXAMPLES
@given(seq=st.integers(1, LINES + 1), like=SEQ)
def test_any_insertion_is_found_where_it_was_made(written: Path, seq: int, like: int) -> None:
    changes = [
        "CREATE TEMP TABLE kept AS SELECT * FROM audit_log",
        *shifted(seq, 1),
        f"INSERT INTO audit_log SELECT {seq}, {CONTENT} FROM kept WHERE seq = {like}",
    ]
    found = first_fault(written, written.parent / "insertion", *changes)
    assert found == (seq + 1 if like == seq else seq)


@EXAMPLES
@given(kept=st.integers(0, LINES - 1))
def test_any_truncation_is_found_where_it_was_made(written: Path, kept: int) -> None:
    change = f"DELETE FROM audit_log WHERE seq > {kept}"
    assert first_fault(written, written.parent / "truncation", change) == kept + 1


@pytest.mark.parametrize("seq", [0, -1])
def test_a_line_before_the_first_is_found(written: Path, tmp_path: Path, seq: int) -> None:
    change = f"INSERT INTO audit_log SELECT {seq}, {CONTENT} FROM audit_log WHERE seq = 1"
    assert first_fault(written, tmp_path / "copy", change) == seq


def test_an_untouched_copy_has_no_fault(written: Path, tmp_path: Path) -> None:
    assert first_fault(written, tmp_path / "copy") is None


def test_lines_written_over_a_cut_end_do_not_hide_it(written: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    first_fault(written, folder, f"DELETE FROM audit_log WHERE seq > {LINES - 2}")
    with Store.open(f"sqlite:///{folder}/calls.db", audit=AuditFiles(key=folder / "audit.key")) as store:
        for number in range(5):
            store.record(an_entry(number))
        (fault,) = verify(store).faults
        assert (fault.seq, fault.until) == (LINES, LINES + 3)
        assert "audit.anchor" in fault.found


def test_the_log_of_another_database_is_no_log_of_this(written: Path, tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/calls.db", audit=AuditFiles(key=tmp_path / "audit.key")) as store:
        store.record(*map(an_entry, range(1, LINES + 1)))
    shutil.copy(written / "audit.key", tmp_path / "audit.key")
    shutil.copy(written / "audit.anchor", tmp_path / "audit.anchor")
    with Store.open(f"sqlite:///{tmp_path}/calls.db", audit=AuditFiles(key=tmp_path / "audit.key")) as store:
        (fault, *_) = verify(store).faults
    assert (fault.seq, fault.until) == (1, LINES)
