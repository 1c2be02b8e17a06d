"""一票否决: which fatal items hold, and of which nobody can know."""

from pipeline.scorecard import NAMED_BY_NO_FORM, FatalCause
from pipeline.scoring import reasons
from pipeline.scoring.conditions import Answer, Outcomes, ids
from pipeline.scoring.levels import asked
from pipeline.scoring.plan import Plan
from pipeline.scoring.reviews import Decisions
from pipeline.template import Fatal, Zero

DOES_NOT_HOLD = Answer(False)


def causes(plan: Plan, outcomes: Outcomes, decided: Decisions) -> tuple[FatalCause, ...]:
    """Those that hold or cannot be known. Fatal rules that the form does not name are shown when present,
    and take nothing."""
    of_form = [
        cause_of(fatal, outcomes, decided)
        for fatal in plan.fatal
        if _found(fatal, outcomes, decided).holds is not False
    ]
    of_rules = [
        cause_of_rule(rule, title, outcomes)
        for rule, title in plan.fatal_rules
        if rule in outcomes and outcomes[rule].present.holds
    ]
    return (*of_form, *of_rules)


def cause_of(fatal: Fatal, outcomes: Outcomes, decided: Decisions) -> FatalCause:
    """What is known of a fatal item of the form, one that does not hold too; a person's word goes before the
    rules'."""
    found = _found(fatal, outcomes, decided)
    return FatalCause(
        id=fatal.id,
        title=fatal.title,
        zero=fatal.zero,
        section=fatal.section,
        holds=found.holds,
        confidence=_confidence(found) if decided.fatal(fatal.id) is None else 1.0,
        findings=ids(found.because),
        reason=_reason(found),
    )


def _found(fatal: Fatal, outcomes: Outcomes, decided: Decisions) -> Answer:
    found = (asked(fatal.when, outcomes) if fatal.when else None) or DOES_NOT_HOLD
    said = decided.fatal(fatal.id)
    return found if said is None else Answer(said, found.because)


def cause_of_rule(rule: str, title: str, outcomes: Outcomes) -> FatalCause:
    """What is known of a fatal rule that the form does not name."""
    found = outcomes[rule].present if rule in outcomes else DOES_NOT_HOLD
    return FatalCause(
        id=rule,
        title=title,
        zero=NAMED_BY_NO_FORM,
        section=None,
        holds=found.holds,
        confidence=_confidence(found),
        findings=ids(found.because),
        reason=_reason(found),
    )


def _confidence(found: Answer) -> float:
    return 0.0 if found.holds is None else min((f.confidence for f in found.because), default=1.0)


def _reason(found: Answer) -> str:
    if found.holds is None:
        return reasons.unknown(found.because)
    return reasons.joined(finding.explanation for finding in found.because)


def zeroed(causes: tuple[FatalCause, ...], zero: Zero, *, certain: bool) -> frozenset[str | None]:
    """The sections (None: the card) that are zeroed for certain, or at the worst."""
    holding = (cause for cause in causes if cause.zero == zero and (cause.holds or not certain))
    return frozenset(cause.section for cause in holding)
