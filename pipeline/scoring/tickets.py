"""Tickets against 工单处理及时率、准确率和连线质量 (质量标准 7.7 for 工单处理员, 7.8 for 综合处理员). Pure.

A ticket is in time when every step of it is, right when every step that was checked is. What cannot be known
(a step without its times, a shift that nobody defined) stays open: it is neither in time nor late.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum


class Standard(StrEnum):
    """Who works on the ticket."""

    CLERK = "7.7"  # 工单处理员
    GENERAL = "7.8"  # 综合处理员

    @property
    def chinese(self) -> str:
        return {"7.7": "工单处理员", "7.8": "综合处理员"}[self.value]


class Step(StrEnum):
    """A step with a time of its own."""

    AUDIT = "audit"
    DISPATCH = "dispatch"
    RETURN = "return"
    TRACK = "track"
    COMBINE = "combine"

    @property
    def chinese(self) -> str:
        titles = {"audit": "审核", "dispatch": "派发", "return": "返单", "track": "跟踪", "combine": "综合"}
        return titles[self.value]


HALF_HOUR, HOUR = timedelta(minutes=30), timedelta(hours=1)
SLOW_KIND = "梦网"
"""Tickets of this kind have an hour for the audit (7.7)."""
TRACKED_KINDS = ("紧急停机", "欠费开机")
NIGHT, MORNING = time(23), time(9)
"""7.8: what comes from NIGHT on is due in the MORNING, or within its hour where that ends later."""

NO_TIME = "没有时间"
NO_SHIFTS = "没有设置班次"
NOT_DONE = "还没完成"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket. `times`: when a step could begin and when it was done, local and aware; a step that the
    ticket does not have is left out. `checks` and `line`: what a checker said of each step, by its title."""

    id: str
    row: int
    standard: Standard
    agent: str
    team: str
    kind: str
    times: Mapping[Step, tuple[datetime | None, datetime | None]]
    checks: Mapping[str, bool]
    line: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`shifts`: when shifts begin, in order of the clock; empty: nobody said. `as_of`: the time at which a
    step that is not done yet is looked at; None: it stays open."""

    shifts: tuple[time, ...] = ()
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """`timely` None: cannot be known, `why` says it. `late` is by how much, of what is known."""

    step: Step
    timely: bool | None
    late: timedelta | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A ticket with what became of it; None: cannot be known, or nobody checked."""

    ticket: Ticket
    steps: tuple[StepResult, ...]

    @property
    def timely(self) -> bool | None:
        """Any late step makes it late; else any unknown one leaves it open."""
        if any(step.timely is False for step in self.steps):
            return False
        return None if not self.steps or any(step.timely is None for step in self.steps) else True

    @property
    def accurate(self) -> bool | None:
        return all(self.ticket.checks.values()) if self.ticket.checks else None

    @property
    def connected(self) -> bool | None:
        return all(self.ticket.line.values()) if self.ticket.line else None

    @property
    def wrong(self) -> tuple[str, ...]:
        """Titles of the steps that were not right."""
        both = (*self.ticket.checks.items(), *self.ticket.line.items())
        return tuple(title for title, right in both if not right)


def judge(ticket: Ticket, rules: Rules) -> Judged:
    """Every step of the ticket that the standard gives a time for."""
    return Judged(ticket=ticket, steps=tuple(_steps(ticket, rules)))


def _steps(ticket: Ticket, rules: Rules) -> Iterator[StepResult]:
    for step in Step:
        if step in ticket.times and _is_due(step, ticket):
            yield _step(step, ticket, rules)


def _is_due(step: Step, ticket: Ticket) -> bool:
    """Whether the standard has this step for this ticket."""
    if step is Step.TRACK:
        return ticket.standard is Standard.CLERK and any(kind in ticket.kind for kind in TRACKED_KINDS)
    return step is not Step.COMBINE or ticket.standard is Standard.GENERAL


def _step(step: Step, ticket: Ticket, rules: Rules) -> StepResult:
    begin, end = ticket.times[step]
    if begin is None:
        return StepResult(step=step, timely=None, why=NO_TIME)
    due = due_at(step, ticket, begin, rules.shifts)
    if due is None:
        return StepResult(step=step, timely=None, why=NO_SHIFTS)
    looked = end or rules.as_of
    if looked is None or (end is None and looked <= due):
        return StepResult(step=step, timely=None, why=NOT_DONE)
    return StepResult(step=step, timely=looked <= due, late=looked - due if looked > due else None)


def due_at(step: Step, ticket: Ticket, begin: datetime, shifts: Sequence[time]) -> datetime | None:
    """When the step must be done; None where that needs shifts and there are none."""
    if step is Step.TRACK:
        return shift_end(begin, shifts, after=1)
    if ticket.standard is Standard.GENERAL:
        if step in (Step.RETURN, Step.COMBINE):
            return shift_end(begin, shifts, after=0)
        return max(begin + HOUR, _morning(begin)) if _at_night(begin) else begin + HOUR
    slow = step is Step.AUDIT and SLOW_KIND in ticket.kind
    return begin + (HOUR if slow else HALF_HOUR)


def _at_night(moment: datetime) -> bool:
    return moment.time() >= NIGHT or moment.time() < MORNING


def _morning(moment: datetime) -> datetime:
    """The next nine o'clock."""
    day = moment.date() + timedelta(days=1) if moment.time() >= NIGHT else moment.date()
    return datetime.combine(day, MORNING, moment.tzinfo)


def shift_end(moment: datetime, shifts: Sequence[time], *, after: int) -> datetime | None:
    """When the shift ends in which a moment lies, or the one so many shifts after it. A shift ends where
    the next one begins."""
    if not shifts:
        return None
    days = range(2 + after // len(shifts) + 1)
    begins = (
        datetime.combine(moment.date() + timedelta(days=day), begin, moment.tzinfo)
        for day in days
        for begin in sorted(shifts)
    )
    return [begin for begin in begins if begin > moment][after]


@dataclass(slots=True)
class Counted:
    """Yes, no and open, while they are counted."""

    yes: int = 0
    no: int = 0
    open: int = 0

    def add(self, answer: bool | None) -> None:
        self.yes += answer is True
        self.no += answer is False
        self.open += answer is None

    @property
    def known(self) -> int:
        return self.yes + self.no
