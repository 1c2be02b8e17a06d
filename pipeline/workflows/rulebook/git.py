"""The git work tree that a rules folder may lie in: what happened to one file, and one more commit of it.

Nothing of the repository is run: no hooks, no signing, no pager, no external diff. Paths are taken literally.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipeline.account import User
from pipeline.errors import UsageError

SECONDS = 30
LONGEST_DIFF = 256 * 1024
MOST_COMMITS = 100
REVISION = re.compile(r"[0-9a-f]{40,64}")
_STILL = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "commit.gpgSign=false", "gc.auto=0")
_FIELDS = "%H%x00%an%x00%aI%x00%cn%x00%s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit that changed a file. `editor` wrote it, `publisher` took it in."""

    revision: str
    editor: str
    at: datetime
    publisher: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who is named in a commit: author and committer."""

    editor: User
    publisher: User

    @property
    def environment(self) -> dict[str, str]:
        named = {"AUTHOR": self.editor, "COMMITTER": self.publisher}
        names = {f"GIT_{part}_NAME": _plain(user.name) or user.login for part, user in named.items()}
        return names | {f"GIT_{part}_EMAIL": f"{user.login}@callscore" for part, user in named.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """A folder under git."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def commits(self, path: str) -> tuple[Commit, ...]:
        """The newest commits that changed a file (relative to the folder), newest first."""
        listed = self._run("log", f"-n{MOST_COMMITS}", f"--format={_FIELDS}", "--", path, quiet=True)
        return tuple(_commit(line) for line in listed.split("\n") if line.count("\0") == 4)

    def diff(self, revision: str, path: str) -> str:
        """What a commit changed in a file. Raises UsageError: no revision of this file."""
        if not REVISION.fullmatch(revision) or all(c.revision != revision for c in self.commits(path)):
            raise UsageError("这个文件没有这一版", hint="从历史里选")
        flags = ("--format=", "--no-color", "--no-ext-diff", "--no-textconv")
        return self._run("show", *flags, revision, "--", path)[:LONGEST_DIFF]

    def changes(self, path: str) -> str:
        """Git's two letters for a file that differs from the last commit; empty: it does not."""
        return self._run("status", "--porcelain", "--no-renames", "--", path)[:2]

    def commit(self, path: str, message: str, signed: Signed) -> str:
        """Commit this file and nothing else; the revision. Raises UsageError: git refuses."""
        self._run("add", "--", path)
        flags = ("--quiet", "--no-verify", "--no-edit", "--cleanup=verbatim", "--file=-", "--only")
        self._run("commit", *flags, "--", path, told=message, more=signed.environment)
        return self._run("rev-parse", "HEAD").strip()

    def forget(self, path: str) -> None:
        """Take back what was added and could not be committed."""
        self._run("reset", "--quiet", "--", path, quiet=True)

    def _run(
        self, *asked: str, told: str = "", more: Mapping[str, str] | None = None, quiet: bool = False
    ) -> str:
        result = _git(self.folder, asked, told, {**_environment(), **(more or {})})
        if result.returncode and not quiet:
            raise UsageError(
                f"git {asked[0]} 没有成功：{_last_line(result.stderr)}",
                hint=f"在 {self.folder} 里看 git status，处理好再来",
            )
        return result.stdout if result.returncode == 0 else ""


def work_tree(folder: Path) -> WorkTree | None:
    """The work tree that a folder lies in; None: there is none. Raises UsageError: there is one, and git
    is missing or refuses."""
    here = folder.resolve()
    if not any((parent / ".git").exists() for parent in (here, *here.parents)):
        return None
    result = _git(here, ("rev-parse", "--is-inside-work-tree"), "", _environment())
    if result.returncode or result.stdout.strip() != "true":
        raise UsageError(
            f"{here} 在 git 里，但 git 不肯用：{_last_line(result.stderr)}", hint="按 git 说的处理好"
        )
    return WorkTree(folder=here)


def _git(
    folder: Path, asked: tuple[str, ...], told: str, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    settings = [part for setting in _STILL for part in ("-c", setting)]
    command = ["git", "--no-pager", "-C", str(folder), *settings, *asked]
    try:
        return subprocess.run(
            command,
            input=told,
            env=dict(environment),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=SECONDS,
        )
    except FileNotFoundError as error:
        raise UsageError("规则文件夹在 git 里，但这台机器上没有 git", hint="装上 git 再来") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(
            f"git 没有做完（{type(error).__name__}）", hint=f"在 {folder} 里看 git status"
        ) from error


def _environment() -> dict[str, str]:
    """Ours without what would point git elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    still = {"GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1", "GIT_EDITOR": "true"}
    return kept | still | {"LC_ALL": "C.UTF-8"}


def _commit(line: str) -> Commit:
    revision, editor, at, publisher, subject = line.split("\0")
    return Commit(
        revision=revision,
        editor=editor,
        at=datetime.fromisoformat(at),
        publisher=publisher,
        subject=subject,
    )


def _plain(name: str) -> str:
    """A name as git takes it."""
    return "".join(char for char in name if char.isprintable() and char not in "<>").strip()


def _last_line(told: str) -> str:
    lines = [line for line in told.strip().splitlines() if line]
    return lines[0] if lines else "没有说原因"
