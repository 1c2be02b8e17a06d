"""Rules and scorecard templates as values. No YAML here: `pipeline.detect.load` reads the files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from pipeline.meaning import Meaning
from pipeline.timeline import Direction, Recording, Role


class Severity(StrEnum):
    MINOR = "minor"
    MAJOR = "major"
    FATAL = "fatal"


class Status(StrEnum):
    """Draft rules run and are shown, and never score."""

    ACTIVE = "active"
    DRAFT = "draft"


class Fill(StrEnum):
    """Who decides an item."""

    AUTO = "auto"  # rules decide the level
    ASSIST = "assist"  # rules bring evidence, the inspector decides
    MANUAL = "manual"  # only a person can


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a rule was written. `path` is relative to the rules folder; line and column count from 1."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Of(StrEnum):
    """Which findings of another rule a window lies around."""

    FIRST = "first"  # the earliest one
    ANY = "any"  # one of them is enough
    EVERY = "every"  # each of them must have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """So close to a finding of another rule. Without seconds and turns: as far as the call goes before or
    after it, the finding's own time within it. Turns are counted among the turns of the rule's role."""

    rule: str
    seconds: float | None = None
    turns: int | None = None
    of: Of = Of.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which part of the call a rule looks at; all None means the whole call.

    Turns are counted among the turns of the rule's role.
    """

    first_seconds: float | None = None
    last_seconds: float | None = None
    first_turns: int | None = None
    last_turns: int | None = None
    first_percent: float | None = None
    last_percent: float | None = None
    before: Near | None = None
    after: Near | None = None
    within: Near | None = None

    @property
    def near(self) -> tuple[tuple[str, Near], ...]:
        """The parts that other rules' findings open, by name."""
        named = (("before", self.before), ("after", self.after), ("within", self.within))
        return tuple((name, near) for name, near in named if near)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """The first and the last day on which a rule is in force; None: no bound."""

    first: date | None = None
    last: date | None = None

    def covers(self, moment: datetime | None, zone: tzinfo) -> bool:
        """Whether a call that began then is judged by the rule; one of unknown time is."""
        if moment is None:
            return True
        day = moment.astimezone(zone).date()
        return not ((self.first and day < self.first) or (self.last and day > self.last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Applies:
    """The calls a rule or template is for. Empty means all; an unknown direction counts as a match."""

    directions: tuple[Direction, ...] = ()
    businesses: tuple[str, ...] = ()

    def __contains__(self, recording: Recording) -> bool:
        if self.directions and recording.direction not in (None, *self.directions):
            return False
        return not self.businesses or recording.business in self.businesses


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A tiny call written in a rule file, and whether the rule must find something in it."""

    hit: bool
    text: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule file. `parameters` is the detector's own parameter type, already validated.

    `exceptions` cancel what the detector finds: patterns of words, or findings of other rules close by.
    """

    id: str
    title: str
    why: str
    label: str
    category: str | None
    severity: Severity
    status: Status
    detector: str
    role: Role | None
    window: Window
    applies: Applies
    parameters: object
    cases: tuple[Case, ...]
    digest: str
    source: Source
    exceptions: tuple[str | Near, ...] = ()
    effective: Effective = Effective()

    @property
    def patterns(self) -> tuple[str, ...]:
        """The exceptions that are words."""
        return tuple(entry for entry in self.exceptions if isinstance(entry, str))

    @property
    def cancelling(self) -> tuple[Near, ...]:
        """The exceptions that are findings of other rules."""
        return tuple(entry for entry in self.exceptions if isinstance(entry, Near))

    def neighbours(self) -> tuple[str, ...]:
        """Ids of the rules whose findings open its window or cancel what it finds."""
        return tuple(near.rule for near in (*(n for _, n in self.window.near), *self.cancelling))


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A tree over rule outcomes, answered in three-valued logic (true, false, cannot know).

    Leaves: `present` / `absent` name a rule id; `always` is true.
    Inner nodes: `all`, `any`, `none` hold conditions.
    """

    kind: str
    rule: str | None = None
    parts: tuple["Condition", ...] = ()

    def rules(self) -> tuple[str, ...]:
        """Every rule id named in the tree, in reading order."""
        own = (self.rule,) if self.rule else ()
        return own + tuple(rule for part in self.parts for rule in part.rules())


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One printed level of an item: 优秀, 良好 ... `when` None: only a person can choose it. A printed range
    such as 3-4 has `lowest` 3: rules give `points`, an inspector anything between."""

    title: str
    points: Decimal
    text: str
    when: Condition | None = None
    lowest: Decimal | None = None

    @property
    def least(self) -> Decimal:
        """The fewest points that the level stands for."""
        return self.points if self.lowest is None else self.lowest


class Per(StrEnum):
    FINDING = "finding"  # each finding takes the points
    CALL = "call"  # once, however often it was found


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """Points that findings of a rule take from an item; `cap`: at most so many, however many findings."""

    rule: str
    points: Decimal
    text: str
    per: Per = Per.FINDING
    cap: Decimal | None = None


ACCEPT_FROM = 0.8
"""The confidence from which an auto item may be accepted as it is, where the template does not say."""
ACCEPT_ABSENT_FROM = 0.97
"""The same for each thing that was not found and that the item hangs on: words that no phrase foresees are
missed however well they are heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a scorecard. `applicable` None means always; `rules` bring evidence beside the levels'.

    `completed` says that the item is ours and not printed, `manual_because` why rules cannot fill it,
    `places` where the standard asks for it. The points of a bonus come on top and are not in the denominator.
    """

    id: str
    title: str
    section: str
    points: Decimal
    fill: Fill
    levels: tuple[Level, ...] = ()
    deductions: tuple[Deduction, ...] = ()
    applicable: Condition | None = None
    rules: tuple[str, ...] = ()
    note: str = ""
    completed: str = ""
    manual_because: str = ""
    accept_from: float = ACCEPT_FROM
    accept_absent_from: float = ACCEPT_ABSENT_FROM
    places: tuple[str, ...] = ()
    bonus: bool = False

    @property
    def least(self) -> Decimal:
        """The fewest points that anybody can give."""
        if self.deductions or self.bonus or not self.levels:
            return Decimal(0)
        return min(level.least for level in self.levels)

    def deciding_rules(self) -> tuple[str, ...]:
        """The rules that its level or its deductions hang on, each once, in reading order."""
        named = [rule for level in self.levels if level.when for rule in level.when.rules()]
        return tuple(dict.fromkeys((*named, *(deduction.rule for deduction in self.deductions))))

    def evidence_rules(self) -> tuple[str, ...]:
        """All rules whose findings belong to this item, each once, in reading order."""
        named = self.applicable.rules() if self.applicable else ()
        return tuple(dict.fromkeys((*self.deciding_rules(), *named, *self.rules)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A printed part of a form. `weight` in percent where the total is weighted."""

    id: str
    title: str
    items: tuple[Item, ...]
    weight: Decimal | None = None


class Zero(StrEnum):
    CARD = "card"  # what a fatal item takes
    SECTION = "section"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatal:
    """一票否决. `when` None: only a person can say so. `section` is the id of the section that it zeroes."""

    id: str
    title: str
    when: Condition | None
    zero: Zero
    section: str | None = None


class Use(StrEnum):
    ALWAYS = "always"
    ON_REQUEST = "on_request"  # never chosen by itself, only by name


class Total(StrEnum):
    POINTS = "points"  # the sum of the items' points
    WEIGHTED = "weighted"  # the weighted sum of the sections' means


class Combine(StrEnum):
    """What counts where several inspectors decided an item."""

    AVERAGE = "average"  # the mean of each one's newest decision
    FINAL = "final"  # the newest decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewing:
    """How reviews of one call go together; blind: the second inspector does not see the first's."""

    blind: bool = False
    combine: Combine = Combine.FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Printed targets of a team, percent and minutes. None: not printed."""

    pass_rate: float | None = None
    answered_rate: float | None = None
    handling_minutes: float | None = None
    tickets_in_time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A scorecard form, its sections in print order.

    `full` is what the normalised total can reach, `pass_mark` is held against the normalised total,
    `appeal_days` is how long after a scoring an agent may appeal; None: nobody said.
    """

    id: str
    title: str
    version: int
    origin: str
    applies: Applies
    sections: tuple[Section, ...]
    digest: str
    source: Source
    use: Use = Use.ALWAYS
    effective: Effective = Effective()
    total: Total = Total.POINTS
    full: Decimal | None = None
    pass_mark: Decimal | None = None
    target: Target = Target()
    reviews: Reviewing = Reviewing()
    appeal_days: int | None = None
    fatal: tuple[Fatal, ...] = ()
    accept_from: float = ACCEPT_FROM

    @property
    def items(self) -> tuple[Item, ...]:
        """All items in print order."""
        return tuple(item for section in self.sections for item in section.items)

    @property
    def points(self) -> Decimal:
        """The printed points added up, bonuses left out."""
        return sum((item.points for item in self.items if not item.bonus), Decimal(0))

    def covers(self, recording: Recording, zone: tzinfo) -> bool:
        """Whether it is meant for this call; `zone` says which day it was."""
        return recording in self.applies and self.effective.covers(recording.started_at, zone)

    @property
    def specificity(self) -> tuple[bool, bool, bool]:
        """How narrowly it is meant: one for a business before one for a direction, before one for days."""
        return bool(self.applies.businesses), bool(self.applies.directions), self.effective != Effective()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Everything that decides a score, kept by `digest`. `files` holds the text of every file read,
    by path relative to the rules folder, so that a dispute can be replayed under the rules of the day.
    `words` holds the named word lists that patterns may use as slots, `meaning` what was learned from
    examples."""

    rules: tuple[Rule, ...]
    templates: tuple[Template, ...]
    files: Mapping[str, str]
    digest: str
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    meaning: Meaning | None = None

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def template(self, template_id: str) -> Template | None:
        return next((template for template in self.templates if template.id == template_id), None)

    def template_for(self, recording: Recording, zone: tzinfo) -> Template | None:
        """The most specific template that is meant for this recording, the first by id of several."""
        meant = (t for t in self.templates if t.use is Use.ALWAYS and t.covers(recording, zone))
        return min(meant, key=lambda t: (tuple(not named for named in t.specificity), t.id), default=None)
