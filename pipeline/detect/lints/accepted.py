"""Warnings that the owner of a rule has weighed: `# lint: CHECK reason` behind the line they point at."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.detect.document import one_of_these
from pipeline.detect.lints.notice import Level, Notice
from pipeline.scope import Source

CHECK = "accepted"
_REMARK = re.compile(r"(?<=\s)#\s*lint:\s*(?P<check>[\w-]*)[ \t]*(?P<reason>[^#\n]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remark:
    source: Source
    check: str
    reason: str

    @property
    def about(self) -> tuple[str, int, str]:
        return self.source.path, self.source.line, self.check


def weighed(notices: Iterable[Notice], files: Mapping[str, str], checks: Iterable[str]) -> tuple[Notice, ...]:
    """The notices, with the warnings that a remark accepts told as such; and what is wrong with remarks.

    Where a file has an error its rules are left out, and warnings with them: then no remark is one too many.
    """
    remarks = [remark for path, text in files.items() for remark in _remarks(path, text)]
    reasons = {remark.about: remark.reason for remark in remarks if remark.reason}
    told = tuple(_accepted(notice, reasons) for notice in notices)
    if any(notice.level is Level.ERROR for notice in told):
        needed = {remark.about for remark in remarks}
    else:
        needed = {_about(notice) for notice in told if notice.level is Level.ACCEPTED}
    return (*told, *(fault for remark in remarks for fault in _faults(remark, needed, frozenset(checks))))


def _remarks(path: str, text: str) -> Iterator[_Remark]:
    for found in _REMARK.finditer(text):
        begin = text.rfind("\n", 0, found.start("check")) + 1
        line = text.count("\n", 0, begin) + 1
        column = text.index("#", found.start()) - begin + 1
        source = Source(path=path, line=line, column=column)
        yield _Remark(source=source, check=found["check"], reason=found["reason"].strip())


def _accepted(notice: Notice, reasons: Mapping[tuple[str, int, str], str]) -> Notice:
    reason = reasons.get(_about(notice))
    if reason is None or notice.level is Level.ERROR:
        return notice
    return replace(notice, level=Level.ACCEPTED, reason=reason)


def _about(notice: Notice) -> tuple[str, int, str]:
    return notice.source.path, notice.source.line, notice.check


def _faults(remark: _Remark, needed: set[tuple[str, int, str]], checks: frozenset[str]) -> Iterator[Notice]:
    if remark.check not in checks:
        message = f"发现检查 `{remark.check}` 不存在，应为{one_of_these(remark.check, checks)}"
    elif not remark.reason:
        message = f"发现 `# lint: {remark.check}` 没有理由，应为说明为什么就该这样；在后面写上"
    elif remark.about not in needed:
        message = f"发现 `# lint: {remark.check}`，而这里没有这个警告，应为没有这句说明；删掉它"
    else:
        return
    yield Notice(check=CHECK, level=Level.WARNING, source=remark.source, message=message)
