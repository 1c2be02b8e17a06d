"""An appeal (申诉): an agent asks for one item to be judged again.

    raised -> answered -> reopened -> answered
                 |                       |
                 +- time is up: final ---+- final

Every step adds an event; nothing is overwritten, and the state follows from the events and the clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from pipeline.errors import UsageError


class Step(StrEnum):
    RAISED = "raised"
    ANSWERED = "answered"
    REOPENED = "reopened"

    @property
    def chinese(self) -> str:
        return {"raised": "申诉", "answered": "答复", "reopened": "再申诉"}[self.value]


class Ruling(StrEnum):
    """What an answer does to the item."""

    KEPT = "kept"
    CHANGED = "changed"

    @property
    def chinese(self) -> str:
        return {"kept": "维持", "changed": "改判"}[self.value]


class State(StrEnum):
    """Where an appeal stands, in the order in which somebody has to act."""

    REOPENED = "reopened"
    OPEN = "open"
    ANSWERED = "answered"
    FINAL = "final"

    @property
    def chinese(self) -> str:
        titles = {"reopened": "再申诉，待答复", "open": "待答复", "answered": "已答复", "final": "终结"}
        return titles[self.value]

    @property
    def waits(self) -> bool:
        """Whether an answer is due."""
        return self in (State.OPEN, State.REOPENED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealEvent:
    """One step. `until` is when the next step is due: the answer (late ones are taken), or the re-opening
    (later ones are not); None: nothing follows. `scorecard_id` is the scoring that was appealed against, or
    the one that the answer added."""

    step: Step
    who: str
    at: datetime
    reason: str
    until: datetime | None = None
    ruling: Ruling | None = None
    scorecard_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """`id` is 0 until it is stored; `item` is the item's id on a card of `template_id`, `title` its title on
    that day; `days` is how many days each step may take."""

    recording_id: str
    template_id: str
    item: str
    title: str
    days: int
    events: tuple[AppealEvent, ...]
    id: int = 0

    @property
    def agent(self) -> str:
        """Who raised it."""
        return self.events[0].who

    @property
    def last(self) -> AppealEvent:
        return self.events[-1]

    def state(self, at: datetime) -> State:
        if self.last.step is Step.RAISED:
            return State.OPEN
        if self.last.step is Step.REOPENED:
            return State.REOPENED
        return State.FINAL if self.last.until is None or at > self.last.until else State.ANSWERED

    def answered(self, event: AppealEvent, zone: tzinfo) -> "Appeal":
        """With an answer. The first may be appealed against once more; the second is final.

        Raises UsageError: no answer is due, or who raised it answers.
        """
        state = self.state(event.at)
        if not state.waits:
            raise UsageError(
                f"申诉 {self.id} 不在等答复：{state.chinese}", hint=f"callscore appeal show {self.id} 看经过"
            )
        if event.who == self.agent:
            raise UsageError(
                f"申诉 {self.id} 是 {self.agent} 提的，不能由本人答复", hint="换一位质检员，用 --who 署名"
            )
        until = deadline(event.at, self.days, zone) if state is State.OPEN else None
        return self._with(replace(event, step=Step.ANSWERED, until=until))

    def reopened(self, event: AppealEvent, zone: tzinfo) -> "Appeal":
        """Appealed against once more. Raises UsageError: not answered yet, final, or not by who raised it."""
        state = self.state(event.at)
        if state.waits:
            raise UsageError(f"申诉 {self.id} 还没有答复", hint="答复之后仍不同意，才能再申诉")
        if state is State.FINAL:
            raise UsageError(f"申诉 {self.id} 已终结：{self._why_final()}", hint="终结的申诉不能再开")
        if event.who != self.agent:
            raise UsageError(
                f"申诉 {self.id} 是 {self.agent} 提的，只能由本人再申诉", hint=f"--who {self.agent}"
            )
        return self._with(replace(event, step=Step.REOPENED, until=deadline(event.at, self.days, zone)))

    def _why_final(self) -> str:
        return "再申诉已经答复" if self.last.until is None else f"答复后 {self.days} 天内没有再申诉"

    def _with(self, event: AppealEvent) -> "Appeal":
        return replace(self, events=(*self.events, event))


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """When an item got the result that it has now, and when the agent could know of it, if that was later."""

    scored_at: datetime
    known_at: datetime | None = None

    def last(self, days: int, zone: tzinfo) -> datetime:
        """The last moment in which it can be appealed against."""
        return deadline(self.begins, days, zone)

    @property
    def begins(self) -> datetime:
        return max(self.scored_at, self.known_at or self.scored_at)


def raised(appeal: Appeal, earlier: tuple[Appeal, ...], since: Since, zone: tzinfo) -> Appeal:
    """A new appeal, with the day by which it is to be answered. `earlier` are those about the same item.
    Raises UsageError: too late, or it was appealed against already."""
    at = appeal.last.at
    for other in earlier:
        if other.state(at) is not State.FINAL:
            raise UsageError(
                f"这一项已有申诉 {other.id}：{other.state(at).chinese}",
                hint=f"callscore appeal show {other.id}",
            )
        if other.last.at >= since.scored_at:
            raise UsageError(
                f"这一项的申诉 {other.id} 已终结，之后得分没有变过",
                hint=f"callscore appeal show {other.id} 看经过",
            )
    last = since.last(appeal.days, zone)
    if at > last:
        days = f"{appeal.days} 天内（到 {_day(last, zone)}）可以申诉"
        known = "评定" if since.begins == since.scored_at else "公布"
        raise UsageError(
            f"过了申诉期：这一项 {_day(since.begins, zone)} {known}，{days}",
            hint="请主管用 callscore review 复核",
        )
    return replace(appeal, events=(replace(appeal.last, until=deadline(at, appeal.days, zone)),))


def deadline(start: datetime, days: int, zone: tzinfo) -> datetime:
    """The last moment of the local day that is so many days after `start`."""
    day = start.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(23, 59, 59), tzinfo=zone)


def days_left(until: datetime, at: datetime, zone: tzinfo) -> int:
    """Whole local days from today to the day of `until`; 0: today is the last; negative: overdue."""
    return (until.astimezone(zone).date() - at.astimezone(zone).date()).days


def _day(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d")
