"""Whether each rule finds what the cases in its own file say."""

from dataclasses import dataclass, replace

from pipeline.detect import engine
from pipeline.detect.script import ScriptError, call_of
from pipeline.errors import RuleError
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Case, Rule, RuleSet
from pipeline.timeline import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFailure:
    """A case whose rule answered otherwise than the rule file says."""

    rule: Rule
    case: Case
    found: tuple[Finding, ...]

    def __str__(self) -> str:
        expected = "hit" if self.case.hit else "miss"
        told = " ".join(finding.explanation for finding in self.found) or "nothing"
        words = " / ".join(self.case.text.splitlines())
        return f"{self.case.source}: {self.rule.id}: expected {expected} in “{words}”, found {told}"


def run_cases(ruleset: RuleSet) -> tuple[CaseFailure, ...]:
    """Run every case of every rule; the failures in order of rules. Raises RuleError: a malformed case."""
    pairs = ((rule, case) for rule in ruleset.rules for case in rule.cases)
    failures = (_failure(ruleset, rule, case) for rule, case in pairs)
    return tuple(failure for failure in failures if failure)


def _failure(ruleset: RuleSet, rule: Rule, case: Case) -> CaseFailure | None:
    only = replace(ruleset, rules=engine.with_needs(ruleset, rule))
    found = tuple(f for f in engine.run(_call(case), only) if f.rule_id == rule.id)
    present = any(f.outcome is Outcome.PRESENT for f in found)
    return None if present == case.hit else CaseFailure(rule=rule, case=case, found=found)


def _call(case: Case) -> Call:
    try:
        return call_of(case.text)
    except ScriptError as error:
        source = case.source
        raise RuleError(str(error), path=source.path, line=source.line, column=source.column) from error
