"""一票否决: which fatal items hold, and of which nobody can know."""

from collections.abc import Iterator

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
    return (*_of_form(plan, outcomes, decided), *_of_rules(plan, outcomes))


def _of_form(plan: Plan, outcomes: Outcomes, decided: Decisions) -> Iterator[FatalCause]:
    for fatal in plan.fatal:
        found = (asked(fatal.when, outcomes) if fatal.when else None) or DOES_NOT_HOLD
        said = decided.fatal(fatal.id)
        if said is not None:
            found = Answer(said, found.because)
        if found.holds is not False:
            yield _cause(fatal, found, outcomes, is_reviewed=said is not None)


def _cause(fatal: Fatal, found: Answer, outcomes: Outcomes, *, is_reviewed: bool) -> FatalCause:
    confidence = min((f.confidence for f in found.because), default=1.0) if found.holds else 0.0
    unknown = found.holds is None
    return FatalCause(
        id=fatal.id,
        title=fatal.title,
        zero=fatal.zero,
        section=fatal.section,
        holds=found.holds,
        confidence=1.0 if is_reviewed else confidence,
        findings=ids(found.because),
        reason=reasons.unknown(found.because)
        if unknown
        else reasons.joined(f.explanation for f in found.because),
    )


def _of_rules(plan: Plan, outcomes: Outcomes) -> Iterator[FatalCause]:
    for rule, title in plan.fatal_rules:
        heard = outcomes.get(rule)
        if heard is None or not heard.present.holds:
            continue
        because = heard.present.because
        yield FatalCause(
            id=rule,
            title=title,
            zero=NAMED_BY_NO_FORM,
            section=None,
            holds=True,
            confidence=min(finding.confidence for finding in because),
            findings=ids(because),
            reason=reasons.joined(finding.explanation for finding in because),
        )


def zeroed(causes: tuple[FatalCause, ...], zero: Zero, *, certain: bool) -> frozenset[str | None]:
    """The sections (None: the card) that are zeroed for certain, or at the worst."""
    holding = (cause for cause in causes if cause.zero == zero and (cause.holds or not certain))
    return frozenset(cause.section for cause in holding)
