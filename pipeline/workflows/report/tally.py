"""Running sums of a stream of calls. Everything here grows with agents, items and rules, never with calls."""

from collections import deque
from dataclasses import dataclass, field, replace

from pipeline.facts import REVIEW, CallFacts, ItemFact, SectionFact
from pipeline.scoring.intervals import Share
from pipeline.scoring.means import Mean
from pipeline.storage.records import FactLine
from pipeline.units import Ms
from pipeline.workflows.report.told import Told
from pipeline.workflows.report.values import Ends, Example, Group, Part, Passes, RuleLine, Stayed

EXAMPLES = 3
NOBODY = Told("（无工号）")


@dataclass(slots=True)
class Running:
    """A mean while it is counted."""

    n: int = 0
    sum: float = 0.0
    squares: float = 0.0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.n += 1
            self.sum += value
            self.squares += value * value

    @property
    def mean(self) -> Mean:
        return Mean(n=self.n, sum=self.sum, squares=self.squares)


@dataclass(slots=True)
class Newest:
    """The examples that came last: calls stream in the order of their start."""

    kept: deque[Example] = field(default_factory=lambda: deque(maxlen=EXAMPLES))

    def add(self, example: Example) -> None:
        self.kept.append(example)

    @property
    def examples(self) -> tuple[Example, ...]:
        return tuple(reversed(self.kept))


@dataclass(slots=True)
class Best:
    """The surest examples: those that a person confirmed first, then by confidence."""

    kept: list[tuple[bool, float, Example]] = field(default_factory=list)

    def add(self, item: ItemFact, line: FactLine) -> None:
        key = item.decided_by == REVIEW, item.confidence
        if len(self.kept) < EXAMPLES or key > self.kept[-1][:2]:
            self.kept.append((*key, example(item, line)))
            self.kept.sort(key=lambda entry: entry[:2], reverse=True)
            del self.kept[EXAMPLES:]

    @property
    def examples(self) -> tuple[Example, ...]:
        return tuple(example for _, _, example in self.kept)


@dataclass(slots=True)
class GroupTally:
    """What is counted of an agent, a team, or a stretch of time."""

    calls: int = 0
    scored: int = 0
    reviewed: int = 0
    passed: int = 0
    failed: int = 0
    fatal: int = 0
    forbidden: int = 0
    rate: Running = field(default_factory=Running)
    lowest: Running = field(default_factory=Running)
    highest: Running = field(default_factory=Running)
    duration: Running = field(default_factory=Running)
    hold: Running = field(default_factory=Running)
    silence: Running = field(default_factory=Running)
    pace: Running = field(default_factory=Running)

    def add(self, line: FactLine, rate: float | None) -> None:
        talk, card = line.facts.talk, line.facts.card
        self.calls += 1
        self.reviewed += bool(line.reviewers)
        self.fatal += line.facts.fatal
        self.forbidden += line.facts.forbidden > 0
        self.duration.add(line.duration_ms)
        self.hold.add(talk.hold)
        self.silence.add(talk.silence)
        self.pace.add(talk.pace)
        if card is not None:
            self.scored += 1
            self.passed += card.passed is True
            self.failed += card.passed is False
            self.rate.add(rate)
            self.lowest.add(card.lowest / card.full if card.full else None)
            self.highest.add(card.highest / card.full if card.full else None)

    def group(self, name: str) -> Group:
        return Group(
            name=name,
            calls=self.calls,
            scored=self.scored,
            reviewed=self.reviewed,
            ends=Ends(self.passed, self.failed, self.scored - self.passed - self.failed),
            rate=self.rate.mean,
            lowest=self.lowest.mean,
            highest=self.highest.mean,
            fatal=self.fatal,
            forbidden=self.forbidden,
            duration=self.duration.mean,
            hold=self.hold.mean,
            silence=self.silence.mean,
            pace=self.pace.mean,
        )


@dataclass(slots=True)
class PassTally:
    title: str
    pass_mark: float | None
    passed: int = 0
    failed: int = 0
    undecided: int = 0

    def passes(self, template: str, target: float | None) -> Passes:
        return Passes(
            template=template,
            title=self.title,
            pass_mark=self.pass_mark,
            target=target,
            ends=Ends(self.passed, self.failed, self.undecided),
        )


@dataclass(slots=True)
class PartTally:
    """A section or an item of a template."""

    section: str
    title: str
    rate: Running = field(default_factory=Running)
    cards: int = 0
    full: int = 0
    open: int = 0
    lost: int = 0
    points: int = 0
    newest: Newest = field(default_factory=Newest)
    best: Best = field(default_factory=Best)

    def add(self, item: ItemFact, line: FactLine) -> None:
        self.cards += 1
        if item.points is None:
            self.open += 1
            return
        self.rate.add(item.points / item.possible)
        if item.lost:
            self.lost += 1
            self.points += item.lost
            self.newest.add(example(item, line))
        else:
            self.full += 1
            if item.quote:
                self.best.add(item, line)

    def add_section(self, section: SectionFact) -> None:
        if not section.possible and not section.open:
            return
        self.cards += 1
        self.open += section.open
        if section.possible:
            self.rate.add(section.points / section.possible)
            self.full += section.points >= section.possible

    def part(self, template: str) -> Part:
        return Part(
            template=template,
            section=self.section,
            title=self.title,
            cards=self.cards,
            rate=self.rate.mean,
            full=Share(right=self.full, n=self.rate.n),
            open=self.open,
        )


@dataclass(slots=True)
class OwnItem:
    """An item of one agent: only what coaching needs."""

    rate: Running = field(default_factory=Running)
    lost: Newest = field(default_factory=Newest)


@dataclass(slots=True)
class RuleTally:
    title: str
    label: str
    severity: str
    calls: int = 0
    findings: int = 0
    cannot_tell: int = 0
    newest: Newest = field(default_factory=Newest)

    def line(self, rule: str, calls: int, judged: Share) -> RuleLine:
        return RuleLine(
            id=rule,
            title=self.title,
            label=self.label,
            severity=self.severity,
            calls=Share(right=self.calls, n=calls),
            findings=self.findings,
            cannot_tell=self.cannot_tell,
            judged=judged,
            examples=self.newest.examples,
        )


def example(item: ItemFact, line: FactLine) -> Example:
    return place(item.at, item.quote, line, item.reason)


def place(at: Ms | None, quote: str, line: FactLine, reason: str = "") -> Example:
    return Example(
        recording=line.recording_id,
        call=line.name,
        agent=line.agent_id or NOBODY,
        at=at,
        quote=quote,
        reason=reason,
    )


def stayed(final: CallFacts, machine: CallFacts | None) -> dict[tuple[str, str], tuple[Stayed, bool]]:
    """Items that the rules had decided and a person then looked at, by template and id: whether the points
    stayed."""
    card = final.card
    if machine is None or card is None or machine.card is None or machine.card.template != card.template:
        return {}
    before = {item.id: item.points for item in machine.items if item.points is not None}
    return {
        (card.template, item.id): (_nobody_yet(card.title, item.title), item.points == before[item.id])
        for item in final.items
        if item.decided_by == REVIEW and item.id in before
    }


def _nobody_yet(form: str, title: str) -> Stayed:
    return Stayed(form=form, title=title, share=Share(right=0, n=0))


@dataclass(slots=True)
class StayedTally:
    counts: dict[tuple[str, str], Stayed] = field(default_factory=dict)

    def add(self, line: FactLine) -> None:
        for key, (new, same) in stayed(line.facts, line.machine).items():
            known = self.counts.get(key, new)
            self.counts[key] = replace(known, share=known.share + Share(right=int(same), n=1))

    @property
    def lines(self) -> tuple[Stayed, ...]:
        """By template, the least kept first."""
        return tuple(
            self.counts[key]
            for key in sorted(
                self.counts,
                key=lambda k: (k[0], self.counts[k].share.value or 0.0, -self.counts[k].share.n, k[1]),
            )
        )
