"""A draft becomes the file in force: written whole or not at all, and committed where there is git.

The file and its history stay the truth: the database only knows that the draft is done.
"""

import codecs
import os
import stat
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Lock

from pipeline.account import User
from pipeline.detect.document import decode
from pipeline.detect.lint import Level
from pipeline.errors import NotFound, UsageError
from pipeline.settings import Settings
from pipeline.storage.rule_drafts import Closing, DraftState, RuleDraft
from pipeline.storage.store import Store
from pipeline.workflows.rulebook.book import Rulebook, examined, sha256_of
from pipeline.workflows.rulebook.checks import about, linted, reading, run_cases_of
from pipeline.workflows.rulebook.drafts import entry
from pipeline.workflows.rulebook.git import Signed, WorkTree, work_tree

OWN_FOLDER = (
    "把规则复制到自己的文件夹，放进 git，再让设置 rules 指向它：cp -r {folder} 我的规则；"
    'callscore.toml 里写 rules = "我的规则"，重启'
)
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """`revision`: the commit; None: the folder is not in git."""

    path: Path
    revision: str | None


def check_place(draft: RuleDraft, book: Rulebook) -> None:
    """Raises UsageError: the house has no rules of its own, or the file is not the one that the draft began
    from."""
    if not book.is_own:
        raise UsageError("正在用随产品附带的规则，它们只能读", hint=OWN_FOLDER.format(folder=book.folder))
    live = book.texts.get(draft.path)
    if draft.is_new:
        _check_free(draft, book)
        return
    if live is None:
        raise UsageError(f"{draft.path} 已经不在了，没有发布", hint="撤回改稿，从现在的规则重新改")
    if sha256_of(live) != draft.base_sha256:
        raise UsageError(
            f"{draft.path} 在起草之后被改过，没有发布",
            hint="对照两边的改动，撤回改稿，从现在的文件重新改",
        )
    if live == draft.text:
        raise UsageError("改稿和现在的文件一样，没有可发布的", hint="接着改，或撤回改稿")


def _check_free(draft: RuleDraft, book: Rulebook) -> None:
    """Raises UsageError: somebody made such a rule since the draft of the new one began."""
    if draft.path in book.texts or book.ruleset.rule(draft.rule_id) is not None:
        raise UsageError(
            f"{draft.path} 或规则 {draft.rule_id} 已经有了，没有发布", hint="撤回，换一个编号重新起草"
        )


def check_text(draft: RuleDraft, book: Rulebook, settings: Settings, today: date) -> None:
    """Raises UsageError: the draft is no rule, is another rule, spoils another file, or its cases fail."""
    texts = book.changed(draft.path, draft.text)
    found = reading(texts, draft.path)
    if found.rule is None or found.is_faulty:
        raise UsageError(f"改稿里有 {len(found.notices)} 处写错，没有发布", hint="先在改稿页改好")
    if found.rule.id != draft.rule_id:
        raise UsageError(f"改稿把 id 改成了 {found.rule.id}，没有发布", hint=f"id 要留着 {draft.rule_id}")
    _check_others(draft, book, texts)
    notices = about(draft.path, linted(found.ruleset.files, today))
    if wrong := [notice for notice in notices if notice.level is Level.ERROR]:
        raise UsageError(f"检查发现 {len(wrong)} 个错误，没有发布", hint=str(wrong[0]))
    results = run_cases_of(found.rule, found.ruleset, settings)
    if failed := [result for result in results if not result.holds]:
        raise UsageError(f"{len(failed)} 个用例不符，没有发布", hint=str(failed[0].case.source))


def _check_others(draft: RuleDraft, book: Rulebook, texts: dict[str, str]) -> None:
    """The other files are no worse than before: rules and scorecards name each other."""
    known = {fault.message for fault in book.faults}
    new = [fault for fault in examined(texts)[1] if fault.message not in known]
    if new:
        raise UsageError(f"这样改，会有 {len(new)} 处对不上，没有发布", hint=new[0].message)


def publish(draft: RuleDraft, book: Rulebook, store: Store, who: User, *, at: datetime) -> Published:
    """Write the file, commit it as the editor's by the publisher, note it. To be called after both checks.

    Raises UsageError: the file or the draft changed meanwhile, or the folder or git refuses; the file is then
    as it was.
    """
    with _ONE_AT_A_TIME:
        place = _place(book.folder, draft)
        before = b"" if draft.is_new and not place.exists() else _read(place)
        if (
            sha256_of(decode(draft.path, before)) != draft.base_sha256
            or store.rule_draft(draft.rule_id) != draft
        ):
            raise UsageError(f"{draft.path} 或改稿刚刚变了，没有发布", hint="刷新页面，看过再发布")
        tree = work_tree(book.folder)
        if tree is not None:
            _check_clean(tree, draft.path)
        _write(place, _as_written(draft.text, before))
        try:
            revision = _committed(tree, draft, store, who) if tree else None
        except BaseException:
            _put_back(place, before)
            raise
        closing = Closing(state=DraftState.PUBLISHED, who=who.login, at=at, revision=revision)
        store.close_rule_draft(
            draft, closing, audit=(entry("rule.published", draft, who, at, revision=revision),)
        )
    return Published(path=place, revision=revision)


def _put_back(place: Path, before: bytes) -> None:
    """The file as it was; one that was not there is gone again."""
    if before:
        _write(place, before)
    else:
        place.unlink(missing_ok=True)


def _check_clean(tree: WorkTree, path: str) -> None:
    """Only what the draft changed may go into the commit."""
    letters = tree.changes(path)
    if letters and letters != "??":
        raise UsageError(
            f"{path} 里有没提交的改动（git {letters.strip()}），没有发布", hint="先在 git 里提交"
        )


def _committed(tree: WorkTree, draft: RuleDraft, store: Store, who: User) -> str:
    editors = [store.user(login) for login in draft.edited_by]
    listed = "、".join(f"{editor.name}（{editor.login}）" for editor in editors)
    message = f"{draft.rule_id}：{listed}修改，{who.name}（{who.login}）发布\n"
    try:
        return tree.commit(draft.path, message, Signed(editor=editors[-1], publisher=who))
    except UsageError:
        tree.forget(draft.path)
        raise


def _place(folder: Path, draft: RuleDraft) -> Path:
    """Raises UsageError: a link leads out of the folder. NotFound."""
    path = draft.path
    place = (folder / path).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise UsageError(f"{path} 是指向规则文件夹之外的链接，没有发布", hint="把文件本身放进规则文件夹")
    if not place.is_file() and not draft.is_new:
        raise NotFound(f"{path} 已经不在了，没有发布", hint="撤回改稿，从现在的规则重新改")
    return place


def _read(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise UsageError(f"{place} 读不了（{error.strerror}）", hint="检查文件的权限") from error


def _as_written(text: str, before: bytes) -> bytes:
    """The text with the line ends and the mark at the beginning that the file had."""
    text = text.replace("\n", "\r\n") if b"\r\n" in before else text
    return (codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b"") + text.encode()


def _write(place: Path, data: bytes) -> None:
    """Whole or not at all, with the permissions that the file has; a new one those of its folder, but to be
    run. Raises UsageError."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        like = place if place.exists() else place.parent
        mode = stat.S_IMODE(like.stat().st_mode) & (0o777 if like is place else 0o666)
        with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".tmp", delete=False) as out:
            try:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
                os.chmod(out.name, mode)
                os.replace(out.name, place)
            except BaseException:
                Path(out.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"{place} 写不了（{error.strerror}），没有发布", hint="检查文件夹的权限") from error
