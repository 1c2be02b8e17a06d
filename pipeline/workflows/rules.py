"""The rule set in force: the folder that the settings name, else the rules that come with callscore."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from weakref import WeakKeyDictionary

from pipeline.detect.load import load_ruleset, parse_ruleset
from pipeline.errors import NotFound
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.meaning import Understanding

MOST_KEPT = 8
_KEPT: WeakKeyDictionary[Store, dict[tuple[str, str | None], RuleSet]] = WeakKeyDictionary()
"""Stored rule sets never change, and reading one takes a second: each store's newest are kept."""


def rules_folder(settings: Settings) -> Path:
    """Raises NotFound when the folder is not there."""
    folder = Path(settings.rules) if settings.rules else shipped_rules()
    if not folder.is_dir():
        raise NotFound(f"{folder}：规则文件夹不存在", hint="检查设置 rules 或 --rules")
    return folder


def load_rules(settings: Settings) -> RuleSet:
    """Rules and templates of today. Raises RuleError with every fault."""
    return load_ruleset(rules_folder(settings))


def rules_of_the_day(store: Store, digest: str, encoder: str | None = None) -> RuleSet:
    """The rule set that made a stored scorecard, with what it was taught then, with this sentence model or
    (None) any; the same object while it is kept. Raises NotFound."""
    kept = _KEPT.setdefault(store, {})
    known = kept.get((digest, encoder))
    if known is None:
        known = replace(parse_ruleset(store.ruleset_files(digest)), meaning=store.meaning_of(digest, encoder))
        for oldest in list(kept)[: len(kept) + 1 - MOST_KEPT]:
            kept.pop(oldest, None)
        kept[digest, encoder] = known
    return known


def rules_in_force(store: Store, understanding: Understanding, *, at: datetime) -> RuleSet:
    """The rules of today, with what their examples teach, as this database scores with them."""
    return store.pinned(understanding.taught(load_rules(understanding.settings)), at=at)
