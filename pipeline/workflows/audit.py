"""The audit log: where it is kept, and whether it is still as it was written."""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipeline.audit import Anchor, AuditEntry, AuditLine
from pipeline.errors import StorageError
from pipeline.settings import Settings
from pipeline.storage.database import beside
from pipeline.storage.sealing import AuditFiles, seal
from pipeline.storage.store import Store

RESTORE = "不要再改动；从备份恢复数据库，和备份比对，查清是谁动的"
RENEW = "从备份恢复它；确实找不回来，查清之后用 callscore audit verify --renew 重新起头"


@dataclass(frozen=True, slots=True)
class AuditFault:
    """What is wrong from line `seq` to line `until`: what was found, what was expected, what to do next."""

    seq: int
    until: int
    found: str
    expected: str
    todo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a look at the whole log found: nothing, where it is as it was written."""

    lines: int
    faults: tuple[AuditFault, ...]


def audit_files(settings: Settings) -> AuditFiles:
    """As the settings say, else beside the database: each has its own. Raises StorageError."""
    return AuditFiles(key=Path(settings.audit_key or beside(settings.database, ".audit.key")))


def open_store(settings: Settings, *, create: bool = False) -> Store:
    """The database of the settings, with its audit log. Raises StorageError."""
    return Store.open(settings.database, create=create, audit=audit_files(settings))


def verify(store: Store) -> Verified:
    """Look at every line: edits, removals, insertions, another order, a cut end. Raises StorageError: this
    store has no audit log, or the key cannot be read."""
    files = store.audit_files
    if files is None:
        raise StorageError("没有指明审计日志的密钥", hint="用设置 audit_key 指明")
    anchor = files.read_anchor()  # before the lines: they can only be ahead of it
    walk = _Walk(key=files.read_key(), anchor=anchor)
    faults = [*_merged(walk.faults(store.audit_chain())), *walk.faults_of_files(files)]
    return Verified(lines=walk.lines, faults=tuple(faults))


def renew(store: Store, who: str, at: datetime) -> None:
    """Take the end of the log as it is, and note who did."""
    store.renew_anchor(AuditEntry(at=at, who=who, action="audit.renewed"))


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One walk along the chain, and what it met: how many lines, the last number, whether the line of the
    anchor is there."""

    key: bytes | None
    anchor: Anchor | None
    lines: int = 0
    last: int = 0
    anchored: bool = False

    def faults(self, chain: Iterable[AuditLine]) -> Iterator[AuditFault]:
        previous = ""
        for line in chain:
            fault = self._fault(line, previous)
            if fault is not None:
                yield fault
            self.lines += 1
            self.last, previous = max(self.last, line.seq), line.mac
            self.anchored |= self.anchor == Anchor(seq=line.seq, mac=line.mac)

    def _fault(self, line: AuditLine, previous: str) -> AuditFault | None:
        if line.seq < 1:
            return AuditFault(line.seq, line.seq, "多出来一条", "编号从 1 起", RESTORE)
        if line.seq > self.last + 1:
            return AuditFault(self.last + 1, line.seq - 1, "不见了", "编号一条接一条", RESTORE)
        if self.key is None or hmac.compare_digest(seal(self.key, line, previous), line.mac):
            return None
        found = "和封印不符：改过、挪过，或前面少了、多了一条"
        return AuditFault(line.seq, line.seq, found, "写下时的内容和次序", RESTORE)

    def faults_of_files(self, files: AuditFiles) -> Iterator[AuditFault]:
        if self.key is None:
            if self.lines or self.anchor is not None:
                yield AuditFault(
                    1, self.last, f"没有密钥文件 {files.key}", "写下这些时的密钥", "从备份恢复它"
                )
        elif self.anchor is None:
            yield AuditFault(
                self.last, self.last, f"{files.anchor} 不见了，或已损坏", "它记着最新一条", RENEW
            )
        elif self.anchor.seq > self.last:
            end = f"到第 {self.anchor.seq} 条为止"
            yield AuditFault(self.last + 1, self.anchor.seq, "结尾被截掉", end, RESTORE)
        elif self.anchor.seq and not self.anchored:
            found = f"不是 {files.anchor} 记下的那一条：后面的被截掉过，又写了新的"
            yield AuditFault(self.anchor.seq, self.last, found, "记下的那一条", RESTORE)


def _merged(faults: Iterable[AuditFault]) -> Iterator[AuditFault]:
    """Faults of one kind that follow each other become one."""
    open_fault: AuditFault | None = None
    for fault in faults:
        if open_fault and (open_fault.found, open_fault.until + 1) == (fault.found, fault.seq):
            open_fault = replace(open_fault, until=fault.until)
            continue
        if open_fault:
            yield open_fault
        open_fault = fault
    if open_fault:
        yield open_fault
