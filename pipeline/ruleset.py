"""Rules as values, and all that decides a score. No YAML here: `pipeline.detect.load` reads the files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from pipeline.meaning import Meaning
from pipeline.scope import ANY_DAY, Applies, Effective, Source
from pipeline.template import Template, Use
from pipeline.timeline import Recording, Role


class Severity(StrEnum):
    MINOR = "minor"
    MAJOR = "major"
    FATAL = "fatal"


class Status(StrEnum):
    """Draft rules run and are shown, and never score."""

    ACTIVE = "active"
    DRAFT = "draft"


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
    effective: Effective = ANY_DAY

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
