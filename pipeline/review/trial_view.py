"""What a trial over the archive came to, cut down to the calls that the person may open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from pipeline.review.site import Visit
from pipeline.review.things import MOST_LOOKED_AT, seen, sees_everything
from pipeline.timeline import Recording, Role
from pipeline.units import Ms
from pipeline.workflows.accounts.policy import Action, Scope, scope
from pipeline.workflows.tuning.impact import Change, GroupImpact, Impact
from pipeline.workflows.tuning.try_rule import Hit, Tried

PLACES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in a call that is found more, or no more."""

    recording: Recording
    gained: bool
    rule_id: str
    start: Ms
    role: Role
    quote: str
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The mean score of an agent before and after."""

    agent: str
    group: GroupImpact

    @property
    def before(self) -> Decimal:
        return self.group.mean(self.group.before)

    @property
    def after(self) -> Decimal:
        return self.group.mean(self.group.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`is_whole`: the counts are of the whole archive; else of the newest places in calls that the person may
    open. `is_cut`: only places and agents that the person may see are listed. `changed_scores` None: nothing
    is told of scores. `calls`: looked through."""

    is_whole: bool
    is_cut: bool
    calls: int
    gained: int
    lost: int
    touched: int
    changed_scores: int | None
    fatal_gained: int
    fatal_lost: int
    places: tuple[Place, ...]
    agents: tuple[Scores, ...]


def summary(visit: Visit, result: Impact | Tried, *, publishing: bool = False) -> Summary:
    """To be worked out each time: what somebody may see can change. `publishing`: who decides about a draft
    for the whole house is told the counts of the whole archive."""
    everywhere = publishing and scope(visit.who.role, Action.RULES_PUBLISH) is Scope.ALL
    whole = everywhere or sees_everything(visit)
    return _of_impact(visit, result, whole) if isinstance(result, Impact) else _of_tried(visit, result, whole)


def _of_impact(visit: Visit, found: Impact, whole: bool) -> Summary:
    changes = sorted(_changes(found), key=_newest_first)
    places = tuple(seen(visit, ((place.recording, place) for place in map(_changed, changes))))
    rules = found.rules.values()
    return Summary(
        is_whole=whole,
        is_cut=not sees_everything(visit),
        calls=found.calls,
        gained=sum(r.gained for r in rules) if whole else sum(place.gained for place in places),
        lost=sum(r.lost for r in rules) if whole else sum(not place.gained for place in places),
        touched=found.calls_changed if whole else len({place.recording.id for place in places}),
        changed_scores=found.total.changed if whole else None,
        fatal_gained=found.total.fatal_gained if whole else 0,
        fatal_lost=found.total.fatal_lost if whole else 0,
        places=places[:PLACES],
        agents=_agents(visit, found, places),
    )


def _changes(found: Impact) -> Iterator[Change]:
    for about in found.rules.values():
        for changes in about.examples.values():
            yield from islice(reversed(changes), MOST_LOOKED_AT)


def _newest_first(change: Change) -> tuple[float, str, Ms]:
    began = change.recording.started_at
    return (-began.timestamp() if began else 0.0, change.recording.id, change.finding.span.start)


def _changed(change: Change) -> Place:
    finding = change.finding
    return Place(
        recording=change.recording,
        gained=change.gained,
        rule_id=finding.rule_id,
        start=finding.span.start,
        role=finding.role,
        quote=change.quote,
        confidence=finding.confidence,
    )


def _agents(visit: Visit, found: Impact, places: Iterable[Place]) -> tuple[Scores, ...]:
    """Whose score changes. An agent's figures are of all their calls, so that who sees only some of these
    sees none."""
    allowed = scope(visit.who.role, Action.CALL_VIEW)
    if allowed in (None, Scope.OWN):
        return ()
    own = {place.recording.agent_id for place in places}
    changed = (
        Scores(agent=agent, group=group)
        for agent, group in found.agents.items()
        if group.changed and (allowed is Scope.ALL or agent in own)
    )
    return tuple(sorted(changed, key=lambda scores: (scores.after - scores.before, scores.agent)))


def _of_tried(visit: Visit, tried: Tried, whole: bool) -> Summary:
    places = tuple(seen(visit, ((hit.recording, _hit(hit, tried)) for hit in tried.hits)))
    return Summary(
        is_whole=whole,
        is_cut=not sees_everything(visit),
        calls=tried.calls,
        gained=tried.found if whole else len(places),
        lost=0,
        touched=tried.calls_hit if whole else len({place.recording.id for place in places}),
        changed_scores=None,
        fatal_gained=0,
        fatal_lost=0,
        places=places[:PLACES],
        agents=(),
    )


def _hit(hit: Hit, tried: Tried) -> Place:
    return Place(
        recording=hit.recording,
        gained=True,
        rule_id=tried.rule.id,
        start=hit.evidence.span.start,
        role=hit.evidence.role,
        quote=hit.evidence.quote or hit.explanation,
        confidence=hit.confidence,
    )
