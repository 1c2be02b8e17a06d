"""Which agents need coaching, on what, and where they can hear it done well."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.scoring.means import Mean
from pipeline.storage.records import FactLine
from pipeline.workflows.report.cells import Percent, between, text
from pipeline.workflows.report.tally import OwnItem, PartTally, Running
from pipeline.workflows.report.told import Told, joined
from pipeline.workflows.report.values import Coaching, WeakItem

ITEMS = 3
LEAST_CARDS = 3
"""An item is judged weak on so many cards at least."""

Key = tuple[str, str]


@dataclass(slots=True)
class AgentTally:
    rate: Running = field(default_factory=Running)
    fatal: int = 0
    items: dict[Key, OwnItem] = field(default_factory=lambda: defaultdict(OwnItem))

    def add(self, line: FactLine, rate: float | None) -> None:
        self.fatal += line.facts.fatal
        self.rate.add(rate)


def coaching(
    agents: Mapping[str, AgentTally], items: Mapping[Key, PartTally], everyone: Mean, least: int
) -> tuple[Coaching, ...]:
    """Agents whose score rate lies below everybody's by more than chance (the 95 % interval is wholly
    below), on at least `least` cards; and agents with a fatal call, whatever their number of calls."""
    found = [
        Coaching(
            agent=name, why=joined(why, "{first}；{rest}"), rate=agent.rate.mean, items=_weakest(agent, items)
        )
        for name, agent in agents.items()
        if (why := tuple(_reasons(agent, everyone, least)))
    ]
    return tuple(sorted(found, key=lambda c: (-agents[c.agent].fatal, c.rate.value or 0.0, c.agent)))


def _reasons(agent: AgentTally, everyone: Mean, least: int) -> Iterator[str]:
    if agent.fatal:
        yield Told("一票否决 {count} 通", count=agent.fatal)
    mean = agent.rate.mean
    interval = mean.interval
    if mean.n >= least and interval and everyone.value is not None and interval[1] < everyone.value:
        yield Told(
            "得分率 {rate}（95 % 区间 {interval}，n={n}），低于全体 {whole}",
            rate=text(Percent(mean.value)),
            interval=between(interval),
            n=mean.n,
            whole=text(Percent(everyone.value)),
        )


def _weakest(agent: AgentTally, items: Mapping[Key, PartTally]) -> tuple[WeakItem, ...]:
    lost = [(key, own) for key, own in agent.items.items() if own.lost.kept and own.rate.n >= LEAST_CARDS]
    worst = sorted(lost, key=lambda entry: (entry[1].rate.mean.value or 0.0, -entry[1].rate.n, entry[0]))
    return tuple(
        WeakItem(
            title=items[key].title,
            rate=own.rate.mean,
            everyone=items[key].rate.mean,
            lost=own.lost.examples,
            best=items[key].best.examples,
        )
        for key, own in worst[:ITEMS]
    )
