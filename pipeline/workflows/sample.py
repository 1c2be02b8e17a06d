"""The inspection sample of a time: candidates out of the store, the draw, and the plan that is kept."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from pipeline.errors import UsageError
from pipeline.scoring.means import Mean, fell
from pipeline.scoring.sampling import Candidate, Cause, Drawn, SamplingPlan, draw
from pipeline.storage.records import FactFilter, FactLine, KeptDraw, KeptPlan
from pipeline.storage.store import Store
from pipeline.workflows.report.cells import Lines, Page, Percent, Table, headings
from pipeline.workflows.report.tally import NOBODY, Running
from pipeline.workflows.report.values import Period
from pipeline.workflows.roster import Roster

NO_BUSINESS = "（未知业务）"
FALL_DAYS = 14
"""A fall is measured between two stretches of so many days, the second one right before the period."""
FALL_LEAST = 10
"""Cards in each of them, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is asked of the draw; see `SamplingPlan`. An agent is new for `new_days` from their first day."""

    seed: int = 0
    share: float = 0.25
    clean: float | None = None
    new: float = 0.5
    falling: float = 0.5
    at_least: int = 0
    new_days: int = 90

    @property
    def plain(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "seed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Which calls, and how they are drawn."""

    period: Period
    rates: Rates
    agent: str | None = None
    team: str | None = None
    business: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was drawn. `names` is what people call a call; `calls` and `complaints` were there to draw."""

    sampling: Sampling
    drawn: tuple[Drawn, ...]
    names: dict[str, str]
    calls: int
    complaints: int
    new_agents: frozenset[str]
    falling_agents: frozenset[str]

    def count(self, cause: Cause) -> int:
        return sum(drawn.cause is cause for drawn in self.drawn)


def sample(sampling: Sampling, store: Store, roster: Roster, zone: tzinfo) -> Sample:
    """Draw. Raises UsageError: a rate is not within 0 and 1, or there is no call in this time."""
    period = sampling.period
    _check(sampling.rates)
    names: dict[str, str] = {}
    candidates = []
    for line in _lines(sampling, store, roster, period.since, period.until):
        names[line.recording_id] = line.name
        candidates.append(_candidate(line, zone))
    if not candidates:
        raise UsageError(f"{period} 没有符合条件的通话", hint="检查 --since、--until 和其他条件")
    plan = _plan(sampling, store, roster)
    drawn = draw(candidates, plan)
    kept = {d.candidate.id for d in drawn}
    there = {call.agent for call in candidates}
    return Sample(
        sampling=sampling,
        drawn=drawn,
        names={name: shown for name, shown in names.items() if name in kept},
        calls=len(candidates),
        complaints=sum(call.complaint for call in candidates),
        new_agents=plan.new_agents & there,
        falling_agents=plan.falling_agents & there,
    )


def _plan(sampling: Sampling, store: Store, roster: Roster) -> SamplingPlan:
    rates = sampling.rates
    return SamplingPlan(
        seed=rates.seed,
        share=rates.share,
        clean=rates.clean,
        new=rates.new,
        falling=rates.falling,
        at_least=rates.at_least,
        new_agents=_new(roster, sampling.period, rates.new_days),
        falling_agents=_falling(sampling, store, roster),
    )


def keep(found: Sample, store: Store, *, at: datetime) -> int:
    """Keep plan and draws, so that a report can say what was listened to; the plan's id. The same plan with
    the same draws is kept once."""
    period, rates = found.sampling.period, found.sampling.rates
    scope = {name: getattr(found.sampling, name) for name in ("agent", "team", "business")}
    agents = {"new_agents": sorted(found.new_agents), "falling_agents": sorted(found.falling_agents)}
    plan = KeptPlan(
        since=period.since,
        until=period.until,
        seed=rates.seed,
        calls=found.calls,
        options=rates.plain | scope | agents,
    )
    draws = tuple(KeptDraw(recording_id=d.candidate.id, why=d.why) for d in found.drawn)
    for known in store.plans(plan.since, plan.until):
        same = (known.since, known.until, known.seed, dict(known.options)) == (
            plan.since,
            plan.until,
            plan.seed,
            dict(plan.options),
        )
        if same and store.draws(known.id) == draws:
            return known.id
    return store.keep_plan(plan, draws, at=at)


def _check(rates: Rates) -> None:
    for name, rate in (("share", rates.share), ("clean", rates.clean), ("new", rates.new)):
        if rate is not None and not 0 <= rate <= 1:
            raise UsageError(f"--{name}：发现 {rate:.0%}，应在 0 到 100 之间")


def _lines(
    sampling: Sampling, store: Store, roster: Roster, since: datetime, until: datetime
) -> Iterator[FactLine]:
    which = FactFilter(since=since, until=until, agent_id=sampling.agent, business=sampling.business)
    lines = store.facts(which)
    return (line for line in lines if sampling.team in (None, roster.team(line.agent_id)))


def _candidate(line: FactLine, zone: tzinfo) -> Candidate:
    at = line.started_at
    if at is None:
        raise ValueError("a call of a period has a start")
    return Candidate(
        id=line.recording_id,
        at=at,
        agent=line.agent_id or NOBODY,
        business=line.business or NO_BUSINESS,
        hour=at.astimezone(zone).hour,
        complaint=line.is_complaint is True,
        clean=not line.facts.forbidden and not line.facts.fatal,
    )


def _new(roster: Roster, period: Period, days: int) -> frozenset[str]:
    latest = period.last - timedelta(days=days)
    return frozenset(agent for agent, first in roster.first_days.items() if latest < first <= period.last)


def _falling(sampling: Sampling, store: Store, roster: Roster) -> frozenset[str]:
    """Agents whose score rate fell by more than chance between the two stretches before the period."""
    end = sampling.period.since
    middle = end - timedelta(days=FALL_DAYS)
    before = _means(_lines(sampling, store, roster, middle - timedelta(days=FALL_DAYS), middle))
    after = _means(_lines(sampling, store, roster, middle, end))
    return frozenset(
        agent for agent in before.keys() & after.keys() if fell(before[agent], after[agent], least=FALL_LEAST)
    )


def _means(lines: Iterator[FactLine]) -> dict[str, Mean]:
    sums: dict[str, Running] = {}
    for line in lines:
        sums.setdefault(line.agent_id or NOBODY, Running()).add(line.facts.rate)
    return {agent: running.mean for agent, running in sums.items()}


def page(found: Sample, zone: tzinfo) -> Page:
    """The sample laid out for people."""
    others = len(found.drawn) - found.count(Cause.COMPLAINT)
    rest = found.calls - found.complaints
    causes = Counter(drawn.cause for drawn in found.drawn)
    lines = [
        f"共 {found.calls} 通，抽出 {len(found.drawn)} 通：投诉 {causes[Cause.COMPLAINT]} 通（全部），"
        f"其他 {others} 通" + (f"（{rest} 通的 {others / rest:.1%}）" if rest else "") + "。",
        "缘由："
        + "，".join(f"{cause.chinese} {causes[cause]} 通" for cause in Cause if causes[cause])
        + "。",
        f"种子 {found.sampling.rates.seed}：同样的通话、同样的选项，再抽还是这一批。",
    ]
    if found.new_agents:
        lines.append(f"新坐席：{'、'.join(sorted(found.new_agents))}。")
    if found.falling_agents:
        lines.append(f"近期下滑的坐席：{'、'.join(sorted(found.falling_agents))}。")
    return Page(
        title="质检抽样",
        subtitle=str(found.sampling.period),
        blocks=(Lines(title="抽样", lines=tuple(lines)), _table(found, zone)),
    )


def _table(found: Sample, zone: tzinfo) -> Table:
    titles = ("通话", "录音编号", "开始", "坐席", "业务", "投诉", "抽取率", "为什么抽")
    return Table(
        title="抽中的通话",
        headings=headings(*titles, figures=("抽取率",), wide=("为什么抽",)),
        rows=tuple(
            (
                found.names[drawn.candidate.id],
                drawn.candidate.id,
                drawn.candidate.at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
                drawn.candidate.agent,
                drawn.candidate.business,
                "投诉" if drawn.candidate.complaint else "",
                Percent(drawn.rate),
                drawn.why,
            )
            for drawn in found.drawn
        ),
    )


def plain(found: Sample) -> dict[str, object]:
    """The sample for other programs."""
    period, rates = found.sampling.period, found.sampling.rates
    return {
        "since": period.since.isoformat(),
        "until": period.until.isoformat(),
        "seed": rates.seed,
        "options": rates.plain,
        "calls": found.calls,
        "complaints": found.complaints,
        "new_agents": sorted(found.new_agents),
        "falling_agents": sorted(found.falling_agents),
        "drawn": [
            {
                "call": found.names[drawn.candidate.id],
                "recording_id": drawn.candidate.id,
                "started_at": drawn.candidate.at.isoformat(),
                "agent_id": drawn.candidate.agent,
                "business": drawn.candidate.business,
                "is_complaint": drawn.candidate.complaint,
                "rate": drawn.rate,
                "cause": drawn.cause.value,
                "why": drawn.why,
            }
            for drawn in found.drawn
        ],
    }
