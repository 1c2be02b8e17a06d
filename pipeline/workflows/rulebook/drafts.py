"""Drafts of rules: begun from the file in force, kept until a second person publishes them."""

from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.account import User
from pipeline.audit import AuditEntry
from pipeline.detect.plain_yaml import MOST_BYTES
from pipeline.errors import NotFound, UsageError
from pipeline.storage.mapping import column_text
from pipeline.storage.rule_drafts import Closing, DraftState, RuleDraft
from pipeline.storage.store import Store
from pipeline.workflows.rulebook.book import Rulebook, sha256_of

CHANGED = "别人刚刚改过这份改稿，这次没有保存"
AGAIN = "先把自己改的复制出来，刷新页面，再改一次"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A text as somebody typed it. `version`: that of the draft they saw, 0: there was none."""

    rule_id: str
    text: str
    version: int


def draft_of(rule_id: str, book: Rulebook, store: Store, at: datetime) -> RuleDraft:
    """The open draft of a rule, else one that says what the file says, not kept yet. Raises NotFound."""
    kept = store.rule_draft(rule_id)
    if kept is not None:
        return kept
    base = book.text(rule_id)
    return RuleDraft(
        rule_id=rule_id,
        path=book.rule(rule_id).source.path,
        base=base,
        base_sha256=sha256_of(base),
        text=base,
        edited_by=(),
        updated_at=at,
    )


def open_draft(rule_id: str, store: Store) -> RuleDraft:
    """The draft of a rule that is kept. Raises NotFound."""
    kept = store.rule_draft(rule_id)
    if kept is None:
        raise NotFound(f"{rule_id} 没有改稿", hint="先起草，再由另一个人发布")
    return kept


def typed(text: str) -> str:
    """What a browser sends, as a file says it. Raises UsageError: too large."""
    plain = column_text(text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(plain.encode()) > MOST_BYTES:
        raise UsageError("规则文件太大，没有保存", hint="一个文件最多 1 MiB")
    return plain if not plain or plain.endswith("\n") else plain + "\n"


def save(edit: Edit, book: Rulebook, store: Store, who: User, *, at: datetime) -> RuleDraft:
    """Keep what was typed, faults and all. Raises NotFound, UsageError: somebody saved meanwhile, or nothing
    was changed."""
    before = draft_of(edit.rule_id, book, store, at)
    text = typed(edit.text)
    if before.version != edit.version:
        raise UsageError(CHANGED, hint=AGAIN)
    return before if text == before.text else keep(before, text, store, who, at=at)


def keep(before: RuleDraft, text: str, store: Store, who: User, *, at: datetime) -> RuleDraft:
    """The next version of a draft. Raises UsageError: somebody saved meanwhile."""
    editors = (*(login for login in before.edited_by if login != who.login), who.login)
    draft = replace(before, text=text, edited_by=editors, updated_at=at)
    saved = store.save_rule_draft(draft, audit=(entry("rule.draft_saved", draft, who, at),))
    if saved is None:
        raise UsageError(CHANGED, hint=AGAIN)
    return replace(draft, version=saved)


def withdraw(draft: RuleDraft, store: Store, who: User, *, at: datetime) -> None:
    """Give a draft up; the file in force stays as it is. Raises UsageError: somebody saved meanwhile."""
    closing = Closing(state=DraftState.WITHDRAWN, who=who.login, at=at)
    if not store.close_rule_draft(draft, closing, audit=(entry("rule.draft_withdrawn", draft, who, at),)):
        raise UsageError("改稿刚刚有了变化，没有撤回", hint="刷新页面，看过再决定")


def entry(action: str, draft: RuleDraft, who: User, at: datetime, **more: str | None) -> AuditEntry:
    """What the audit log keeps: which text, by its digest, never the text."""
    return AuditEntry(
        at=at,
        who=who.login,
        action=action,
        object=f"rule:{draft.rule_id}",
        detail={"path": draft.path, "text_sha256": sha256_of(draft.text), "version": draft.version, **more},
    )
