"""How each rule does: what it found, what inspectors thought of it, whether it finds more than it used to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pipeline.findings import Outcome
from pipeline.scoring.intervals import Share
from pipeline.storage.records import DecidedFinding
from pipeline.storage.rule_statistics import Counted, Hits, RuleHits, Weeks
from pipeline.storage.store import Store
from pipeline.workflows.lately import Lately
from pipeline.workflows.tuning.backtest import is_true

LATELY = timedelta(weeks=4)
BEFORE = timedelta(weeks=8)


NOTHING = Share(right=0, n=0)


_COUNTED: Lately[Hits] = Lately()


class Trend(StrEnum):
    """Whether a rule finds something in a larger share of the calls than before: only where the intervals
    of the two shares do not touch."""

    UP = "up"
    DOWN = "down"
    LEVEL = "level"
    UNKNOWN = "unknown"

    @property
    def chinese(self) -> str:
        return {"up": "上升", "down": "下降", "level": "平稳", "unknown": "—"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Of one rule. `precision` counts the present findings that somebody decided about; `lately` and `before`
    are the shares of calls with a finding."""

    findings: int = 0
    calls: int = 0
    precision: Share = NOTHING
    lately: Share = NOTHING
    before: Share = NOTHING

    @property
    def trend(self) -> Trend:
        if not self.lately.n or not self.before.n:
            return Trend.UNKNOWN
        (low, high), (low_before, high_before) = self.lately.interval, self.before.interval
        if low > high_before:
            return Trend.UP
        return Trend.DOWN if high < low_before else Trend.LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Healths:
    """Of all rules that ever found something, by rule, in `calls` calls; `weeks` None: no call has a time.
    `counted` False: the hits of a large archive are still being counted, and are none here."""

    calls: int
    by_rule: dict[str, Health]
    weeks: Weeks | None = None
    counted: bool = True

    def of(self, rule_id: str) -> Health:
        return self.by_rule.get(rule_id, Health())


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_HITS = Hits(calls=Counted(), rules=())


def healths(store: Store) -> Healths:
    """The last four weeks of the archive are held against the eight before. In a large archive the hits may
    be some minutes old, and nobody waits for them."""
    span = store.span_of_calls()
    end = span[1] + timedelta(microseconds=1) if span else _EPOCH
    weeks = Weeks(before=end - LATELY - BEFORE, since=end - LATELY, until=end)
    key = store.newest_scoring(), end
    known = _COUNTED.of(store, key, lambda store: store.rule_hits(weeks))
    hits = known or NO_HITS
    found = {line.rule_id: line for line in hits.rules}
    decided = _precisions(store.decided_findings())
    return Healths(
        calls=hits.calls.calls,
        by_rule={
            rule_id: _health(found.get(rule_id), hits.calls, decided.get(rule_id, NOTHING))
            for rule_id in (found.keys() | decided.keys())
        },
        weeks=weeks if span else None,
        counted=known is not None,
    )


def _precisions(decided: Iterable[DecidedFinding]) -> dict[str, Share]:
    """Present findings that were called true, of those that were called true or false, by rule."""
    said = Counter((d.rule_id, is_true(d)) for d in decided if d.outcome is Outcome.PRESENT)
    return {
        rule_id: Share(right=said[rule_id, True], n=said[rule_id, True] + said[rule_id, False])
        for rule_id, _ in said
    }


def _health(hits: RuleHits | None, total: Counted, precision: Share) -> Health:
    if hits is None:
        hits = RuleHits(rule_id="", findings=0, calls=Counted())
    return Health(
        findings=hits.findings,
        calls=hits.calls.calls,
        precision=precision,
        lately=Share(right=hits.calls.lately, n=total.lately),
        before=Share(right=hits.calls.before, n=total.before),
    )
