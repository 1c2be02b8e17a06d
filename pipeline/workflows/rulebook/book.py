"""The rules folder in force as one value, read anew only where a file changed."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from pipeline.detect.load import digest_of, examine_texts, read_texts
from pipeline.errors import RuleError
from pipeline.ruleset import Rule, RuleSet
from pipeline.settings import Settings
from pipeline.workflows.rules import rules_folder
from pipeline.workflows.tuning.sources import unknown_rule

KEPT = 6
"""So many answers about whole folders stay in memory: each takes seconds."""

Answer = TypeVar("Answer")


class Memory(Generic[Answer]):
    """The last answers by key. Two that ask at once may both work it out."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[str, Answer] = OrderedDict()
        self._lock = Lock()

    def known(self, key: str) -> Answer | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def of(self, key: str, work: Callable[[], Answer]) -> Answer:
        found = self.known(key)
        if found is None:
            found = work()
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """`texts` by path relative to `folder`; `faults` of files that cannot be used, in `ruleset` is the rest.
    `is_own`: the house has a folder of its own, not the rules that come with callscore."""

    folder: Path
    is_own: bool
    texts: Mapping[str, str]
    ruleset: RuleSet
    faults: tuple[RuleError, ...]

    def rule(self, rule_id: str) -> Rule:
        """Raises NotFound."""
        found = self.ruleset.rule(rule_id)
        if found is None:
            raise unknown_rule(rule_id, (rule.id for rule in self.ruleset.rules))
        return found

    def text(self, rule_id: str) -> str:
        """The file of a rule. Raises NotFound."""
        return self.texts[self.rule(rule_id).source.path]

    def changed(self, path: str, text: str) -> dict[str, str]:
        """All texts with one of them changed."""
        return {**self.texts, path: text}


_READ: Memory[tuple[RuleSet, tuple[RuleError, ...]]] = Memory()


def rulebook(settings: Settings) -> Rulebook:
    """The rules as their files are now; those with faults are left out. Raises NotFound: no such folder."""
    folder = rules_folder(settings)
    texts, unread = read_texts(folder)
    ruleset, faults = examined(texts)
    return Rulebook(
        folder=folder,
        is_own=bool(settings.rules),
        texts=texts,
        ruleset=ruleset,
        faults=(*unread, *faults),
    )


def examined(texts: Mapping[str, str]) -> tuple[RuleSet, tuple[RuleError, ...]]:
    """What can be read of some files, and every fault; remembered."""
    return _READ.of(digest_of(texts), lambda: examine_texts(texts))


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
