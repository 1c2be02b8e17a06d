"""A report out of the store: one pass over the facts of the calls, flat in memory."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo

from pipeline.errors import NotFound, UsageError
from pipeline.facts import FORBIDDEN, CallFacts, FatalFact, HitFact
from pipeline.findings import Outcome
from pipeline.scorecard import Decision
from pipeline.scoring.intervals import Share
from pipeline.storage.records import FactFilter, FactLine
from pipeline.storage.store import Store
from pipeline.workflows.report import tally
from pipeline.workflows.report.coaching import AgentTally, coaching
from pipeline.workflows.report.coverage import CoverageTally, drawn_in
from pipeline.workflows.report.period import Asked, Cut, period_of, trend_of
from pipeline.workflows.report.told import Told
from pipeline.workflows.report.values import (
    BINS,
    Example,
    Fault,
    Group,
    Kind,
    Period,
    Report,
    RuleLine,
    Volume,
    bin_of,
)
from pipeline.workflows.roster import Roster

FACTS_AT_A_TIME = 100
READ_AT_A_TIME = 500
MOST_FAULTS = 10
FATAL = "fatal"
UNNAMED = Told("（没有写明缘由）")
NO_TEAM = Told("（未编班组）")
USUAL_LEAST = 10

Watch = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for. `least`: agents with fewer scored calls are shown but not ranked. `agents`: who is
    in the team, where the roster is not asked."""

    kind: Kind
    asked: Asked
    agent: str | None = None
    team: str | None = None
    business: str | None = None
    least: int = USUAL_LEAST
    agents: frozenset[str] | None = None

    def takes(self, agent: str | None, roster: Roster) -> bool:
        """Whether calls of an agent belong to the team."""
        if self.agents is not None:
            return agent in self.agents
        return self.team is None or roster.team(agent) == self.team

    @property
    def scope(self) -> tuple[str, ...]:
        named = (
            ("坐席 {name}", self.agent),
            ("班组 {name}", self.team),
            ("业务 {name}", self.business),
        )
        return tuple(Told(pattern, name=name) for pattern, name in named if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a report needs beside the store: the zone of its days, who is in which team, and the pass rate
    (in [0, 1]) that each template aims at."""

    zone: tzinfo
    roster: Roster
    targets: Mapping[str, float]


def make_facts(store: Store, watch: Watch = lambda made: None) -> int:
    """Facts of scorings that an older callscore made; how many. Once for each scoring."""
    made = 0
    while count := store.make_facts(FACTS_AT_A_TIME):
        made += count
        watch(made)
    return made


def report(order: Order, store: Store, around: Surroundings, watch: Watch = lambda read: None) -> Report:
    """The report. `watch` is told how many calls were read. Raises NotFound: no call was ever scored;
    UsageError: the days do not go together, or nobody knows who is in which team."""
    named = order.team if order.agents is None else None
    if (order.kind is Kind.TEAM or named) and not around.roster.teams:
        raise UsageError("没有坐席名册，不知道谁在哪个班组", hint="把名册 CSV 写进设置 roster")
    period = period_asked(order, store, around.zone)
    begin, cut = trend_of(order.kind, period, around.zone)
    sums = _Sums(order=order, around=around, cut=cut, coverage=drawn_in(store, period))
    for read, line in enumerate(lines_asked(order, store, around, replace(period, since=begin)), start=1):
        sums.add(line, period)
        if read % READ_AT_A_TIME == 0:
            watch(read)
    return _report(sums, period, store)


def period_asked(order: Order, store: Store, zone: tzinfo) -> Period:
    """The days of an order. Raises NotFound and UsageError, as `report`."""
    spans = store.span_of_calls()
    if spans is None:
        raise NotFound("还没有评过分、带开始时间的通话", hint="先跑 callscore nightly")
    return period_of(order.kind, order.asked, spans[1], zone)


def lines_asked(order: Order, store: Store, around: Surroundings, period: Period) -> Iterator[FactLine]:
    """The calls of an order, by their start."""
    which = FactFilter(since=period.since, until=period.until, agent_id=order.agent, business=order.business)
    for line in store.facts(which):
        if order.takes(line.agent_id, around.roster):
            yield line


@dataclass(slots=True)
class _Sums:
    """Everything that is counted on the way."""

    order: Order
    around: Surroundings
    cut: Cut
    coverage: CoverageTally
    whole: tally.GroupTally = field(default_factory=tally.GroupTally)
    trend: dict[date, tally.GroupTally] = field(default_factory=lambda: defaultdict(tally.GroupTally))
    groups: dict[str, tally.GroupTally] = field(default_factory=lambda: defaultdict(tally.GroupTally))
    agents: dict[str, AgentTally] = field(default_factory=lambda: defaultdict(AgentTally))
    passes: dict[str, tally.PassTally] = field(default_factory=dict)
    sections: dict[tuple[str, str], tally.PartTally] = field(default_factory=dict)
    items: dict[tuple[str, str], tally.PartTally] = field(default_factory=dict)
    rules: dict[str, tally.RuleTally] = field(default_factory=dict)
    stayed: tally.StayedTally = field(default_factory=tally.StayedTally)
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    fatal: dict[str, tuple[int, tally.Newest]] = field(default_factory=dict)
    complaints: int = 0
    acceptable: int = 0
    looked_at: set[str] = field(default_factory=set)

    def add(self, line: FactLine, period: Period) -> None:
        facts = line.facts
        rate = facts.rate
        if line.started_at is None:
            return
        self.trend[self.cut(line.started_at.astimezone(self.around.zone).date())].add(line, rate)
        if line.started_at < period.since:
            return
        self.whole.add(line, rate)
        self.complaints += line.is_complaint is True
        self.coverage.add(line)
        self._group(line, rate)
        self._rules(line)
        if line.reviewers:
            self.looked_at.add(line.recording_id)
            self.stayed.add(line)
        if facts.card is not None:
            self._card(line, facts, rate)

    def _group(self, line: FactLine, rate: float | None) -> None:
        agent = line.agent_id or tally.NOBODY
        team = self.order.kind is Kind.TEAM
        name = (self.around.roster.team(line.agent_id) or NO_TEAM) if team else agent
        self.groups[name].add(line, rate)
        self.agents[agent].add(line, rate)

    def _card(self, line: FactLine, facts: CallFacts, rate: float | None) -> None:
        card = facts.card
        if card is None:
            return
        self.acceptable += card.acceptable
        if rate is not None:
            self.bins[bin_of(rate)] += 1
        mark = None if card.pass_mark is None else card.pass_mark / 10
        passes = self.passes.setdefault(card.template, tally.PassTally(card.title, mark))
        passes.passed += card.passed is True
        passes.failed += card.passed is False
        passes.undecided += card.passed is None
        self._items(line, facts, card.template)
        for cause in fatal_causes(line):
            count, newest = self.fatal.get(cause.title, (0, tally.Newest()))
            newest.add(_place(cause, line))
            self.fatal[cause.title] = count + 1, newest

    def _items(self, line: FactLine, facts: CallFacts, template: str) -> None:
        own = self.agents[line.agent_id or tally.NOBODY].items
        for item in facts.items:
            if not item.possible:
                continue
            key = template, item.id
            if key not in self.items:
                self.items[key] = tally.PartTally(item.section, item.title)
            self.items[key].add(item, line)
            if item.points is not None:
                mine = own[key]
                mine.rate.add(item.points / item.possible)
                if item.lost:
                    mine.lost.add(tally.example(item, line))
        for section in facts.sections:
            key = template, section.title
            if key not in self.sections:
                self.sections[key] = tally.PartTally(section.title, section.title)
            self.sections[key].add_section(section)

    def _rules(self, line: FactLine) -> None:
        for hit in line.facts.hits:
            if hit.rule not in self.rules:
                self.rules[hit.rule] = tally.RuleTally(hit.title, hit.label, hit.severity)
            rule = self.rules[hit.rule]
            if hit.times:
                rule.calls += 1
                rule.findings += hit.times
                rule.newest.add(_place(hit, line))
            else:
                rule.cannot_tell += 1


def _place(found: HitFact | FatalFact, line: FactLine) -> Example:
    return tally.place(found.at, found.quote, line)


def fatal_causes(line: FactLine) -> tuple[FatalFact, ...]:
    """What made a card void: the causes that it names, else the rules that are fatal."""
    card = line.facts.card
    if card is None or card.fatal or not card.void:
        return card.fatal if card else ()
    hits = (hit for hit in line.facts.hits if hit.severity == FATAL and hit.times)
    found = tuple(FatalFact(title=hit.title, at=hit.at, quote=hit.quote) for hit in hits)
    return found or (FatalFact(title=UNNAMED, at=None, quote=""),)


def _report(sums: _Sums, period: Period, store: Store) -> Report:
    order, whole = sums.order, sums.whole.group("全部")
    rules = _rule_lines(sums, store)
    return Report(
        kind=order.kind,
        period=period,
        scope=order.scope,
        least=order.least,
        volume=_volume(sums, whole, store.quarantined_between(period.since, period.until)),
        whole=whole,
        passes=tuple(
            passes.passes(template, sums.around.targets.get(template))
            for template, passes in sorted(sums.passes.items())
        ),
        sections=tuple(part.part(template) for (template, _), part in sums.sections.items()),
        distribution=tuple(sums.bins),
        trend=tuple(group.group(day.isoformat()) for day, group in sorted(sums.trend.items())),
        groups=tuple(sums.groups[name].group(name) for name in sorted(sums.groups)),
        faults=_lost(sums),
        fatal=_fatal(sums, whole.scored),
        forbidden=tuple(map(_forbidden, filter(_is_forbidden, rules)))[:MOST_FAULTS],
        coaching=coaching(sums.agents, sums.items, whole.rate, order.least),
        rules=rules,
        stayed=sums.stayed.lines,
        coverage=sums.coverage.coverage(),
    )


def _volume(sums: _Sums, whole: Group, quarantined: int) -> Volume:
    return Volume(
        calls=whole.calls,
        scored=whole.scored,
        complaints=sums.complaints,
        reviewed=whole.reviewed,
        acceptable=sums.acceptable,
        fatal=whole.fatal,
        forbidden=whole.forbidden,
        quarantined=quarantined,
        agents=len(sums.agents),
    )


def _lost(sums: _Sums) -> tuple[Fault, ...]:
    """Items by the points that were lost on them, most first."""
    worst = sorted(sums.items.items(), key=lambda entry: (-entry[1].points, entry[1].title))
    return tuple(
        Fault(
            key="/".join(key),
            title=part.title,
            where=part.section,
            severity="",
            calls=part.lost,
            share=Share(right=part.lost, n=part.rate.n),
            points=part.points / 10,
            examples=part.newest.examples,
        )
        for key, part in worst[:MOST_FAULTS]
        if part.lost
    )


def _fatal(sums: _Sums, scored: int) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            key=title,
            title=title,
            where="",
            severity=FATAL,
            calls=count,
            share=Share(right=count, n=scored),
            points=0.0,
            examples=newest.examples,
        )
        for title, (count, newest) in sorted(sums.fatal.items(), key=lambda found: (-found[1][0], found[0]))
    )


def _is_forbidden(rule: RuleLine) -> bool:
    return rule.calls.right > 0 and rule.label == FORBIDDEN


def _forbidden(rule: RuleLine) -> Fault:
    return Fault(
        key=rule.id,
        title=rule.title,
        where=rule.id,
        severity=rule.severity,
        calls=rule.calls.right,
        share=rule.calls,
        points=0.0,
        examples=rule.examples,
    )


def _rule_lines(sums: _Sums, store: Store) -> tuple[RuleLine, ...]:
    """Rules by the calls that they found something in, most first."""
    judged: dict[str, Share] = {}
    for found in store.decided_findings() if sums.looked_at else ():
        if found.review.recording_id in sums.looked_at and found.outcome is Outcome.PRESENT:
            true = found.review.decision is Decision.FINDING_TRUE
            known = judged.get(found.rule_id, Share(right=0, n=0))
            judged[found.rule_id] = known + Share(right=int(true), n=1)
    lines = (
        rule.line(name, sums.whole.calls, judged.get(name, Share(right=0, n=0)))
        for name, rule in sums.rules.items()
    )
    return tuple(sorted(lines, key=lambda line: (-line.calls.right, line.id)))
