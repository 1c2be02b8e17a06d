"""The chain of the audit log: the files beside the database, the seal of a line, lines added.

The key is never in the database, so that who can write there cannot make a seal. The anchor holds the newest
seal: lines taken off the end are missed. It is written after the commit: the log may be ahead of the anchor,
never behind.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.audit import Anchor, AuditEntry, AuditLine
from pipeline.errors import StorageError
from pipeline.storage import mapping
from pipeline.storage.account_tables import AuditRow
from pipeline.storage.turns import Turn, take_turn

LOG = logging.getLogger("callscore.audit")

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFiles:
    """The key's file, and beside it the anchor's."""

    key: Path

    @property
    def anchor(self) -> Path:
        return self.key.with_suffix(".anchor")

    def read_key(self) -> bytes | None:
        """None: there is no such file. Raises StorageError where it is no key."""
        try:
            found = bytes.fromhex(self.key.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StorageError(f"{self.key}：读不出审计密钥", hint="从备份恢复这个文件") from error
        if len(found) != KEY_BYTES:
            raise StorageError(f"{self.key}：应为 {KEY_BYTES} 字节的审计密钥", hint="从备份恢复这个文件")
        return found

    def make_key(self) -> bytes:
        """A new key, readable by its owner only. Raises StorageError."""
        key = secrets.token_bytes(KEY_BYTES)
        self._write(self.key, key.hex())
        return key

    def read_anchor(self) -> Anchor | None:
        """None: there is no such file, or it is damaged."""
        try:
            found = json.loads(self.anchor.read_text(encoding="ascii"))
            return Anchor(seq=int(found["seq"]), mac=str(found["mac"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            LOG.warning("%s cannot be read", self.anchor)
            return None

    def write_anchor(self, anchor: Anchor) -> None:
        """Replaced whole. Raises StorageError."""
        self._write(self.anchor, json.dumps({"seq": anchor.seq, "mac": anchor.mac}) + "\n")

    def _write(self, path: Path, content: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            new.replace(path)
        except OSError as error:
            raise StorageError(
                f"{path}：写不进去（{error.strerror}）", hint="检查文件夹的权限，或改设置 audit_key"
            ) from error


def seal(key: bytes, line: AuditLine, previous: str) -> str:
    """The seal that a line ought to have behind one whose seal is `previous`; the line's own is not looked
    at."""
    at = line.at.astimezone(UTC).isoformat(timespec="microseconds")
    sealed = [line.seq, at, line.who, line.action, line.object, line.detail, previous]
    return hmac.new(key, mapping.canonical(sealed), hashlib.sha256).hexdigest()


def append(session: Session, files: AuditFiles | None, entries: Sequence[AuditEntry]) -> int:
    """Add lines at the end of a transaction: no other process can add any until it is over. The number of the
    last.

    Raises StorageError: there is no key for a log that has lines.
    """
    if files is None:
        raise StorageError("审计日志没有密钥文件，什么也没有记下", hint="用设置 audit_key 指明")
    take_turn(session.connection(), Turn.AUDIT)
    last = newest(session)
    key = files.read_key()
    if key is None and last is None:
        files.write_anchor(Anchor())
        key = files.make_key()
    if key is None:
        raise StorageError(f"{files.key}：审计密钥不见了，什么也没有记下", hint="从备份恢复这个文件")
    seq, previous = (last.seq, last.mac) if last else (0, "")
    for number, entry in enumerate(entries, start=seq + 1):
        line = _line(number, entry)
        line = replace(line, mac=seal(key, line, previous))
        session.add(row_of(line))
        previous = line.mac
    session.flush()
    return seq + len(entries)


def advance(session: Session, files: AuditFiles) -> int:
    """Bring the anchor up to the newest line, unless lines before it were tampered with: then the anchor
    stays as the proof of it. The number of its line; 0: it stays."""
    take_turn(session.connection(), Turn.AUDIT)
    anchor, last = files.read_anchor(), newest(session)
    if anchor is None or last is None or not _holds(session, anchor):
        LOG.warning("the audit log does not fit %s; run `callscore audit verify`", files.anchor)
        return 0
    if last.seq > anchor.seq:
        files.write_anchor(Anchor(seq=last.seq, mac=last.mac))
    return last.seq


def newest(session: Session) -> AuditRow | None:
    return session.scalar(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1))


def row_of(line: AuditLine) -> AuditRow:
    return AuditRow(
        seq=line.seq,
        at=line.at,
        who=line.who,
        action=line.action,
        object=line.object,
        detail=line.detail,
        mac=line.mac,
    )


def line_of(row: AuditRow) -> AuditLine:
    return AuditLine(
        seq=row.seq,
        at=row.at,
        who=row.who,
        action=row.action,
        object=row.object,
        detail=row.detail,
        mac=row.mac,
    )


def _line(seq: int, entry: AuditEntry) -> AuditLine:
    detail = mapping.canonical(dict(entry.detail)).decode("utf-8", "surrogatepass")
    return AuditLine(
        seq=seq,
        at=entry.at,
        who=mapping.column_text(entry.who),
        action=mapping.column_text(entry.action),
        object=mapping.column_text(entry.object),
        detail=mapping.column_text(detail),
        mac="",
    )


def _holds(session: Session, anchor: Anchor) -> bool:
    if anchor.seq == 0:
        return True
    return session.scalar(select(AuditRow.mac).where(AuditRow.seq == anchor.seq)) == anchor.mac
