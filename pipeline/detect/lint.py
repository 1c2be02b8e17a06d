"""All that is wrong or doubtful in a rules folder: what cannot be read, and what the checks find."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from pipeline.detect.lints import CHECKS
from pipeline.detect.lints.accepted import weighed
from pipeline.detect.lints.notice import Level, Notice, notice_of
from pipeline.detect.lints.subject import Subject
from pipeline.detect.load import examine_texts, read_texts

__all__ = ["CHECKS", "Level", "Notice", "lint", "lint_texts", "notice_of"]

Watch = Callable[[], None]
"""Called before each check."""


def lint(folder: Path, today: date) -> tuple[Notice, ...]:
    """Every notice by path and line; none when all is well. Raises NotFound: no such folder."""
    files, faults = read_texts(folder)
    notices = (*map(notice_of, faults), *lint_texts(files, today))
    return tuple(sorted(notices, key=lambda notice: notice.order))


def lint_texts(files: Mapping[str, str], today: date, watch: Watch = lambda: None) -> tuple[Notice, ...]:
    """The same for texts by path relative to the rules folder; what they name must be among them."""
    ruleset, faults = examine_texts(files)
    subject = Subject(ruleset=ruleset, today=today)
    notices = [notice_of(fault) for fault in faults]
    for name, check in CHECKS.items():
        watch()
        notices += [replace(notice, check=name) for notice in check(subject)]
    told = weighed(notices, files, CHECKS)
    return tuple(sorted(told, key=lambda notice: notice.order))
