"""Why an item of a stored card is as it is: rules, words, thresholds, conditions, what would change it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field
from rapidfuzz import fuzz, process

from pipeline.errors import NotFound
from pipeline.findings import Evidence, Finding
from pipeline.ruleset import Rule, RuleSet
from pipeline.scorecard import Review, Scorecard
from pipeline.scoring.conditions import Outcomes, heard_by
from pipeline.scoring.explain import LevelSeen, Node, WhatIf, levels_seen, tree, what_ifs
from pipeline.scoring.plan import ItemPlan, plan_of
from pipeline.scoring.reviews import decisions
from pipeline.storage.records import StoredCall
from pipeline.template import Item, Template
from pipeline.units import clock
from pipeline.workflows.card_document import ItemPart, Part, item_part

LIKELY = 50
LONGEST = 40
"""Characters of a setting that are shown."""


class NodePart(Part):
    kind: str = Field(description="present | absent | all | any | none | always")
    rule: str | None
    title: str | None
    holds: bool | None = Field(description="null: nobody can know")
    in_force: bool = Field(description="false: its rules are for other calls, so it is left out")
    parts: list["NodePart"]


class LevelPart(Part):
    title: str
    points: float
    text: str = Field(description="as printed")
    tried: bool = Field(description="false: an earlier level decided, or only a person can choose it")
    chosen: bool
    condition: NodePart | None


class WordsPart(Part):
    start_ms: int
    end_ms: int
    time: str = Field(description="mm:ss.s")
    role: str
    quote: str = Field(description="as heard")
    phrase: str = Field(description="what it was held against")
    how: str
    distance: float = Field(description="0: exact")
    detail: str = Field(description="the syllables that differ")


class FoundPart(Part):
    id: str
    outcome: str
    confidence: float
    explanation: str
    words: list[WordsPart] = Field(description="of an absence: what came nearest")


class RulePart(Part):
    id: str
    title: str
    why: str
    detector: str
    file: str
    role: str | None
    settings: dict[str, str] = Field(description="thresholds and other settings of the rule, by name")
    status: str
    deduction: str | None = Field(description="what it takes, where the item has deductions")
    findings: list[FoundPart]


class ChangePart(Part):
    rule: str
    title: str
    heard: bool = Field(description="true: if it were heard; false: if it were not")
    nearest: list[WordsPart] = Field(description="what came nearest, or what would have to fall away")


class WhatIfPart(Part):
    level: str | None
    points: float
    better: bool
    changes: list[ChangePart]


class Explanation(BaseModel):
    """One item of one call."""

    call: str
    template: str
    template_title: str
    template_version: int
    ruleset_digest: str
    item: ItemPart
    note: str
    manual_because: str
    applicable: NodePart | None = Field(description="null: always")
    levels: list[LevelPart]
    rules: list[RulePart]
    what_if: list[WhatIfPart]


def explain(stored: StoredCall, ruleset: RuleSet, name: str, reviews: Sequence[Review] = ()) -> Explanation:
    """Explain an item by its id or title. `ruleset`: that of the day; `reviews`: those that the card knew.

    Raises NotFound: no card, or no such item; the hint says the nearest name.
    """
    card = stored.scorecard
    template = ruleset.template(card.template_id) if card else None
    if card is None or template is None:
        raise NotFound(f"{stored.recording.name}：没有评分表", hint="callscore show 看这通电话")
    index = _index(template, name)
    plan = plan_of(template, ruleset)
    known = decisions(stored.recording.id, [one for one in reviews if one.at <= stored.scored_at])
    outcomes = heard_by(known.corrected(stored.findings), plan.rules, plan.drafts)
    return _explanation(stored, card, _Subject(plan.items[index], outcomes, ruleset))


class _Subject:
    """The item that is explained, with what was heard and the rules."""

    def __init__(self, plan: ItemPlan, outcomes: Outcomes, ruleset: RuleSet) -> None:
        self.plan, self.outcomes = plan, outcomes
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in ruleset.rules}

    @property
    def item(self) -> Item:
        return self.plan.item

    def title(self, rule_id: str) -> str:
        rule = self.rules.get(rule_id)
        return rule.title if rule else rule_id


def _index(template: Template, name: str) -> int:
    names = [(item.id, item.title) for item in template.items]
    for index, pair in enumerate(names):
        if name in pair:
            return index
    known = [one for pair in names for one in pair]
    nearest = process.extractOne(name, known, scorer=fuzz.ratio, score_cutoff=LIKELY)
    hint = f"是不是“{nearest[0]}”？" if nearest else f"有这些：{'、'.join(title for _, title in names)}"
    raise NotFound(f"{template.title}里没有项目“{name}”", hint=hint)


def _explanation(stored: StoredCall, card: Scorecard, subject: _Subject) -> Explanation:
    item = subject.item
    (scored,) = (one for one in card.items if one.id == item.id)
    seen = levels_seen(subject.plan, subject.outcomes)
    applicable = tree(item.applicable, subject.outcomes) if item.applicable else None
    return Explanation(
        call=stored.recording.name,
        template=card.template_id,
        template_title=card.template_title,
        template_version=card.template_version,
        ruleset_digest=card.ruleset_digest,
        item=item_part(scored),
        note=item.note,
        manual_because=item.manual_because,
        applicable=_node(applicable, subject) if applicable else None,
        levels=[_level(one, subject) for one in seen],
        rules=[_rule(rule, subject) for rule in subject.plan.evidence if rule in subject.rules],
        what_if=[
            _what_if(one, subject, item_part(scored).points)
            for one in what_ifs(subject.plan, subject.outcomes)
        ],
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


def _rule(rule_id: str, subject: _Subject) -> RulePart:
    rule, heard = subject.rules[rule_id], subject.outcomes.get(rule_id)
    taken = [one.deduction for one in subject.plan.deductions if one.deduction.rule == rule_id]
    return RulePart(
        id=rule.id,
        title=rule.title,
        why=rule.why,
        detector=rule.detector,
        file=str(rule.source),
        role=rule.role,
        settings=dict(_settings(rule)),
        status=rule.status,
        deduction=_taking(taken[0].points, taken[0].per == "finding", taken[0].cap) if taken else None,
        findings=[_found(finding) for finding in (heard.findings if heard else ())],
    )


def _taking(points: Any, each: bool, cap: Any) -> str:
    most = f"，最多扣 {cap} 分" if cap is not None else ""
    return f"{'每处' if each else '全通'}扣 {points} 分{most}"


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
        changes=[_change(rule, heard, subject) for rule, heard in what_if.changes],
    )


def _change(rule_id: str, heard: bool, subject: _Subject) -> ChangePart:
    findings = subject.outcomes[rule_id].findings
    return ChangePart(
        rule=rule_id,
        title=subject.title(rule_id),
        heard=heard,
        nearest=[_words(evidence) for finding in findings for evidence in finding.evidence],
    )
