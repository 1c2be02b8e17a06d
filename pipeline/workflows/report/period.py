"""Which days a report is about, and how its trend is cut."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from pipeline.errors import UsageError
from pipeline.workflows.report.values import Kind, Period

USUAL_DAYS = 30
TREND_DAYS, TREND_WEEKS = 14, 8
EARLIEST, LATEST = date(1970, 1, 1), date(2099, 12, 31)
"""Of calls. A day outside means the nearest of these: others cannot be counted from."""
MOST_DAYS = 31
"""A longer trend is cut by weeks."""


def a_date(text: str | None, asked: str) -> date | None:
    """A day that somebody typed; None: nothing. Raises UsageError: not a day."""
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{asked}：发现“{text[:20]}”，应为日期，如 2024-05-06") from None
    return min(max(found, EARLIEST), LATEST)


Cut = Callable[[date], date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The days that were asked for; None: left open."""

    day: date | None = None
    since: date | None = None
    until: date | None = None


def period_of(kind: Kind, asked: Asked, newest: datetime, zone: tzinfo) -> Period:
    """Raises UsageError: the days do not go together."""
    last = newest.astimezone(zone).date()
    if kind in (Kind.DAY, Kind.WEEK):
        if asked.since or asked.until:
            raise UsageError(f"{kind.chinese}只看一段固定的日子", hint="用 --date 指明其中一天")
        day = asked.day or last
        first = day if kind is Kind.DAY else monday(day)
        return between(first, day if kind is Kind.DAY else first + timedelta(days=6), zone)
    if asked.day:
        raise UsageError(f"{kind.chinese}不用 --date", hint="用 --since 和 --until")
    until = asked.until or max(last, asked.since or last)
    since = asked.since or until - timedelta(days=USUAL_DAYS - 1)
    return between(since, until, zone)


def between(first: date, last: date, zone: tzinfo) -> Period:
    """Raises UsageError: ends before it begins."""
    if last < first:
        raise UsageError(f"时段从 {first} 到 {last}，结束早于开始", hint="检查开始和结束的日期")
    return Period(
        first=first,
        last=last,
        since=start_of(first, zone),
        until=start_of(last, zone, after=1),
    )


def start_of(day: date, zone: tzinfo, *, after: int = 0) -> datetime:
    """The first moment of a local day, or of one so many days after it."""
    return datetime.combine(day + timedelta(days=after), time(), zone)


def trend_of(kind: Kind, period: Period, zone: tzinfo) -> tuple[datetime, Cut]:
    """Where the trend begins, and the first day of the stretch that a day belongs to."""
    if kind is Kind.DAY:
        return datetime.combine(period.first - timedelta(days=TREND_DAYS - 1), time(), zone), same
    if kind is Kind.WEEK:
        return datetime.combine(period.first - timedelta(weeks=TREND_WEEKS - 1), time(), zone), monday
    return period.since, same if period.days <= MOST_DAYS else monday


def same(day: date) -> date:
    return day


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
