"""How far inspectors agree with each other and with the machine, item by item and rule by rule."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import RuleSet
from pipeline.scorecard import NOT_APPLICABLE, Decision, Review, ScoredItem, Verdict
from pipeline.scoring.added import by_person
from pipeline.scoring.agreement import Coefficient, Measure, Weights, alpha, kappa
from pipeline.scoring.intervals import Share
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.template import Item
from pipeline.units import points
from pipeline.workflows.review.sheet import card_with
from pipeline.workflows.rules import rules_of_the_day

FINDINGS = (Decision.FINDING_TRUE, Decision.FINDING_FALSE)
ITEMS = (Decision.ACCEPT, Decision.OVERRIDE)


class Between(StrEnum):
    """Whose judgements are held against each other."""

    INSPECTORS = "inspectors"
    MACHINE = "machine"

    @property
    def chinese(self) -> str:
        return {"inspectors": "质检员之间", "machine": "质检员与机器"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is judged: an item of a template, or what a rule found (`template` is empty). `levels` are the
    titles of its levels in print order; without them the values are points, or 0 and 1 for a rule."""

    template: str
    id: str
    title: str
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One subject. `independent`: nobody had seen the other's judgement before. `share` is how often all who
    judged a unit said the same; the kappas hold its first two judgements against each other, alpha all of
    them. `weighted` is None where there is no order of more than two values."""

    subject: Subject
    between: Between
    independent: bool
    share: Share
    kappa: Coefficient
    weighted: Coefficient | None
    alpha: Coefficient


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """`items` and `rules` hold only what at least two judged; `calls` were reviewed by `inspectors`."""

    calls: int
    inspectors: tuple[str, ...]
    items: tuple[Line, ...]
    rules: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One thing that was judged once by the machine (None: it could not tell) and by each of these people;
    `reviews` are oldest first, `value` reads one. `place`: where it stands on its form."""

    subject: Subject
    machine: float | None
    reviews: tuple[Review, ...]
    value: Callable[[Review], float | None]
    place: int = 0


Judged = tuple[Subject, Between, bool]


def agreement(store: Store) -> Agreement:
    """Over all reviewed calls, the machine as it scores them now. Decisions about appeals are left out: they
    were made to settle a dispute."""
    decided = store.reviewed().items()
    return agreement_of(((store.latest(name), reviews) for name, reviews in decided), store)


def agreement_of(calls: Iterable[tuple[StoredCall, Sequence[Review]]], store: Store) -> Agreement:
    """The same over these calls, each with what was decided about it."""

    @lru_cache(maxsize=4)
    def rules(digest: str) -> RuleSet:
        return rules_of_the_day(store, digest)

    items: list[Unit] = []
    found: list[Unit] = []
    counted: dict[str, set[str]] = {}
    for stored, everything in calls:
        reviews = [r for r in everything if r.appeal_id is None and r.decision in (*ITEMS, *FINDINGS)]
        if not reviews:
            continue
        counted[stored.recording.id] = {review.who for review in reviews}
        ruleset = rules(stored.ruleset_digest)
        items += item_units(stored, ruleset, reviews)
        found += finding_units(stored, ruleset, reviews)
    return Agreement(
        calls=len(counted),
        inspectors=tuple(sorted(set().union(*counted.values()))),
        items=lines(items),
        rules=lines(found),
    )


def item_units(stored: StoredCall, ruleset: RuleSet, reviews: Sequence[Review]) -> Iterator[Unit]:
    """The items of one call's form that anybody decided."""
    card = stored.scorecard
    template = ruleset.template(card.template_id) if card else None
    if template is None:
        return
    machine = card_with(stored, ruleset, template, ())
    for place, (item, scored) in enumerate(zip(template.items, machine.items, strict=True)):
        about = tuple(r for r in reviews if r.decision in ITEMS and r.target == item.id)
        about = tuple(r for r in about if r.template_id in ("", template.id))
        if about:
            titles = tuple(level.title for level in item.levels)
            yield Unit(
                subject=Subject(template=template.id, id=item.id, title=item.title, levels=titles),
                machine=_machines(item, scored),
                reviews=about,
                value=_reader(item),
                place=place,
            )


def finding_units(stored: StoredCall, ruleset: RuleSet, reviews: Sequence[Review]) -> Iterator[Unit]:
    """The findings of one call that anybody called true or false; 1: it is there, 0: it is not."""
    for finding in stored.findings:
        about = tuple(r for r in reviews if r.decision in FINDINGS and r.target == finding.id)
        if about:
            rule = ruleset.rule(finding.rule_id)
            title = rule.title if rule else finding.rule_id
            known = finding.outcome is not Outcome.CANNOT_TELL and not by_person(finding)
            yield Unit(
                subject=Subject(template="", id=finding.rule_id, title=title),
                machine=float(finding.outcome is Outcome.PRESENT) if known else None,
                reviews=about,
                value=_confirmer(finding),
            )


def _reader(item: Item) -> Callable[[Review], float | None]:
    return lambda review: category(item, review.value)


def _confirmer(finding: Finding) -> Callable[[Review], float | None]:
    """An absence that is called false is a presence."""
    absent = finding.outcome is Outcome.ABSENT
    return lambda review: float((review.decision is Decision.FINDING_TRUE) != absent)


def _machines(item: Item, scored: ScoredItem) -> float | None:
    if scored.points is None or scored.verdict is Verdict.NOT_APPLICABLE:
        return None
    return category(item, scored.level or str(scored.points))


def category(item: Item, value: str) -> float | None:
    """A level's place in print order, or points where the item has no levels; points that no level covers go
    to the nearest one. None: taken out, or nothing that can be read."""
    titles = [level.title for level in item.levels]
    if value in titles:
        return float(titles.index(value))
    try:
        given = points(value)
    except ArithmeticError:
        return None
    if value == NOT_APPLICABLE or not item.levels:
        return None if value == NOT_APPLICABLE else float(given)
    away = [max(level.least - given, given - level.points, points(0)) for level in item.levels]
    return float(away.index(min(away)))


def lines(units: Sequence[Unit]) -> tuple[Line, ...]:
    """One line for each subject, kind of pair and kind of knowledge, in the order of the subjects."""
    grouped: dict[Judged, list[tuple[float, ...]]] = {}
    for unit in units:
        for between, independent, values in (*_with_machine(unit), *_with_each_other(unit)):
            grouped.setdefault((unit.subject, between, independent), []).append(values)
    places = {unit.subject: (unit.subject.template, unit.place, unit.subject.id) for unit in units}
    keys = sorted(grouped, key=lambda k: (places[k[0]], k[1], not k[2]))
    return tuple(_line(key, grouped[key]) for key in keys)


Values = tuple[Between, bool, tuple[float, ...]]


def _with_machine(unit: Unit) -> Iterator[Values]:
    """Each inspector with the machine: the newest decision made without its level, else the newest."""
    if unit.machine is None:
        return
    for review in chosen(unit, lambda r: not r.saw_machine).values():
        value = unit.value(review)
        if value is not None:
            yield Between.MACHINE, not review.saw_machine, (unit.machine, value)


def _with_each_other(unit: Unit) -> Iterator[Values]:
    """All inspectors: each one's newest decision made without seeing others', else the newest."""
    newest = chosen(unit, lambda r: not r.saw_others).values()
    valued = [(review, value) for review in newest if (value := unit.value(review)) is not None]
    if len(valued) > 1:
        independent = not any(review.saw_others for review, _ in valued)
        yield Between.INSPECTORS, independent, tuple(value for _, value in valued)


def chosen(unit: Unit, unseen: Callable[[Review], bool]) -> Mapping[str, Review]:
    """One decision of each inspector."""
    newest: dict[str, Review] = {}
    for review in unit.reviews:
        before = newest.get(review.who)
        if before is None or unseen(review) or not unseen(before):
            newest[review.who] = review
    return newest


def _line(key: Judged, judged: Sequence[tuple[float, ...]]) -> Line:
    subject, between, independent = key
    values = sorted({value for unit in judged for value in unit})
    if subject.levels:
        values = [float(place) for place in range(len(subject.levels))]
    places = {value: place for place, value in enumerate(values)}
    pairs = [(places[unit[0]], places[unit[1]]) for unit in judged]
    measure = Measure.ORDINAL if subject.levels else Measure.INTERVAL
    return Line(
        subject=subject,
        between=between,
        independent=independent,
        share=Share(right=sum(len(set(unit)) == 1 for unit in judged), n=len(judged)),
        kappa=kappa(pairs, len(values)),
        weighted=kappa(pairs, len(values), Weights.LINEAR) if len(values) > 2 else None,
        alpha=alpha(judged, measure if subject.template else Measure.NOMINAL),
    )
