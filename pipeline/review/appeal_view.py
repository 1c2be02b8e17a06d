"""An appeal as the page shows it: the item with its evidence, both sides, and what happened, step by step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.appeal import Appeal, AppealEvent
from pipeline.review import call_view as view
from pipeline.review.agent_view import called
from pipeline.review.desk import Desk
from pipeline.scorecard import Scorecard
from pipeline.storage.store import Store
from pipeline.workflows.review.marks import possible_values


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One step. `result`: what the item was on the card of that step; `until`: by when the next is due."""

    what: str
    ruling: str
    who: str
    at: datetime
    reason: str
    result: str
    until: datetime | None
    is_agents: bool


def thread(appeal: Appeal, store: Store, names: Mapping[str, str] | None) -> tuple[StepShown, ...]:
    """What happened, oldest first, with the names that may be read."""
    return tuple(
        StepShown(
            what=event.step.chinese,
            ruling=event.ruling.chinese if event.ruling else "",
            who=event.who if event.who == appeal.agent else called(names, event.who),
            at=event.at,
            reason=event.reason,
            result=_result(appeal, event, store),
            until=event.until if event is appeal.last else None,
            is_agents=event.who == appeal.agent,
        )
        for event in appeal.events
    )


def _result(appeal: Appeal, event: AppealEvent, store: Store) -> str:
    card = store.scoring(event.scorecard_id).scorecard if event.scorecard_id else None
    return result_on(card, appeal.item)


def result_on(card: Scorecard | None, target: str) -> str:
    """What an item or a fatal item is on a card; "": it is not on it."""
    if card is None:
        return ""
    for item in card.items:
        if item.id == target:
            points = "—" if item.points is None else f"{item.points:.1f}"
            return f"{view.verdict_of(item)} {points}/{item.points_possible:.1f}"
    held = (cause.holds for cause in card.fatals if cause.id == target)
    return next(("成立" if holds else "不成立" for holds in held), "不成立")


def facts_of(now: Desk, appeal: Appeal) -> dict[str, Any]:
    """The item of the appeal: what the machine says, what people decided, the evidence, what it could be."""
    items = view.shown_items(now.shown, now.card, now.marks)
    one = next((item for item in items if item.scored.id == appeal.item), None)
    fatals = view.shown_fatals(now.shown, now.card, now.marks)
    fatal = next((cause for cause in fatals if cause.cause.id == appeal.item), None)
    exhibits = one.exhibits if one else fatal.exhibits if fatal else ()
    return {
        "pleaded": next(e.reason for e in reversed(appeal.events) if e.who == appeal.agent),
        "machine": result_on(now.shown.machine, appeal.item),
        "machine_reason": _machine_reason(now, appeal.item),
        "said": view.said_about(now.shown, appeal.item),
        "result": result_on(now.card, appeal.item),
        "exhibits": exhibits,
        "levels": tuple(choice.value for choice in one.choices) if one else ("成立", "不成立"),
        "allowed": possible_values(one.item) if one else "",
        "has_points": one is not None and not one.choices,
        "denied": _present(exhibits),
    }


def _machine_reason(now: Desk, target: str) -> str:
    machine = now.shown.machine
    reasons = [item.reason for item in machine.items if item.id == target]
    return next(iter(reasons + [cause.reason for cause in machine.fatals if cause.id == target]), "")


def _present(exhibits: Iterable[view.Exhibit]) -> tuple[view.Exhibit, ...]:
    """The findings that can still be called false."""
    return tuple(e for e in exhibits if e.outcome == "有" and e.verdict != "finding_false")
