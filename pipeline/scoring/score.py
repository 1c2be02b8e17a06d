"""Findings + template + reviews -> Scorecard. Pure: the same arguments give the same card, to the byte."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial

from pipeline.findings import Finding
from pipeline.ruleset import RuleSet
from pipeline.scorecard import FatalCause, Review, Scorecard, ScoredItem, Verdict
from pipeline.scoring.conditions import heard_by
from pipeline.scoring.fatal import causes
from pipeline.scoring.items import fill_in
from pipeline.scoring.plan import ItemPlan, plan_of
from pipeline.scoring.reviews import Decisions, decisions, settle
from pipeline.scoring.standing import standing
from pipeline.scoring.totals import Totals, add_up
from pipeline.template import Combine, Fill, Template
from pipeline.timeline import Provenance, Recording
from pipeline.units import from_tenths


def score(
    recording: Recording,
    findings: Sequence[Finding],
    template: Template,
    ruleset: RuleSet,
    provenance: Provenance,
    reviews: Sequence[Review] = (),
) -> Scorecard:
    """Fill in every item that the findings or the reviews decide; leave the rest open and say why.

    Findings of draft rules are ignored: what they would decide stays open. Items that do not apply leave
    the denominator. The order of findings and of reviews does not matter. Reviews of other calls and
    other templates do not count; what decided an appeal is final.
    """
    plan = plan_of(template, ruleset)
    decided = decisions(recording.id, standing(reviews, template.id))
    outcomes = heard_by(decided.corrected(findings), plan.rules, plan.drafts)
    items = tuple([fill_in(item, outcomes) for item in plan.items])
    if decided.items:
        items = tuple(map(partial(_settled, decided, template.reviews.combine), plan.items, items))
    fatal = causes(plan, outcomes, decided)
    totals = add_up(plan, items, fatal)
    return Scorecard(
        recording_id=recording.id,
        template_id=template.id,
        template_title=template.title,
        template_version=template.version,
        ruleset_digest=ruleset.digest,
        provenance=provenance,
        items=items,
        total=totals.total,
        open_points=totals.open,
        points_possible=totals.possible,
        fatal=any(cause.holds for cause in fatal),
        sections=totals.sections,
        full=from_tenths(plan.full),
        lowest=totals.lowest,
        highest=totals.highest,
        fatals=fatal,
        acceptable=not recording.unsettled and _is_acceptable(items, fatal),
        pass_mark=template.pass_mark,
        passed=_has_passed(template.pass_mark, totals),
    )


def _settled(decided: Decisions, combine: Combine, plan: ItemPlan, scored: ScoredItem) -> ScoredItem:
    reviews = decided.items.get(scored.id)
    return settle(plan, scored, reviews, combine) if reviews else scored


def _is_acceptable(items: Iterable[ScoredItem], fatal: Iterable[FatalCause]) -> bool:
    """Every auto item is decided surely enough and nothing needs a review. What takes the whole score takes
    a person's word, or evidence that leaves no doubt."""
    sure = all(
        item.verdict is not Verdict.NEEDS_REVIEW and (item.fill is not Fill.AUTO or item.acceptable)
        for item in items
    )
    return sure and all(cause.holds and cause.confidence == 1 for cause in fatal)


def _has_passed(pass_mark: Decimal | None, totals: Totals) -> bool | None:
    """None: nobody printed a pass mark, or the total can still fall on both sides of it."""
    if pass_mark is None or totals.lowest < pass_mark <= totals.highest:
        return None
    return totals.lowest >= pass_mark
