"""What is wrong with a rule, and how its cases go: for the file in force and for a draft of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.detect.cases import failure_of, missing_cases
from pipeline.detect.lint import Level, Notice, lint_texts, notice_of
from pipeline.detect.load import digest_of
from pipeline.errors import RuleError
from pipeline.ruleset import Case, Rule, RuleSet
from pipeline.settings import Settings
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.rulebook.book import Memory
from pipeline.workflows.tuning.sources import closed
from pipeline.workflows.tuning.whole import only


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """How a case went. `told`: what the rule found instead."""

    case: Case
    holds: bool
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One file among the others. `rule` None: it is not one; `ruleset` holds what it needs, too."""

    rule: Rule | None
    ruleset: RuleSet
    notices: tuple[Notice, ...]

    @property
    def is_faulty(self) -> bool:
        return self.rule is None or any(notice.level is Level.ERROR for notice in self.notices)


def reading(texts: Mapping[str, str], path: str) -> Reading:
    """The file at `path` and the rules that it builds on, with every fault of that file."""
    ruleset, faults = closed(texts, path)
    rule = next((rule for rule in ruleset.rules if rule.source.path == path), None)
    own = [notice_of(fault) for fault in faults if fault.path == path]
    own += [notice_of(fault, "cases") for fault in missing_cases([rule] if rule else [])]
    return Reading(rule=rule, ruleset=ruleset, notices=tuple(sorted(own, key=lambda n: n.order)))


def run_cases_of(rule: Rule, ruleset: RuleSet, settings: Settings) -> tuple[CaseResult, ...]:
    """Every case of a rule, run now. `ruleset` holds everything that the rule needs."""
    understanding = Understanding(settings)
    taught = understanding.taught(ruleset, {need.id for need in only(ruleset, [rule]).rules})
    return tuple(_result(taught, rule, case, understanding) for case in rule.cases)


def _result(ruleset: RuleSet, rule: Rule, case: Case, understanding: Understanding) -> CaseResult:
    try:
        failed = failure_of(ruleset, rule, case, understanding.with_sentences)
    except RuleError as error:
        told = error.message.removeprefix(f"{case.source}: ")
        return CaseResult(case=case, holds=False, told=told)
    if failed is None:
        return CaseResult(case=case, holds=True)
    return CaseResult(case=case, holds=False, told=" ".join(f.explanation for f in failed.found))


_LINTED: Memory[tuple[Notice, ...]] = Memory()


def linted(
    texts: Mapping[str, str], today: date, watch: Callable[[], None] = lambda: None
) -> tuple[Notice, ...]:
    """Every notice about some files, remembered: over all rules the checks take many seconds."""
    return _LINTED.of(_key(texts, today), lambda: lint_texts(texts, today, watch))


def known_notices(texts: Mapping[str, str], today: date) -> tuple[Notice, ...] | None:
    """What `linted` gave; None: nobody asked yet."""
    return _LINTED.known(_key(texts, today))


def _key(texts: Mapping[str, str], today: date) -> str:
    return f"{today} {digest_of(texts)}"


def about(path: str, notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """Those of one file."""
    return tuple(notice for notice in notices if notice.source.path == path)
