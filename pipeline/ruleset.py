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
    """One printed level of an item: 优秀, 良好 ... `when` None: only a person can choose it."""

    title: str
    points: Decimal
    text: str
    when: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a scorecard. `applicable` None means always; `rules` bring evidence beside the levels'."""

    id: str
    title: str
    section: str
    points: Decimal
    fill: Fill
    levels: tuple[Level, ...]
    applicable: Condition | None = None
    rules: tuple[str, ...] = ()
    note: str = ""

    def evidence_rules(self) -> tuple[str, ...]:
        """All rules whose findings belong to this item, each once, in reading order."""
        named = [rule for level in self.levels if level.when for rule in level.when.rules()]
        named += self.applicable.rules() if self.applicable else ()
        return tuple(dict.fromkeys((*named, *self.rules)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A scorecard form with its items in print order."""

    id: str
    title: str
    version: int
    origin: str
    applies: Applies
    items: tuple[Item, ...]
    digest: str
    source: Source

    @property
    def points(self) -> Decimal:
        return sum((item.points for item in self.items), Decimal(0))


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

    def template_for(self, recording: Recording) -> Template | None:
        """The first template (by id) that is meant for this recording."""
        return next((t for t in self.templates if recording in t.applies), None)
