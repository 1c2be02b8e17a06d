"""Why an item of a stored card is as it is: rules, words, thresholds, conditions, what would change it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from rapidfuzz import fuzz, process

from pipeline.errors import NotFound
from pipeline.findings import Evidence, Finding
from pipeline.ruleset import Rule, RuleSet
from pipeline.scorecard import FatalCause, Review, Scorecard
from pipeline.scoring.conditions import Outcomes, heard_by
from pipeline.scoring.explain import (
    Changes,
    Flip,
    LevelSeen,
    Node,
    WhatIf,
    flips,
    levels_seen,
    tree,
    what_ifs,
)
from pipeline.scoring.fatal import cause_of, cause_of_rule
from pipeline.scoring.plan import ItemPlan, Plan, plan_of
from pipeline.scoring.reviews import Decisions, decisions
from pipeline.storage.records import StoredCall
from pipeline.template import Condition, Deduction, Fatal, Per, Zero
from pipeline.units import clock
from pipeline.workflows.card_document import fatal_part, item_part
from pipeline.workflows.explanation import (
    ChangePart,
    DayPart,
    Explanation,
    FatalSeen,
    FlipPart,
    FoundPart,
    LevelPart,
    NodePart,
    RulePart,
    WhatIfPart,
    WordsPart,
)

LIKELY = 50
LONGEST = 40
"""Characters of a setting that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """The card that is explained, with what was heard, what people decided, and the rules of the day."""

    stored: StoredCall
    card: Scorecard
    plan: Plan
    known: Decisions
    outcomes: Outcomes
    rules: Mapping[str, Rule]

    def title(self, rule_id: str) -> str:
        rule = self.rules.get(rule_id)
        return rule.title if rule else rule_id


def explain(stored: StoredCall, ruleset: RuleSet, name: str, reviews: Sequence[Review] = ()) -> Explanation:
    """Explain an item or a fatal item by its id or title. `ruleset`: that of the day; `reviews`: those that
    the card knew.

    Raises NotFound: no card, or no such item; the hint says the nearest name.
    """
    subject = _subject(stored, ruleset, [one for one in reviews if one.at <= stored.scored_at])
    items = {one.item.id: one for one in subject.plan.items}
    fatals = {one.id: one for one in (*subject.plan.fatal, *map(_as_fatal, subject.plan.fatal_rules))}
    titles = [(one.item.id, one.item.title) for one in subject.plan.items]
    titles += [(one.id, one.title) for one in fatals.values()]
    named = _named(subject.card.template_title, titles, name)
    return _of_item(items[named], subject) if named in items else _of_fatal(fatals[named], subject)


def _subject(stored: StoredCall, ruleset: RuleSet, reviews: Sequence[Review]) -> _Subject:
    card = stored.scorecard
    template = ruleset.template(card.template_id) if card else None
    if card is None or template is None:
        raise NotFound(f"{stored.recording.name}：没有评分表", hint="callscore show 看这通电话")
    plan, known = plan_of(template, ruleset), decisions(stored.recording.id, reviews)
    return _Subject(
        stored=stored,
        card=card,
        plan=plan,
        known=known,
        outcomes=heard_by(known.corrected(stored.findings), plan.rules, plan.drafts),
        rules={rule.id: rule for rule in ruleset.rules},
    )


def _as_fatal(rule: tuple[str, str]) -> Fatal:
    """A fatal rule that the form does not name, as if it did. It takes nothing."""
    return Fatal(id=rule[0], title=rule[1], when=Condition(kind="present", rule=rule[0]), zero=Zero.CARD)


def _named(form: str, titles: Sequence[tuple[str, str]], name: str) -> str:
    """The id of the item that is called so."""
    for pair in titles:
        if name in pair:
            return pair[0]
    known = [one for pair in titles for one in pair]
    nearest = process.extractOne(name, known, scorer=fuzz.ratio, score_cutoff=LIKELY)
    hint = f"是不是“{nearest[0]}”？" if nearest else f"有这些：{'、'.join(title for _, title in titles)}"
    raise NotFound(f"{form}里没有项目“{name}”", hint=hint)


def _of_item(plan: ItemPlan, subject: _Subject) -> Explanation:
    item, outcomes = plan.item, subject.outcomes
    (scored,) = (item_part(one) for one in subject.card.items if one.id == item.id)
    return _explanation(
        subject,
        item=scored,
        note=item.note,
        manual_because=item.manual_because,
        applicable=_node(tree(item.applicable, outcomes), subject) if item.applicable else None,
        levels=[_level(one, subject) for one in levels_seen(plan, outcomes)],
        rules=_rules(plan.evidence, subject, item.deductions),
        what_if=[_what_if(one, subject, scored.points) for one in what_ifs(plan, outcomes)],
    )


def _of_fatal(fatal: Fatal, subject: _Subject) -> Explanation:
    when, outcomes = fatal.when, subject.outcomes
    named = dict.fromkeys(when.rules()) if when else {}
    seen = FatalSeen(
        cause=fatal_part(_cause(fatal, subject)),
        reviewers=[one.who for one in subject.known.items.get(fatal.id, ())],
        condition=_node(tree(when, outcomes), subject) if when else None,
        flips=[_flip(one, subject) for one in flips(when, outcomes)] if when else [],
    )
    return _explanation(subject, fatal=seen, rules=_rules(named, subject))


def _rules(names: Iterable[str], subject: _Subject, deductions: Iterable[Deduction] = ()) -> list[RulePart]:
    taken = {one.rule: one for one in deductions}
    return [_rule(name, subject, taken.get(name)) for name in names if name in subject.rules]


def _cause(fatal: Fatal, subject: _Subject) -> FatalCause:
    """As the card has it; one that is not on the card did not hold."""
    kept = next((one for one in subject.card.fatals if one.id == fatal.id), None)
    if kept is not None:
        return kept
    if fatal.id in dict(subject.plan.fatal_rules):
        return replace(cause_of_rule(fatal.id, fatal.title, subject.outcomes), holds=False)
    return replace(cause_of(fatal, subject.outcomes, subject.known), holds=False)


def _explanation(subject: _Subject, **seen: Any) -> Explanation:
    card = subject.card
    return Explanation(
        call=subject.stored.recording.name,
        template=card.template_id,
        template_title=card.template_title,
        template_version=card.template_version,
        ruleset_digest=card.ruleset_digest,
        day=_day(subject.stored),
        **seen,
    )


def _day(stored: StoredCall) -> DayPart:
    kept, roles = stored.circumstances, stored.transcript.roles
    numbers = {n: float(v) for n, v in (kept.settings if kept else {}).items() if not isinstance(v, str)}
    return DayPart(
        thresholds=numbers or None, role_confidence=round(roles.confidence, 3), role_reason=roles.reason
    )


def _node(node: Node, subject: _Subject) -> NodePart:
    return NodePart(
        kind=node.kind,
        rule=node.rule,
        title=subject.title(node.rule) if node.rule else None,
        holds=node.holds,
        in_force=node.in_force,
        parts=[_node(part, subject) for part in node.parts],
    )


def _level(seen: LevelSeen, subject: _Subject) -> LevelPart:
    return LevelPart(
        title=seen.level.title,
        points=float(seen.level.points),
        text=seen.level.text,
        tried=seen.tried,
        chosen=seen.chosen,
        condition=_node(seen.node, subject) if seen.node else None,
    )


def _rule(rule_id: str, subject: _Subject, taken: Deduction | None) -> RulePart:
    rule, heard = subject.rules[rule_id], subject.outcomes.get(rule_id)
    return RulePart(
        id=rule.id,
        title=rule.title,
        why=rule.why,
        detector=rule.detector,
        file=str(rule.source),
        role=rule.role,
        settings=dict(_settings(rule)),
        status=rule.status,
        deduction=_taking(taken) if taken else None,
        findings=[_found(finding) for finding in (heard.findings if heard else ())],
    )


def _taking(taken: Deduction) -> str:
    most = f"，最多扣 {taken.cap} 分" if taken.cap is not None else ""
    return f"{'每处' if taken.per is Per.FINDING else '全通'}扣 {taken.points} 分{most}"


def _settings(rule: Rule) -> Iterator[tuple[str, str]]:
    """What of a rule is a threshold or a choice: its detector's plain values, and its window."""
    if isinstance(rule.parameters, BaseModel):
        for name in type(rule.parameters).model_fields:
            value = getattr(rule.parameters, name)
            if isinstance(value, bool | int | float | str):
                yield name, str(value)[:LONGEST]
    for name in (
        "first_seconds",
        "last_seconds",
        "first_turns",
        "last_turns",
        "first_percent",
        "last_percent",
    ):
        value = getattr(rule.window, name)
        if value is not None:
            yield f"window.{name}", f"{value:g}"
    for name, near in rule.window.near:
        reach = f"{near.seconds:g} s" if near.seconds is not None else f"{near.turns or ''} turns".strip()
        yield f"window.{name}", f"{near.rule} {reach}"


def _found(finding: Finding) -> FoundPart:
    return FoundPart(
        id=finding.id,
        outcome=finding.outcome,
        confidence=round(finding.confidence, 3),
        explanation=finding.explanation,
        words=[_words(evidence) for evidence in finding.evidence],
    )


def _words(evidence: Evidence) -> WordsPart:
    return WordsPart(
        start_ms=evidence.span.start,
        end_ms=evidence.span.end,
        time=clock(evidence.span.start),
        role=evidence.role,
        quote=evidence.quote,
        phrase=evidence.phrase,
        how=evidence.how,
        distance=round(evidence.distance, 3),
        detail=evidence.detail,
    )


def _what_if(what_if: WhatIf, subject: _Subject, now: float | None) -> WhatIfPart:
    level = what_if.level.title if what_if.level else None
    return WhatIfPart(
        level=level,
        points=float(what_if.points),
        better=now is None or float(what_if.points) > now,
        changes=_changes(what_if.changes, subject),
    )


def _flip(flip: Flip, subject: _Subject) -> FlipPart:
    return FlipPart(holds=flip.holds, changes=_changes(flip.changes, subject))


def _changes(changes: Changes, subject: _Subject) -> list[ChangePart]:
    return [_change(rule, heard, subject) for rule, heard in changes]


def _change(rule_id: str, heard: bool, subject: _Subject) -> ChangePart:
    findings = subject.outcomes[rule_id].findings
    return ChangePart(
        rule=rule_id,
        title=subject.title(rule_id),
        heard=heard,
        nearest=[_words(evidence) for finding in findings for evidence in finding.evidence],
    )
