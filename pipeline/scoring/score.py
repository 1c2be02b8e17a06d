"""Findings + template -> Scorecard. Pure: the same arguments give the same card, to the byte."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Fill, Item, Level, RuleSet, Severity, Status, Template
from pipeline.scorecard import Scorecard, ScoredItem, Verdict
from pipeline.scoring.conditions import Answer, Outcomes, answer, by_rule
from pipeline.timeline import Provenance, Recording
from pipeline.units import points

NOBODY_CAN_KNOW = "录音无法判断，请复核"
FOR_THE_INSPECTOR = "请质检员判断"


def score(
    recording: Recording,
    findings: Sequence[Finding],
    template: Template,
    ruleset: RuleSet,
    provenance: Provenance,
) -> Scorecard:
    """Fill in every item that the findings decide; leave the rest open and say why.

    Findings of draft rules are ignored: what they would decide stays open. Items that do not apply leave
    the denominator.
    """
    drafts = {rule.id for rule in ruleset.rules if rule.status is Status.DRAFT}
    outcomes = by_rule(findings) | {f.rule_id: [] for f in findings if f.rule_id in drafts}
    items = tuple(score_item(item, outcomes) for item in template.items)
    return Scorecard(
        recording_id=recording.id,
        template_id=template.id,
        template_title=template.title,
        template_version=template.version,
        ruleset_digest=ruleset.digest,
        provenance=provenance,
        items=items,
        total=_sum(item.points for item in items if item.points is not None),
        open_points=_sum(
            i.points_possible for i in items if i.verdict in (Verdict.NEEDS_REVIEW, Verdict.MANUAL)
        ),
        points_possible=_sum(i.points_possible for i in items if i.verdict is not Verdict.NOT_APPLICABLE),
        fatal=_is_fatal(ruleset, outcomes),
    )


def score_item(item: Item, outcomes: Outcomes) -> ScoredItem:
    """One item: not applicable, decided by its first level that holds, or left open with the reason."""
    evidence = tuple(f for rule in item.evidence_rules() for f in outcomes.get(rule, ()))
    applicable = _applicable(item, outcomes)
    if applicable.holds is False:
        return _scored(item, Verdict.NOT_APPLICABLE, evidence, reason=_not_applicable(applicable))
    if item.fill is Fill.MANUAL:
        return _scored(item, Verdict.MANUAL, evidence, reason=item.note or FOR_THE_INSPECTOR)
    if applicable.holds is None:
        return _scored(item, Verdict.NEEDS_REVIEW, evidence, reason=_unknown(applicable))
    level, reached = _first_level(item, outcomes)
    if item.fill is Fill.ASSIST:
        return _scored(item, Verdict.MANUAL, evidence, reason=_suggestion(level, reached, evidence))
    if reached.holds is None:
        return _scored(item, Verdict.NEEDS_REVIEW, evidence, reason=_unknown(reached))
    if level is None:
        return _scored(item, Verdict.MANUAL, evidence, reason=item.note or FOR_THE_INSPECTOR)
    return _decided(item, level, reached, evidence)


def _applicable(item: Item, outcomes: Outcomes) -> Answer:
    """An item whose rules are all for other calls does not apply either."""
    if item.applicable is not None:
        return answer(item.applicable, outcomes)
    named = [rule for level in item.levels if level.when for rule in level.when.rules()]
    if named and not any(rule in outcomes for rule in named):
        return Answer(holds=False)
    return Answer(holds=True)


def _first_level(item: Item, outcomes: Outcomes) -> tuple[Level | None, Answer]:
    """The first level, in print order, whose condition holds. A level before it that cannot be known
    makes the result unknown: the better level might be the right one."""
    for level in item.levels:
        if level.when is None:
            continue
        reached = answer(level.when, outcomes)
        if reached.holds is None or reached.holds:
            return (level if reached.holds else None), reached
    return None, Answer(holds=False)


def _decided(item: Item, level: Level, reached: Answer, evidence: tuple[Finding, ...]) -> ScoredItem:
    verdict = Verdict.GRADED
    if level.points == item.points:
        verdict = Verdict.PASS
    elif level.points == 0:
        verdict = Verdict.FAIL
    reason = _joined(finding.explanation for finding in reached.because) or level.text
    return _scored(item, verdict, reached.because or evidence, level=level, reason=_with_note(reason, item))


def _scored(
    item: Item, verdict: Verdict, findings: tuple[Finding, ...], *, reason: str, level: Level | None = None
) -> ScoredItem:
    return ScoredItem(
        id=item.id,
        title=item.title,
        section=item.section,
        level=level.title if level else None,
        points=points(level.points) if level else None,
        points_possible=points(item.points),
        verdict=verdict,
        confidence=min((f.confidence for f in findings), default=1.0) if verdict.decided else 0.0,
        findings=tuple(finding.id for finding in findings),
        reason=reason,
    )


def _unknown(given: Answer) -> str:
    causes = [f.explanation for f in given.because if f.outcome is Outcome.CANNOT_TELL]
    return _joined(causes) or NOBODY_CAN_KNOW


def _not_applicable(given: Answer) -> str:
    causes = [f.explanation for f in given.because]
    return "不适用：" + (_joined(causes) or "本项不用于这类通话")


def _joined(explanations: Iterable[str]) -> str:
    return "；".join(dict.fromkeys(text.rstrip("。") for text in explanations))


def _suggestion(level: Level | None, reached: Answer, evidence: tuple[Finding, ...]) -> str:
    seen = [f for f in (reached.because or evidence) if f.outcome is Outcome.PRESENT]
    clues = _joined(finding.explanation for finding in seen)
    if level is not None and reached.holds:
        return f"建议{level.title}，{FOR_THE_INSPECTOR}" + (f"。线索：{clues}" if clues else "")
    return f"{FOR_THE_INSPECTOR}。线索：{clues}" if clues else FOR_THE_INSPECTOR


def _with_note(reason: str, item: Item) -> str:
    return f"{reason}（{item.note}）" if item.note else reason


def _is_fatal(ruleset: RuleSet, outcomes: Outcomes) -> bool:
    fatal = {rule.id for rule in ruleset.rules if rule.severity is Severity.FATAL}
    return any(f.outcome is Outcome.PRESENT for rule in fatal for f in outcomes.get(rule, ()))


def _sum(values: Iterable[Decimal]) -> Decimal:
    return points(sum(values, Decimal(0)))
