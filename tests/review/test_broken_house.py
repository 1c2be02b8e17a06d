"""What people are told, and what is kept: the disk is full, the database can only be read, a file is gone."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from page_help import LOGINS, PASSWORD, Browser, Desk, shown, token_of
from small_house import small_house
from sqlalchemy import event, text

from pipeline.account import Role
from pipeline.storage.store import Store
from pipeline.workflows.accounts import passwords

FULL, READ_ONLY = "disk is full", "readonly"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Browser]:
    with small_house(tmp_path) as made:
        yield made


@contextmanager
def every_connection(store: Store, pragma: str) -> Iterator[None]:
    """The pragma on all connections that are opened from now on."""
    engine = store._engine

    def prepare(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA {pragma}").close()

    engine.dispose()
    event.listen(engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(engine, "connect", prepare)
        engine.dispose()


@contextmanager
def full_disk(store: Store) -> Iterator[None]:
    """Not one page more."""
    with store._engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
    with every_connection(store, f"max_page_count = {pages}"):
        yield


def read_only(store: Store) -> Any:
    return every_connection(store, "query_only = ON")


def marked_until_refused(desk: Desk) -> Response:
    """Long notes, one after the other."""
    for number in range(200):
        answer = desk.mark("note", "", f"{number}" + "很" * 1_900)
        if answer.status_code != 200:
            return answer
    raise AssertionError("the disk never was full")


def test_a_full_disk_is_told_and_nothing_is_half_kept(
    house: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(house, "c1").claim()
    desk.mark("value", "tone", "良")
    with full_disk(house.store), caplog.at_level(logging.ERROR, "callscore.review"):
        answer = marked_until_refused(desk)
        assert answer.status_code == 503
        assert "数据库写不进去，没有保存" in shown(answer)
        assert "磁盘可能满了" in shown(answer)
        before = desk.page()
        assert before.status_code == 200
        assert house.get("/queue").status_code == 200
    assert FULL in caplog.text
    assert shown(desk.page()) == shown(before)
    assert desk.mark("value", "thanks", "差", reason="没有").status_code == 200


def test_in_a_database_that_is_only_to_be_read_people_read_on_and_are_told_when_they_write(
    house: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(house, "c1").claim()
    desk.mark("value", "tone", "良")
    house.at += timedelta(minutes=35)  # the session is to be noted, and the claim has ended
    with read_only(house.store), caplog.at_level(logging.WARNING):
        for path in ("/queue", desk.path, "/rules", "/search", "/me"):
            assert house.get(path).status_code == 200, path
        answer = desk.mark("value", "tone", "差")
        assert answer.status_code == 503
        assert "数据库写不进去，没有保存" in shown(answer)
        played = house.get(f"{desk.path}/audio")
        assert played.status_code in (404, 503)  # not heard without a line in the audit log
    assert READ_ONLY in caplog.text
    assert desk.claim().mark("value", "tone", "差").status_code == 200


def test_nobody_logs_in_where_failures_cannot_be_counted(house: Browser) -> None:
    house.client.cookies.clear()
    token = token_of(house.get("/login"))
    with read_only(house.store):
        fields = {"csrf": token, "login": LOGINS[Role.INSPECTOR], "password": PASSWORD}
        answer = house.client.post("/login", data=fields, headers={"origin": "https://testserver"})
        assert answer.status_code == 503
        assert "数据库写不进去" in shown(answer)
        assert "__Host-callscore=" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("gone", [True, False])
def test_a_recording_that_cannot_be_played_does_not_tell_where_it_lay(
    house: Browser, tmp_path: Path, gone: bool, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "archiv" / "c1.wav"
    if not gone:
        place.parent.mkdir()
        place.write_bytes(b"something else")
    house.store.update_recording(replace(house.store.find_call("c1"), path=str(place)))
    desk = Desk(house, "c1").claim()
    assert desk.page().status_code == 200
    with caplog.at_level(logging.ERROR, "callscore.review"):
        answer = house.get(f"{desk.path}/audio")
    assert answer.status_code == 404
    assert "录音现在听不了" in shown(answer)
    assert desk.id in shown(answer)
    assert "archiv" not in answer.text
    assert str(place) in caplog.text


def test_an_unknown_login_is_answered_as_a_known_one_is(
    house: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    statements: list[str] = []

    class Counted:
        def verify(self, kept: str, password: str) -> bool:
            hashed.append(kept)
            return passwords.PasswordHasher.verify(cheap, kept, password)

        def __getattr__(self, name: str) -> Any:
            return getattr(cheap, name)

    cheap = passwords.HASHER
    passwords.fits("warm", None)
    monkeypatch.setattr(passwords, "HASHER", Counted())
    event.listen(
        house.store._engine,
        "before_cursor_execute",
        lambda c, cur, statement, *_: statements.append(statement),
    )
    told = []
    for login in (LOGINS[Role.INSPECTOR], "nobody"):
        house.client.cookies.clear()
        token = token_of(house.get("/login"))
        hashed.clear()
        statements.clear()
        fields = {"csrf": token, "login": login, "password": "wrong wrong wrong"}
        answer = house.client.post("/login", data=fields, headers={"origin": "https://testserver"})
        writes = sum(one.split()[0] in ("BEGIN", "INSERT", "UPDATE", "DELETE") for one in statements)
        told.append((answer.status_code, shown(answer).replace(login, ""), len(hashed), writes))
    assert told[0] == told[1]
    assert told[0][2] == 1
