"""Three-valued answers: does a condition over rule outcomes hold, not hold, or can nobody know."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from pipeline.findings import Finding, Outcome
from pipeline.template import Condition


class Answer(NamedTuple):
    """`holds` None: cannot be known. `because` are the findings that decided it."""

    holds: bool | None
    because: tuple[Finding, ...] = ()


class Heard:
    """What one rule says about the call: its findings, and whether it is present."""

    __slots__ = ("_present", "findings")

    def __init__(self, findings: tuple[Finding, ...], present: Answer | None = None) -> None:
        self.findings = findings
        self._present = present

    @property
    def present(self) -> Answer:
        if self._present is None:
            self._present = _present(self.findings)
        return self._present


def _present(findings: tuple[Finding, ...]) -> Answer:
    if len(findings) == 1:
        return Answer(_HOLDS[findings[0].outcome], findings)
    seen = tuple([finding for finding in findings if finding.outcome is Outcome.PRESENT])
    if seen:
        return Answer(True, seen)
    is_absent = bool(findings) and all(finding.outcome is Outcome.ABSENT for finding in findings)
    return Answer(False if is_absent else None, findings)


_HOLDS = {Outcome.PRESENT: True, Outcome.ABSENT: False, Outcome.CANNOT_TELL: None}


class Outcomes(dict[str, Heard]):
    """What was heard by rule id; a rule that does not apply to the call is not in it. `complete`: all rules
    that the form names are in it."""

    __slots__ = ("complete",)

    def __init__(self, heard: Mapping[str, Heard] | None = None) -> None:
        super().__init__(heard or {})
        self.complete = False


NOBODY_KNOWS = Answer(None)
ALWAYS = Answer(True)


def by_rule(findings: Iterable[Finding]) -> Outcomes:
    """What was heard by rule id, whatever the order of the findings."""
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        rule = finding.rule_id
        if rule in grouped:
            grouped[rule].append(finding)
        else:
            grouped[rule] = [finding]
    return Outcomes({rule: Heard(_in_order(found)) for rule, found in grouped.items()})


def heard_by(findings: Iterable[Finding], rules: Set[str], drafts: Set[str]) -> Outcomes:
    """The same of some rules only. Of drafts nothing counts: nobody can know what they would decide."""
    heard = by_rule([finding for finding in findings if finding.rule_id in rules])
    for rule in heard.keys() & drafts:
        heard[rule] = Heard(())
    heard.complete = heard.keys() >= rules
    return heard


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    if len(findings) > 1:
        findings.sort(key=lambda f: (f.span.start, f.span.end, f.id))
    return tuple(findings)


def for_this_call(condition: Condition, outcomes: Outcomes) -> Condition | None:
    """The condition without the rules that are for other calls; None: nothing of it is for this one."""
    if condition.rule is not None:
        return condition if condition.rule in outcomes else None
    if not condition.parts:
        return condition
    parts = tuple(kept for part in condition.parts if (kept := for_this_call(part, outcomes)))
    if parts == condition.parts:
        return condition
    return Condition(kind=condition.kind, parts=parts) if parts else None


def answer(condition: Condition, outcomes: Outcomes) -> Answer:
    """Kleene logic over a condition tree.

    `all` is false as soon as one part is false, `any` true as soon as one part is true, `none` is
    the negation of `any`; what is left with an unknown part is unknown.
    """
    if condition.rule is not None:
        heard = outcomes.get(condition.rule)
        found = heard.present if heard else NOBODY_KNOWS
        return found if condition.kind == "present" else _negated(found)
    match condition.kind:
        case "all":
            return _combine(condition.parts, outcomes, decisive=False)
        case "any":
            return _combine(condition.parts, outcomes, decisive=True)
        case "none":
            return _negated(_combine(condition.parts, outcomes, decisive=True))
        case "always":
            return ALWAYS
    raise ValueError(f"unknown condition {condition.kind!r}")


def _combine(parts: Iterable[Condition], outcomes: Outcomes, *, decisive: bool) -> Answer:
    told: list[Answer] = []
    unknown: list[Answer] = []
    for part in parts:
        found = answer(part, outcomes)
        if found.holds is decisive:
            return found
        (unknown if found.holds is None else told).append(found)
    return Answer(None, together(unknown)) if unknown else Answer(not decisive, together(told))


def _negated(given: Answer) -> Answer:
    return Answer(None if given.holds is None else not given.holds, given.because)


def together(parts: Sequence[Answer]) -> tuple[Finding, ...]:
    """The findings behind several answers, each once."""
    if len(parts) == 1:
        return parts[0].because
    return tuple({id(finding): finding for part in parts for finding in part.because}.values())


def ids(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple([finding.id for finding in findings])
