"""Whether each rule finds what the cases in its own file say."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from pipeline.detect import engine
from pipeline.detect.script import ScriptError, call_of
from pipeline.detect.training import learners
from pipeline.errors import RuleError
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Case, Rule, RuleSet
from pipeline.timeline import Call

Prepare = Callable[[Call], Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFailure:
    """A case whose rule answered otherwise than the rule file says."""

    rule: Rule
    case: Case
    found: tuple[Finding, ...]

    def __str__(self) -> str:
        expected = "hit（要听出来）" if self.case.hit else "miss（不许误报）"
        told = " ".join(finding.explanation for finding in self.found) or "什么也没有"
        words = " / ".join(self.case.text.splitlines())
        return f"{self.case.source}: {self.rule.id}：“{words}”应为 {expected}，发现的是：{told}"


def run_cases(ruleset: RuleSet, prepare: Prepare = lambda call: call) -> tuple[CaseFailure, ...]:
    """Run every case of every rule; the failures in order of rules. Raises RuleError: a malformed case.

    `prepare` adds to each call what rules look at beside its words, such as the vectors of its sentences.
    """
    pairs = ((rule, case) for rule in ruleset.rules for case in rule.cases)
    failures = (failure_of(ruleset, rule, case, prepare) for rule, case in pairs)
    return tuple(failure for failure in failures if failure)


def missing_cases(rules: Iterable[Rule]) -> tuple[RuleError, ...]:
    """Rules that do not show what they find, or what they leave alone.

    A rule that always has an answer leaves alone the call in which it cannot know.
    """
    return tuple(fault for rule in rules for fault in _missing(rule))


def _missing(rule: Rule) -> Iterator[RuleError]:
    source = rule.source
    for name, hit in (("hit", True), ("miss", False)):
        if not any(case.hit is hit for case in rule.cases):
            message = f"发现 {rule.id} 的用例里没有 `{name}`，应为 hit、miss 都至少一个；在 `cases` 里补上"
            yield RuleError(message, path=source.path, line=source.line, column=source.column)


def failure_of(
    ruleset: RuleSet, rule: Rule, case: Case, prepare: Prepare = lambda call: call
) -> CaseFailure | None:
    """How a case went; None: the rule answers as its file says. Raises RuleError: a malformed case."""
    only = replace(ruleset, rules=engine.with_needs(ruleset, rule))
    call = prepare(_call(case)) if learners(only) else _call(case)
    found = tuple(f for f in engine.run(call, only) if f.rule_id == rule.id)
    present = any(f.outcome is Outcome.PRESENT for f in found)
    return None if present == case.hit else CaseFailure(rule=rule, case=case, found=found)


def _call(case: Case) -> Call:
    try:
        return call_of(case.text)
    except ScriptError as error:
        source = case.source
        raise RuleError(str(error), path=source.path, line=source.line, column=source.column) from error
