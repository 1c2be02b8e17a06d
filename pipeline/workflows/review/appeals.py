"""Appeals: raised by the agent, answered with a review and a new scorecard, re-opened once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from pipeline.appeal import Appeal, AppealEvent, Ruling, Since, Step, raised
from pipeline.errors import UsageError
from pipeline.media.values import time_zone
from pipeline.queue import released_at, reviews_asked
from pipeline.scorecard import (
    FATAL_FAILS,
    FATAL_HOLDS,
    NOT_APPLICABLE,
    OPEN,
    Decision,
    Review,
    Scorecard,
    ScoredItem,
    Verdict,
)
from pipeline.settings import Settings
from pipeline.storage.records import Reviewed, StoredCall
from pipeline.storage.store import Store
from pipeline.template import Fatal, Item
from pipeline.workflows.review.marks import checked_value, finding_named, target_named
from pipeline.workflows.review.sheet import Sheet, card_with, reviewed, sheet
from pipeline.workflows.rules import rules_of_the_day
from pipeline.workflows.tries import until_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Plea:
    """What an agent appeals against, and why. `who` is the agent's number, `by` who the audit log names: the
    login, or whoever types it for the agent; "": the number."""

    call: str
    item: str
    who: str
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Why an agent appeals once more; `who` and `by` as in a plea."""

    who: str
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an inspector answers. `value` "": the result stays, unless findings are `false`."""

    who: str
    reason: str
    value: str = ""
    false: tuple[str, ...] = ()


def raise_appeal(plea: Plea, store: Store, settings: Settings, *, at: datetime) -> Appeal:
    """Keep a new appeal. Raises NotFound for an unknown call or item, UsageError where it cannot be made."""
    _check_said(plea.who, plea.reason)

    def attempt() -> int | None:
        found = sheet(store, plea.call, "")
        target = target_named(found, plea.item)
        _check_agent(found.stored, plea.who)
        _check_contestable(found.card, target.id, target.title)
        case = _case(found, store, settings)
        new = case.raised(target, plea, at)
        return store.add_appeal(new, earlier=len(case.earlier(target)), by=plea.by)

    return store.appeal(until_kept(attempt, plea.call))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Whether an item, or a fatal item that holds, can be appealed against: `until` when, or `why_not`.
    `appeal` is the newest one about it."""

    title: str
    until: datetime | None = None
    why_not: str = ""
    appeal: Appeal | None = None


def contests(found: Sheet, store: Store, settings: Settings, *, at: datetime) -> Mapping[str, Contest]:
    """What the agent can appeal against, by the id of the item or fatal item."""
    held = {cause.id for cause in found.card.fatals if cause.holds}
    fatal = (one for one in found.template.fatal if one.id in held)
    targets: tuple[Item | Fatal, ...] = (*found.template.items, *fatal)
    case = _case(found, store, settings)
    return {target.id: case.contest(target, at) for target in targets}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """All that decides whether something on a card can be appealed against: the card, the appeals `about` the
    call, its scorings, since when the agent may see the card (`known_at`), and the `days` that there are."""

    found: Sheet
    about: tuple[Appeal, ...]
    history: tuple[StoredCall, ...]
    known_at: datetime | None
    days: int
    zone: tzinfo

    def earlier(self, target: Item | Fatal) -> tuple[Appeal, ...]:
        """The appeals about the same thing."""
        named = self.found.template.id, target.id
        return tuple(appeal for appeal in self.about if (appeal.template_id, appeal.item) == named)

    def since(self, target: Item | Fatal) -> Since:
        return Since(
            scored_at=result_since(self.history, self.found.template.id, target.id),
            known_at=self.known_at,
        )

    def raised(self, target: Item | Fatal, plea: Plea, at: datetime) -> Appeal:
        """A new appeal. Raises UsageError: too late, or it was appealed against already."""
        stored = self.found.stored
        said = AppealEvent(
            step=Step.RAISED, who=plea.who, at=at, reason=plea.reason, scorecard_id=stored.scorecard_id
        )
        new = Appeal(
            recording_id=stored.recording.id,
            template_id=self.found.template.id,
            item=target.id,
            title=target.title,
            days=self.days,
            events=(said,),
        )
        return raised(new, self.earlier(target), self.since(target), self.zone)

    def contest(self, target: Item | Fatal, at: datetime) -> Contest:
        recording, why = self.found.stored.recording, _why_not(self.found.card, target.id)
        if not why:
            plea = Plea(call=recording.id, item=target.id, who=recording.agent_id or "", reason="")
            try:
                self.raised(target, plea, at)
            except UsageError as error:
                why = error.message
        earlier = self.earlier(target)
        return Contest(
            title=target.title,
            until=None if why else self.since(target).last(self.days, self.zone),
            why_not=why,
            appeal=earlier[-1] if earlier else None,
        )


def _case(found: Sheet, store: Store, settings: Settings) -> _Case:
    recording_id, days = found.stored.recording.id, found.template.appeal_days
    history = store.scorings(recording_id)
    return _Case(
        found=found,
        about=store.appeals(recording_id),
        history=history,
        known_at=released_at(found.everything, lambda count: _asked(found, history, store, count)),
        days=settings.appeal_days if days is None else days,
        zone=time_zone(settings.time_zone),
    )


def _asked(found: Sheet, history: Sequence[StoredCall], store: Store, count: int) -> int:
    """How many inspectors the form wanted that held when there were so many reviews: another may hold now."""
    then = [scoring for scoring in history if scoring.reviews <= count][-1]
    card, digest = then.scorecard, then.ruleset_digest
    same = digest == found.stored.ruleset_digest
    ruleset = found.ruleset if same else rules_of_the_day(store, digest)
    template = ruleset.template(card.template_id) if card else None
    return reviews_asked(template.reviews if template else None)


def answer_appeal(
    appeal_id: int, answer: Answer, store: Store, settings: Settings, *, at: datetime
) -> Appeal:
    """Decide an appeal: its event, a review that settles the item, and a new scorecard, all or nothing.

    Raises NotFound and UsageError; then nothing is kept.
    """
    _check_said(answer.who, answer.reason)

    def attempt() -> int | None:
        decided = _decided(store.appeal(appeal_id), answer, store, settings, at)
        return store.save_reviewed(decided, at=decided.reviews[-1].at)

    until_kept(attempt, f"申诉 {appeal_id}")
    return store.appeal(appeal_id)


def reopen_appeal(appeal_id: int, again: Again, store: Store, settings: Settings, *, at: datetime) -> Appeal:
    """Appeal once more against the answer. Raises NotFound and UsageError."""
    _check_said(again.who, again.reason)
    zone = time_zone(settings.time_zone)

    def attempt() -> bool | None:
        appeal = store.appeal(appeal_id)
        if appeal.last.step is Step.ANSWERED and appeal.last.scorecard_id is not None:
            card = store.scoring(appeal.last.scorecard_id).scorecard
            _check_contestable(card, appeal.item, appeal.title)
        said = AppealEvent(
            step=Step.REOPENED,
            who=again.who,
            at=at,
            reason=again.reason,
            scorecard_id=appeal.last.scorecard_id,
        )
        return store.add_appeal_event(appeal.reopened(said, zone), by=again.by) or None

    until_kept(attempt, f"申诉 {appeal_id}")
    return store.appeal(appeal_id)


def result_since(history: Sequence[StoredCall], template_id: str, target: str) -> datetime:
    """When the item or fatal item got the result that it has in the newest scoring: scorings that changed
    nothing about it do not count. `history` is oldest first."""
    newest = result_of(history[-1].scorecard, template_id, target)
    since = history[-1].scored_at
    for scoring in reversed(history):
        if result_of(scoring.scorecard, template_id, target) != newest:
            break
        since = scoring.scored_at
    return since


def result_of(card: Scorecard | None, template_id: str, target: str) -> tuple[object, ...] | None:
    """What counts about an item or a fatal item on a card; None: it is not on it."""
    if card is None or card.template_id != template_id:
        return None
    for item in card.items:
        if item.id == target:
            return item.verdict, item.level, item.points
    return next(((cause.holds,) for cause in card.fatals if cause.id == target), None)


def _check_said(who: str, reason: str) -> None:
    if not who.strip():
        raise UsageError("是谁？", hint="用 --who 写明")
    if not reason.strip():
        raise UsageError("要写明理由", hint="--reason 为什么")


def _check_agent(stored: StoredCall, who: str) -> None:
    agent = stored.recording.agent_id
    if agent is not None and agent != who:
        raise UsageError(
            f"{stored.recording.name} 的坐席是 {agent}，不是 {who}，只能由本人申诉", hint=f"--who {agent}"
        )


def _check_contestable(card: Scorecard | None, target: str, title: str) -> None:
    """There must be something to win."""
    why = _why_not(card, target)
    if why:
        raise UsageError(f"“{title}”{why}，无可申诉", hint="callscore show 看评分表，每项都有得分和依据")


def _why_not(card: Scorecard | None, target: str) -> str:
    """Why nothing can be won; empty where something can."""
    item = next((item for item in card.items if item.id == target), None) if card else None
    if card is None or item is None:
        held = card is not None and any(c.id == target and c.holds for c in card.fatals)
        return "" if held else "没有被判成立"
    if item.verdict in OPEN:
        return f"还没有评定（{item.verdict.chinese}）"
    if item.verdict is Verdict.NOT_APPLICABLE:
        return "不适用于这通电话"
    return f"已是满分 {item.points}" if item.points == item.points_possible else ""


def _item(card: Scorecard, item_id: str) -> ScoredItem:
    return next(item for item in card.items if item.id == item_id)


def _decided(appeal: Appeal, answer: Answer, store: Store, settings: Settings, at: datetime) -> Reviewed:
    found = sheet(store, appeal.recording_id, "")
    if found.template.id != appeal.template_id:
        raise UsageError(
            f"申诉 {appeal.id} 针对的评分表 {appeal.template_id} 已换成 {found.template.id}",
            hint=f"callscore rescore {appeal.recording_id} --template {appeal.template_id}，再答复",
        )
    target = target_named(found, appeal.item)
    at = found.moment(at)
    reviews = _reviews(appeal, answer, found, target, at)
    kept = reviewed(found, reviews, "")
    results = [result_of(c, appeal.template_id, target.id) for c in (found.card, kept.scored.scorecard)]
    ruling = Ruling.KEPT if results[0] == results[1] else Ruling.CHANGED
    said = AppealEvent(step=Step.ANSWERED, who=answer.who, at=at, reason=answer.reason, ruling=ruling)
    answered = appeal.answered(said, time_zone(settings.time_zone))
    return replace(kept, reason=f"申诉 {appeal.id}：{ruling.chinese}", appeal=answered)


def _reviews(
    appeal: Appeal, answer: Answer, found: Sheet, target: Item | Fatal, at: datetime
) -> tuple[Review, ...]:
    """What is said about findings, and last what settles the item."""

    def review(decision: Decision, name: str, value: str) -> Review:
        return Review(
            recording_id=appeal.recording_id,
            who=answer.who,
            at=at,
            decision=decision,
            target=name,
            value=value,
            reason=answer.reason,
            template_id="" if decision is Decision.FINDING_FALSE else appeal.template_id,
            appeal_id=appeal.id,
        )

    false = [finding_named(found, name).id for name in answer.false]
    corrections = tuple(review(Decision.FINDING_FALSE, finding, "") for finding in false)
    if answer.value:
        value = checked_value(target, answer.value)
    else:
        value = _value_without(found, target, corrections) if false else _value(found.card, target)
    return (*corrections, review(Decision.OVERRIDE, target.id, value))


def _value_without(found: Sheet, target: Item | Fatal, corrections: Sequence[Review]) -> str:
    """What the item comes to once the findings are taken out, whatever was decided about it before."""
    others = [review for review in found.everything if review.target != target.id]
    return _value(card_with(found.stored, found.ruleset, found.template, [*others, *corrections]), target)


def _value(card: Scorecard, target: Item | Fatal) -> str:
    if isinstance(target, Fatal):
        holds = any(cause.id == target.id and cause.holds for cause in card.fatals)
        return FATAL_HOLDS if holds else FATAL_FAILS
    item = _item(card, target.id)
    if item.verdict is Verdict.NOT_APPLICABLE:
        return NOT_APPLICABLE
    if item.points is None:
        raise UsageError(f"这样一来“{target.title}”规则定不了级", hint="用 --set 写明等级或分数")
    named = next((level for level in target.levels if level.title == item.level), None)
    return named.title if named and named.points == item.points else str(item.points)
