"""Three-valued answers: does a condition over rule outcomes hold, not hold, or can nobody know."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Condition

Outcomes = Mapping[str, Sequence[Finding]]
"""Findings by rule id; a rule that does not apply to the call has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`holds` None: cannot be known. `because` are the findings that decided it."""

    holds: bool | None
    because: tuple[Finding, ...] = ()


def by_rule(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Group findings by rule id, order kept."""
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.rule_id, []).append(finding)
    return grouped


def answer(condition: Condition, outcomes: Outcomes) -> Answer:
    """Kleene logic over a condition tree.

    `all` is false as soon as one part is false, `any` true as soon as one part is true, `none` is
    the negation of `any`; what is left with an unknown part is unknown.
    """
    match condition.kind:
        case "always":
            return Answer(holds=True)
        case "present" | "absent":
            return _leaf(condition, outcomes)
        case "all":
            return _combine([answer(part, outcomes) for part in condition.parts], decisive=False)
        case "any":
            return _combine([answer(part, outcomes) for part in condition.parts], decisive=True)
        case "none":
            return _negated(_combine([answer(part, outcomes) for part in condition.parts], decisive=True))
    raise ValueError(f"unknown condition {condition.kind!r}")


def _leaf(condition: Condition, outcomes: Outcomes) -> Answer:
    found = tuple(outcomes.get(condition.rule or "", ()))
    present = tuple(f for f in found if f.outcome is Outcome.PRESENT)
    if present:
        seen = Answer(holds=True, because=present)
    elif found and all(f.outcome is Outcome.ABSENT for f in found):
        seen = Answer(holds=False, because=found)
    else:
        seen = Answer(holds=None, because=found)
    return seen if condition.kind == "present" else _negated(seen)


def _combine(parts: Sequence[Answer], *, decisive: bool) -> Answer:
    decided = [part for part in parts if part.holds is decisive]
    if decided:
        return Answer(holds=decisive, because=decided[0].because)
    unknown = [part for part in parts if part.holds is None]
    if unknown:
        return Answer(holds=None, because=_findings(unknown))
    return Answer(holds=not decisive, because=_findings(parts))


def _negated(given: Answer) -> Answer:
    return Answer(holds=None if given.holds is None else not given.holds, because=given.because)


def _findings(parts: Iterable[Answer]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(finding for part in parts for finding in part.because))
