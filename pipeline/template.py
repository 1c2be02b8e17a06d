"""A scorecard form as a value. No YAML here: `pipeline.detect.load` reads the files."""

from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from enum import StrEnum

from pipeline.scope import ANY_DAY, Applies, Effective, Source
from pipeline.timeline import Recording


class Fill(StrEnum):
    """Who decides an item."""

    AUTO = "auto"  # rules decide the level
    ASSIST = "assist"  # rules bring evidence, the inspector decides
    MANUAL = "manual"  # only a person can


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
    effective: Effective = ANY_DAY
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
        return bool(self.applies.businesses), bool(self.applies.directions), self.effective != ANY_DAY
