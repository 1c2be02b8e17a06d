"""A database that a user may read but not write."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from other_user import another_user, lock, public_folder, unlock
from sqlalchemy import URL, select

from pipeline.errors import StorageError
from pipeline.storage.night_tables import NightRow
from pipeline.storage.store import Store

AT = datetime(2024, 5, 6, tzinfo=UTC)


@pytest.fixture
def file() -> Iterator[Path]:
    """A database with one night, in a folder that everybody may look into."""
    with public_folder() as folder:
        with Store.open(f"sqlite:///{folder}/calls.db") as store:
            store.start_night("in", at=AT)
        yield folder / "calls.db"


def opened(file: Path) -> Store:
    url = URL.create("sqlite", database=str(file))
    return Store.open(url.render_as_string(), create=False)


def nights(store: Store) -> list[str]:
    return [night.folder for night in store.nights()]


@pytest.mark.parametrize("folder_mode", [0o555, 0o777])
def test_a_database_that_may_not_be_written_is_read_and_nothing_is_left_beside_it(
    file: Path, folder_mode: int
) -> None:
    lock(file, folder=folder_mode)
    with another_user(), opened(file) as store:
        assert nights(store) == ["in"]
    assert [one.name for one in file.parent.iterdir()] == ["calls.db"]


def test_a_file_that_may_be_written_in_a_folder_that_may_not_is_read(file: Path) -> None:
    lock(file)
    file.chmod(0o666)
    with another_user(), opened(file) as store:
        assert nights(store) == ["in"]


def test_a_name_with_signs_that_mean_something_in_addresses_is_read(file: Path) -> None:
    other = file.rename(file.with_name("a b#c%20?.db"))
    lock(other)
    with another_user(), opened(other) as store:
        assert nights(store) == ["in"]


def test_writing_to_it_is_refused_in_one_line(file: Path) -> None:
    lock(file)
    with another_user(), opened(file) as store, pytest.raises(StorageError, match="只能读，写不进去") as told:
        store.start_night("more", at=AT)
    assert "改权限" in told.value.hint


def test_what_a_night_has_written_so_far_is_read_while_it_runs(file: Path) -> None:
    with opened(file) as night:
        night.start_night("more", at=AT)
        lock(file)
        with another_user(), opened(file) as store:
            assert nights(store) == ["more", "in"]
        unlock(file)


def test_a_reader_that_stays_sees_what_is_written_later(file: Path) -> None:
    lock(file)
    with another_user():
        reader = opened(file)
        assert nights(reader) == ["in"]
    unlock(file)
    with reader, opened(file) as night:
        night.start_night("more", at=AT)
        lock(file)
        with another_user():
            assert nights(reader) == ["more", "in"]
        unlock(file)
        night.close()
        lock(file)
        with another_user():
            assert nights(reader) == ["more", "in"]


def test_what_was_read_while_somebody_began_to_write_is_refused(file: Path) -> None:
    lock(file)
    with another_user():
        reader = opened(file)
    with reader, pytest.raises(StorageError, match="读的时候有别的进程写了"):
        read_while_somebody_writes(reader, file)


def read_while_somebody_writes(reader: Store, file: Path) -> None:
    with reader._reading() as session:
        with another_user():
            session.execute(select(NightRow)).all()
        unlock(file)
        with opened(file) as night:
            night.start_night("more", at=AT)


def test_what_only_a_writer_can_bring_in_is_told_and_how(file: Path) -> None:
    leave_as_after_a_crash(file)
    lock(file)
    with another_user(), pytest.raises(StorageError, match=r"没有正常结束.*calls\.db-wal") as told:
        opened(file)
    assert "用能写的账号打开一次" in told.value.hint
    unlock(file)
    with opened(file) as store:
        assert nights(store) == ["more", "in"]


def leave_as_after_a_crash(file: Path) -> None:
    """The file and its log as a process leaves them that is killed."""
    with opened(file) as night:
        night.start_night("more", at=AT)
        kept = {one: one.read_bytes() for one in (file, file.with_name("calls.db-wal"))}
    for one, content in kept.items():
        one.write_bytes(content)
