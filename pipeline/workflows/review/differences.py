"""Where inspectors who judged the same calls differ: each against the others, and item by item."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.ruleset import RuleSet
from pipeline.scorecard import Review
from pipeline.scoring.intervals import Share
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.review.agreement import Subject, Unit, chosen, item_units
from pipeline.workflows.rules import rules_of_the_day

Judged = Sequence[tuple[StoredCall, Sequence[Review]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstOthers:
    """One inspector held against each of the others on every item that both judged: how often they said the
    same, how often this one was `stricter` or `milder`."""

    who: str
    same: Share
    stricter: int
    milder: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One item of one call on which not all said the same: what each said, as they wrote it."""

    subject: Subject
    recording_id: str
    said: tuple[tuple[str, str], ...]


def people_of(calls: Judged, store: Store, inspectors: Iterable[str]) -> tuple[AgainstOthers, ...]:
    """Each inspector against the others, in their order."""
    units = [(unit, _values(unit)) for unit in _units(calls, store)]
    return tuple(_against(who, units) for who in inspectors)


def splits_of(calls: Judged, store: Store) -> tuple[Split, ...]:
    """The judgements on which inspectors differ, by item in the order of the form, then by call."""
    found = [unit for unit in _units(calls, store) if len(set(_values(unit).values())) > 1]
    found.sort(key=lambda unit: (unit.subject.template, unit.place))
    return tuple(
        Split(
            subject=unit.subject,
            recording_id=unit.reviews[0].recording_id,
            said=tuple((who, review.value) for who, review in sorted(_newest(unit).items())),
        )
        for unit in found
    )


def _against(who: str, units: Iterable[tuple[Unit, Mapping[str, float]]]) -> AgainstOthers:
    same = stricter = milder = count = 0
    for unit, values in units:
        for other, value in values.items():
            if who in values and other != who:
                away = values[who] - value if unit.subject.levels else value - values[who]
                count += 1
                same += away == 0
                stricter += away > 0
                milder += away < 0
    return AgainstOthers(who=who, same=Share(right=same, n=count), stricter=stricter, milder=milder)


def _units(calls: Judged, store: Store) -> Iterator[Unit]:
    @lru_cache(maxsize=4)
    def rules(digest: str) -> RuleSet:
        return rules_of_the_day(store, digest)

    for stored, reviews in calls:
        yield from item_units(stored, rules(stored.ruleset_digest), reviews)


def _values(unit: Unit) -> Mapping[str, float]:
    """What each said, as a place in the order of the levels (best first) or as points; nobody who took the
    item out."""
    said = {who: unit.value(review) for who, review in _newest(unit).items()}
    return {who: value for who, value in said.items() if value is not None}


def _newest(unit: Unit) -> Mapping[str, Review]:
    return chosen(unit, lambda review: not review.saw_others)
