"""Turns: what only one process at a time does in a database."""

from enum import IntEnum

from sqlalchemy import Connection, text


class Turn(IntEnum):
    """Any numbers, the same for everybody."""

    SCHEMA = 0x63616C6C
    """The schema is made."""
    ACCOUNTS = 0x61636374
    """Users change, or a login is counted."""
    AUDIT = 0x61756469
    """A line is added to the audit log."""
    QUARANTINE = 0x71756172
    """A file is put into quarantine or taken out."""
    RULE_DRAFTS = 0x64726674
    """A draft of a rule is saved."""


def take_turn(connection: Connection, turn: Turn) -> None:
    """Wait until it is this transaction's turn; it lasts to its end. SQLite has its write lock already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": turn.value})
