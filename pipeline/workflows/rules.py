"""The rule set in force: the folder that the settings name, else the rules that come with callscore."""

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock

from pipeline.detect.load import digest_of, load_ruleset, parse_ruleset, read_texts
from pipeline.errors import NotFound
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.meaning import Understanding


def rules_folder(settings: Settings) -> Path:
    """Raises NotFound when the folder is not there."""
    folder = Path(settings.rules) if settings.rules else shipped_rules()
    if not folder.is_dir():
        raise NotFound(f"{folder}：规则文件夹不存在", hint="检查设置 rules 或 --rules")
    return folder


def load_rules(settings: Settings) -> RuleSet:
    """Rules and templates of today, read anew where a file changed. Raises RuleError with every fault."""
    folder = rules_folder(settings)
    texts, faults = read_texts(folder)
    known = None if faults else _read.get(digest_of(texts))
    return _kept(known or load_ruleset(folder))


def rules_of_the_day(store: Store, digest: str, encoder: str | None = None) -> RuleSet:
    """The rule set that made a stored scorecard, with what it was taught then, with this sentence model or
    (None) any. Raises NotFound."""
    return replace(_parsed(store, digest), meaning=store.meaning_of(digest, encoder))


RULESETS = 8
"""So many of the rule sets that were read last stay in memory: reading one takes seconds."""
_read: OrderedDict[str, RuleSet] = OrderedDict()
_keeping, _reading = Lock(), Lock()


def _parsed(store: Store, digest: str) -> RuleSet:
    """A digest names the same files in every database. Of several who ask one reads, the others wait."""
    known = _read.get(digest)
    if known is None:
        with _reading:
            known = _read.get(digest) or parse_ruleset(store.ruleset_files(digest))
    return _kept(known)


def _kept(ruleset: RuleSet) -> RuleSet:
    with _keeping:
        _read[ruleset.digest] = ruleset
        _read.move_to_end(ruleset.digest)
        while len(_read) > RULESETS:
            _read.popitem(last=False)
    return ruleset


def rules_in_force(store: Store, understanding: Understanding, *, at: datetime) -> RuleSet:
    """The rules of today, with what their examples teach, as this database scores with them."""
    return store.pinned(understanding.taught(load_rules(understanding.settings)), at=at)
