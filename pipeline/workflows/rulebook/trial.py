"""Try a change of one rule on the stored calls: what it gains, what it loses, whose score moves."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.detect.document import read
from pipeline.detect.load import parse_ruleset
from pipeline.detect.pattern import PatternError, parse
from pipeline.errors import UsageError
from pipeline.ruleset import Rule
from pipeline.timeline import Role
from pipeline.workflows.rulebook.book import Rulebook
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.edit import with_entries
from pipeline.workflows.tuning.impact import Impact, impact
from pipeline.workflows.tuning.sources import RulesFolder, Side
from pipeline.workflows.tuning.try_rule import Trial, Tried, try_rule

PLACES = 500
"""So many places are kept of each kind, the newest."""
LONGEST_PHRASE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A phrase, and the rule that it would be added to; without one it is a rule by itself, for the words of
    `role`."""

    phrase: str
    rule_id: str = ""
    role: str = Role.AGENT.value


def checked(attempt: Attempt, book: Rulebook) -> Attempt:
    """The attempt as it is. Raises UsageError: the phrase cannot be read, the rule takes no phrases, there is
    no such role. NotFound."""
    check_phrase(attempt.phrase)
    if attempt.role not in (Role.AGENT.value, Role.CUSTOMER.value, "any"):
        raise UsageError("没有这样的角色", hint="坐席、客户，或都算")
    if attempt.rule_id and not takes_phrases(book.rule(attempt.rule_id)):
        raise UsageError(f"{attempt.rule_id} 不是按说法找的规则，没处加", hint="换一条，或单独试")
    return attempt


def check_phrase(phrase: str) -> None:
    """Raises UsageError: it is empty or too long, or cannot be read."""
    if not phrase or len(phrase) > LONGEST_PHRASE:
        raise UsageError(f"说法要有 1 到 {LONGEST_PHRASE} 个字", hint="写上要听的话")
    try:
        parse(phrase)
    except PatternError as error:
        told = f"“{phrase}”第 {error.column + 1} 个字：{error}"
        raise UsageError(told, hint="改好说法再试") from error


def takes_phrases(rule: Rule) -> bool:
    return rule.detector == "phrase"


def try_alone(attempt: Attempt, book: Rulebook, archive: Archive) -> Tried:
    """Where a phrase by itself is said, the newest calls first."""
    trial = Trial(phrases=(attempt.phrase,), role=attempt.role, limit=PLACES)
    return try_rule(trial, RulesFolder(book.folder), archive)


def with_phrase(attempt: Attempt, book: Rulebook) -> dict[str, str]:
    """The files with the phrase in its rule. Raises NotFound."""
    path, text = book.rule(attempt.rule_id).source.path, book.text(attempt.rule_id)
    document = read(path, text)
    listed = document.values.get("phrases") or ()
    if attempt.phrase in listed:
        raise UsageError(f"{attempt.rule_id} 已经有这个说法", hint="换一个说法")
    return book.changed(path, with_entries(document, "phrases", (attempt.phrase,)))


def weigh(texts: Mapping[str, str], book: Rulebook, archive: Archive) -> Impact:
    """What other texts of the rules would change in the archive. Raises RuleError: they have faults."""
    base = Side(name="现在的规则", ruleset=book.ruleset)
    head = Side(name="改后", ruleset=parse_ruleset(texts))
    return impact(base, head, archive, examples=PLACES)
