"""The part of the store that statistics ask: facts about scorings, and the samples that were drawn."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from pipeline.facts import facts_of
from pipeline.storage import facts, queries, sampling
from pipeline.storage.records import FactFilter, FactLine, KeptDraw, KeptPlan
from pipeline.storage.transactions import Transactions


class Statistics(Transactions):
    """Values in, values out; every method is one transaction."""

    def facts(self, which: FactFilter) -> Iterator[FactLine]:
        """Facts of the newest scoring of each call, by start of call, streamed. Facts that are missing, of
        scorings by an older callscore, are not made here: `make_facts`."""
        with self._reading() as session:
            yield from facts.lines(session, which)

    def make_facts(self, count: int) -> int:
        """Make the facts of at most `count` scorings that have none; how many were made."""
        with self._writing() as session:
            found = facts.without(session, count)
            for scorecard_id in found:
                stored = queries.stored_call(session, scorecard_id)
                if stored is not None:
                    made = facts_of(stored.transcript, stored.findings, stored.rules, stored.scorecard)
                    facts.put(session, scorecard_id, made)
            return len(found)

    def facts_missing(self) -> int:
        """How many scorings have no facts yet."""
        with self._reading() as session:
            return facts.missing(session)

    def span_of_calls(self) -> tuple[datetime, datetime] | None:
        """Start of the first and of the last call; None where no call has one."""
        with self._reading() as session:
            return facts.span(session)

    def quarantined_between(self, since: datetime, until: datetime) -> int:
        """Recordings that were put aside in a time and still are."""
        with self._reading() as session:
            return facts.quarantined(session, since, until)

    def keep_plan(self, plan: KeptPlan, draws: Sequence[KeptDraw], *, at: datetime) -> int:
        """Keep an inspection sample with what it drew; its id."""
        with self._writing() as session:
            return sampling.put(session, plan, draws, at)

    def plans(self, since: datetime, until: datetime) -> tuple[KeptPlan, ...]:
        """The inspection samples that have to do with a time, oldest first."""
        with self._reading() as session:
            return sampling.plans(session, since, until)

    def drawn_paths(self) -> frozenset[str]:
        """The recordings that any plan drew, by path."""
        with self._reading() as session:
            return sampling.drawn_paths(session)

    def draws(self, plan_id: int) -> tuple[KeptDraw, ...]:
        """What a plan drew, in the order of the plan."""
        with self._reading() as session:
            return sampling.draws(session, plan_id)
