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

    __slots__ = ("findings", "present")

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        if len(findings) == 1:
            outcome = findings[0].outcome
            holds = True if outcome is Outcome.PRESENT else False if outcome is Outcome.ABSENT else None
            self.present = Answer(holds, findings)
            return
        outcomes = {finding.outcome for finding in findings}
        if Outcome.PRESENT in outcomes:
            seen = tuple([finding for finding in findings if finding.outcome is Outcome.PRESENT])
            self.present = Answer(True, seen)
        else:
            self.present = Answer(False if outcomes == ONLY_ABSENT else None, findings)


ONLY_ABSENT = {Outcome.ABSENT}


class Outcomes(dict[str, Heard]):
    """What was heard by rule id; a rule that does not apply to the call is not in it. `complete`: all rules
    that the form names are in it."""

    __slots__ = ("_ids", "complete")

    def __init__(self, heard: Mapping[str, Heard] | None = None) -> None:
        super().__init__(heard or {})
        self._ids: dict[int, str] = {}
        self.complete = False

    def ids(self, findings: Iterable[Finding]) -> tuple[str, ...]:
        """Ids of findings of these rules; each is made once, however many items show it."""
        known = self._ids
        return tuple([known.get(id(one)) or self._id(one) for one in findings])

    def _id(self, one: Finding) -> str:
        self._ids[id(one)] = made = one.id
        return made


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
    match condition.kind:
        case "present":
            heard = outcomes.get(condition.rule or "")
            return heard.present if heard else NOBODY_KNOWS
        case "absent":
            heard = outcomes.get(condition.rule or "")
            return _negated(heard.present) if heard else NOBODY_KNOWS
        case "all":
            return _combine([answer(part, outcomes) for part in condition.parts], decisive=False)
        case "any":
            return _combine([answer(part, outcomes) for part in condition.parts], decisive=True)
        case "none":
            return _negated(_combine([answer(part, outcomes) for part in condition.parts], decisive=True))
        case "always":
            return ALWAYS
    raise ValueError(f"unknown condition {condition.kind!r}")


def _combine(parts: Sequence[Answer], *, decisive: bool) -> Answer:
    unknown = False
    for part in parts:
        if part.holds is decisive:
            return part
        unknown = unknown or part.holds is None
    if unknown:
        return Answer(None, together(part for part in parts if part.holds is None))
    return Answer(not decisive, together(parts))


def _negated(given: Answer) -> Answer:
    return Answer(None if given.holds is None else not given.holds, given.because)


def together(parts: Iterable[Answer]) -> tuple[Finding, ...]:
    """The findings behind several answers, each once."""
    return tuple({id(finding): finding for part in parts for finding in part.because}.values())
