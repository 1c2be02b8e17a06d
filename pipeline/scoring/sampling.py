"""Which calls people listen to. Pure: the same calls, plan and seed give the same sample, in whatever order
the calls come.

Every complaint is drawn. The others are laid end to end, stratum by stratum (agent, business, hour), within
a stratum those with findings first and each kind in order of time, each call as long as its sampling rate;
marks at distance one, the first at random, draw the calls that they fall on (systematic sampling with unequal
rates). So each call has exactly its rate as its chance, and of each stratum, each agent, and each business of
an agent, the number drawn is the sum of the rates to within one call.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import ceil

PARTS = 1_000_000
"""Rates are whole millionths, so that sums are exact."""


class Cause(StrEnum):
    """Why a call was drawn, or has the rate that it has."""

    COMPLAINT = "complaint"
    SHARE = "share"
    NEW_AGENT = "new_agent"
    FALLING = "falling"
    AT_LEAST = "at_least"
    NO_FINDINGS = "no_findings"

    @property
    def chinese(self) -> str:
        titles = {
            "complaint": "投诉全部检查",
            "share": "分层随机",
            "new_agent": "新坐席多抽",
            "falling": "近期下滑多抽",
            "at_least": "每个坐席的最低通数",
            "no_findings": "没有发现的通话",
        }
        return titles[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A call that may be drawn. `clean`: the rules found no fault in it."""

    id: str
    at: datetime
    agent: str
    business: str
    hour: int
    complaint: bool
    clean: bool

    @property
    def stratum(self) -> tuple[str, str, int]:
        return self.agent, self.business, self.hour


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """Rates in [0, 1]. `at_least` calls of each agent, complaints not counted, as far as there are any;
    `clean` is the rate of calls without findings (None: that of the others): nobody would otherwise hear
    what the rules miss."""

    seed: int = 0
    share: float = 0.25
    clean: float | None = None
    new: float = 0.5
    falling: float = 0.5
    at_least: int = 0
    new_agents: frozenset[str] = field(default_factory=frozenset)
    falling_agents: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A call of the sample: the cause of its rate, and the rate."""

    candidate: Candidate
    cause: Cause
    rate: float

    @property
    def why(self) -> str:
        """One line for the inspector."""
        if self.cause is Cause.COMPLAINT:
            return self.cause.chinese
        agent, business, hour = self.candidate.stratum
        return f"{self.cause.chinese}（坐席 {agent}，{business}，{hour} 时）"


def draw(candidates: Iterable[Candidate], plan: SamplingPlan) -> tuple[Drawn, ...]:
    """The sample, by time. Raises ValueError: two calls with one id."""
    calls = sorted(candidates, key=lambda call: call.id)
    if any(a.id == b.id for a, b in pairwise(calls)):
        raise ValueError("found a call twice, expected each once")
    complaints = [Drawn(candidate=call, cause=Cause.COMPLAINT, rate=1.0) for call in calls if call.complaint]
    others = [call for call in calls if not call.complaint]
    found = [*complaints, *_systematic(_ordered(others, plan.seed), _rates(others, plan), plan.seed)]
    return tuple(sorted(found, key=lambda drawn: (drawn.candidate.at, drawn.candidate.id)))


Rates = Callable[[Candidate], tuple[int, Cause]]


def _rates(calls: Sequence[Candidate], plan: SamplingPlan) -> Rates:
    """The rate of a call in millionths, and what it comes from: the highest that applies."""
    counts = Counter(call.agent for call in calls)
    share, clean = _parts(plan.share), _parts(plan.share if plan.clean is None else plan.clean)

    def rate(call: Candidate) -> tuple[int, Cause]:
        base = (clean, Cause.NO_FINDINGS) if call.clean and clean != share else (share, Cause.SHARE)
        options = [base]
        if call.agent in plan.new_agents:
            options.append((_parts(plan.new), Cause.NEW_AGENT))
        if call.agent in plan.falling_agents:
            options.append((_parts(plan.falling), Cause.FALLING))
        if plan.at_least:
            enough = min(PARTS, ceil(Fraction(plan.at_least * PARTS, counts[call.agent])))
            options.append((enough, Cause.AT_LEAST))
        return max(options, key=lambda option: option[0])

    return rate


def _parts(rate: float) -> int:
    if not 0 <= rate <= 1:
        raise ValueError(f"found rate {rate}, expected 0 to 1")
    return round(rate * PARTS)


def _ordered(calls: Iterable[Candidate], seed: int) -> list[Candidate]:
    """Agents, their businesses and hours in an order drawn from the seed; within a stratum the calls with
    findings, then those without, each by time."""
    places: dict[tuple[object, ...], int] = {}

    def place(*names: object) -> int:
        if names not in places:
            places[names] = _random(seed, *names)
        return places[names]

    def key(call: Candidate) -> tuple[object, ...]:
        agent, business, hour = call.stratum
        return (
            (place(agent), agent),
            (place(agent, business), business),
            (place(agent, business, hour), hour),
            (call.clean, call.at, call.id),
        )

    return sorted(calls, key=key)


def _systematic(calls: Sequence[Candidate], rate: Rates, seed: int) -> Iterator[Drawn]:
    end = _random(seed, "start") % PARTS
    for call in calls:
        parts, cause = rate(call)
        begin, end = end, end + parts
        if end // PARTS > begin // PARTS:
            yield Drawn(candidate=call, cause=cause, rate=parts / PARTS)


def _random(seed: int, *names: object) -> int:
    """The same number for the same names on every machine."""
    key = "\x1f".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")
