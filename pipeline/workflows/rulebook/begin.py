"""A rule that is not there yet: begun as a draft, from one phrase or from another rule."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from pipeline.account import User
from pipeline.detect.load import GUARDS, SCORECARDS, WORDS
from pipeline.errors import UsageError
from pipeline.storage.rule_drafts import RuleDraft
from pipeline.storage.store import Store
from pipeline.workflows.rulebook.book import Rulebook, sha256_of
from pipeline.workflows.rulebook.drafts import keep
from pipeline.workflows.rulebook.trial import check_phrase
from pipeline.workflows.tuning.edit import written
from pipeline.workflows.tuning.import_rules import Plan, rule_file, spoken
from pipeline.workflows.tuning.wordlist import Entry

RULE_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_]+")
FOLDER = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_ID, LONGEST_TITLE = 80, 60
NO_RULES = (GUARDS, SCORECARDS, WORDS)
"""Folders in which other things lie."""
OWN = re.compile(r"^(id|title|status):.*\n?", re.MULTILINE)
"""Lines of a rule file that a copy has of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """What a rule is to be. `folder` "": that of the first part of the id; `like`: the rule that it begins as
    a copy of; "": a rule with one `phrase`."""

    id: str
    title: str
    folder: str = ""
    phrase: str = ""
    like: str = ""


def begin(new: NewRule, book: Rulebook, store: Store, who: User, *, at: datetime) -> RuleDraft:
    """The draft of a new rule, kept. Raises UsageError: the id, the folder, the title or the phrase will not
    do, or there is such a rule or a draft of one; NotFound: no rule to copy."""
    draft = RuleDraft(
        rule_id=_free_id(new.id, book, store),
        path=_free_path(new, book),
        base="",
        base_sha256=sha256_of(""),
        text=_text(new, book),
        edited_by=(),
        updated_at=at,
    )
    return keep(draft, draft.text, store, who, at=at)


def folders(book: Rulebook) -> tuple[str, ...]:
    """The folders that rules lie in."""
    found = {PurePosixPath(rule.source.path).parts[0] for rule in book.ruleset.rules}
    return tuple(sorted(found - set(NO_RULES)))


def _free_id(rule_id: str, book: Rulebook, store: Store) -> str:
    if not RULE_ID.fullmatch(rule_id) or len(rule_id) > LONGEST_ID:
        raise UsageError(
            f"编号“{rule_id[:20]}”不能用", hint="领域.名称，小写字母、数字和下划线，如 forbidden.shirking"
        )
    if book.ruleset.rule(rule_id) is not None:
        raise UsageError(f"已经有规则 {rule_id}", hint="换一个编号，或去改那一条")
    if store.rule_draft(rule_id) is not None:
        raise UsageError(f"有人正在起草 {rule_id}", hint="换一个编号，或接着那份改稿写")
    return rule_id


def _free_path(new: NewRule, book: Rulebook) -> str:
    area, _, name = new.id.partition(".")
    folder = new.folder or area
    if not FOLDER.fullmatch(folder) or folder in NO_RULES:
        raise UsageError(f"文件夹“{folder[:20]}”不能用", hint="小写字母、数字和下划线，如 forbidden")
    path = f"{folder}/{name}.yml"
    if path in book.texts:
        raise UsageError(f"已经有文件 {path}", hint="换一个文件夹或编号")
    return path


def _text(new: NewRule, book: Rulebook) -> str:
    if not 0 < len(new.title) <= LONGEST_TITLE:
        raise UsageError(f"标题要有 1 到 {LONGEST_TITLE} 个字", hint="写一个给人看的标题")
    if new.like:
        return _copied(book.text(new.like), new)
    check_phrase(new.phrase)
    entry = Entry(row=1, category=new.title, phrase=new.phrase, example=spoken(new.phrase))
    plan = Plan(label=new.id.partition(".")[0])
    return rule_file(new.id, new.title, f"{new.title}：写明依据。", [entry], plan)


def _copied(text: str, new: NewRule) -> str:
    """The text of another rule under another name; it does not score until somebody says so."""
    first = OWN.search(text)
    at = first.start() if first else 0
    head = f"id: {new.id}\ntitle: {written(new.title)}\nstatus: draft\n"
    return text[:at] + head + OWN.sub("", text[at:])
