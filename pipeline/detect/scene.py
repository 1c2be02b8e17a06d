"""What a detector sees of a call: the words laid out, the windows, and what other rules found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pipeline.detect.heard import Heard, stretches
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.meaning import Meaning
from pipeline.ruleset import Rule, Window
from pipeline.settings import Settings
from pipeline.timeline import Call, Role, Span, total
from pipeline.units import Ms, to_ms

DOUBTFUL_PROBABILITY = 0.35
DOUBTFUL_SHARE = 0.4
"""An absence is not certain when this share of the speech searched was not understood."""
NEARLY = 0.8
"""A match this close to the confidence asked for is cannot_tell rather than absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The settings that decide between present, absent and cannot_tell, and on which day a call was."""

    role_threshold: float = 0.7
    match_confidence: float = 0.5
    time_zone: str = "Asia/Shanghai"

    @classmethod
    def of(cls, settings: Settings) -> "Thresholds":
        return cls(
            role_threshold=settings.role_threshold,
            match_confidence=settings.match_confidence,
            time_zone=settings.time_zone,
        )


@dataclass(eq=False)
class Scene:
    """One call under examination. `found` holds the findings of the rules that ran before, `titles` what
    rules are called, `terms` the words of the rule set's lists, `meaning` what was learned from
    examples. `bounds`: nothing outside is looked at."""

    call: Call
    thresholds: Thresholds
    titles: Mapping[str, str] = field(default_factory=dict)
    terms: frozenset[str] = frozenset()
    meaning: Meaning | None = None
    found: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    bounds: Span | None = None
    whole: "Scene | None" = None
    _within: dict[tuple[Role | None, Window], int] = field(default_factory=dict)

    @cached_property
    def heard(self) -> Heard:
        return (
            self.whole.heard
            if self.whole
            else Heard.of_some(self.call, self.groups, range(len(self.groups)), self.terms)
        )

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """As `Heard.groups`, known before the words are laid out."""
        return self.whole.groups if self.whole else stretches(self.call.transcript.turns)

    def narrowed(self, bounds: Span) -> "Scene":
        """The same call of which only a part is looked at."""
        return replace(self, bounds=bounds, whole=self.whole or self, _within={})

    def title(self, rule_id: str) -> str:
        """What people call a rule."""
        return self.titles.get(rule_id, rule_id)

    def spoken(self, role: Role | None) -> tuple[Span, ...]:
        """When the role (None: anybody) speaks, turns without an interruption joined, by start."""
        turns = self.call.transcript.turns
        groups = [group for group in self.groups if role in (None, turns[group[0]].role)]
        return tuple(Span(turns[g[0]].span.start, max(turns[i].span.end for i in g)) for g in groups)

    @cached_property
    def roles_known(self) -> bool:
        return self.call.transcript.roles.confidence >= self.thresholds.role_threshold

    @cached_property
    def role_factor(self) -> float:
        """How much the doubt about the roles takes from a finding's confidence."""
        return 0.5 + 0.5 * self.call.transcript.roles.confidence

    def turns_after(self, role: Role | None, count: int | None, span: Span) -> Ms:
        """When the so-many-th turn of the role after a span ends, what is left of a turn that the span is
        in counted as one; the end of the call where there are not so many, or `count` is None."""
        spans = [spoken for spoken in self.spoken(role) if spoken.end > span.end]
        if count is None or count >= len(spans):
            return max(span.end, self.call.span.end)
        return spans[count - 1].end

    def turns_before(self, role: Role | None, count: int | None, span: Span) -> Ms:
        """When the so-many-th turn of the role before a span begins; see `turns_after`."""
        spans = [spoken for spoken in self.spoken(role) if spoken.start < span.start]
        return 0 if count is None or count >= len(spans) else spans[-count].start

    def searched(self, rule: Rule) -> Span:
        """The time that the rule's window leaves, before turns are counted."""
        window, whole = rule.window, self.call.span
        answered = min(self.call.transcript.connected_at, whole.end)
        start, end = 0, whole.end
        if window.first_seconds is not None:
            end = min(end, answered + to_ms(window.first_seconds))
        if window.last_seconds is not None:
            start = max(start, whole.end - to_ms(window.last_seconds))
        if window.first_percent is not None:
            end = min(end, round(whole.end * window.first_percent / 100))
        if window.last_percent is not None:
            start = max(start, round(whole.end * (1 - window.last_percent / 100)))
        searched = Span(min(start, end), end)
        return searched & self.bounds if self.bounds else searched

    def within(self, rule: Rule) -> int:
        """The characters of the rule's role in its window, as a mask of `heard`."""
        key = (rule.role, rule.window)
        if key not in self._within:
            inside, span = self.stretches(rule), self.searched(rule)
            self._within[key] = self.heard.mask(lambda m: m.stretch in inside and m.span.middle in span)
        return self._within[key]

    def stretches(self, rule: Rule) -> frozenset[int]:
        """Numbers of the stretches of the rule's role that its window of turns leaves."""
        wanted = rule.role
        turns = self.call.transcript.turns
        own = [n for n, group in enumerate(self.groups) if wanted in (None, turns[group[0]].role)]
        return frozenset(counted(own, rule.window))

    def finding(
        self, rule: Rule, outcome: Outcome, evidence: Iterable[Evidence], explanation: str, confidence: float
    ) -> Finding:
        """A finding of `rule`; without evidence it spans what was searched."""
        listed = tuple(evidence)
        span = self.searched(rule)
        if outcome is Outcome.PRESENT and listed:
            span = Span(min(e.span.start for e in listed), max(e.span.end for e in listed))
        return Finding(
            recording_id=self.call.recording.id,
            rule_id=rule.id,
            outcome=outcome,
            confidence=round(confidence, 4),
            role=rule.role or Role.UNKNOWN,
            span=span,
            evidence=listed,
            explanation=explanation,
        )

    def doubtful_share(self, rule: Rule) -> float:
        """Share of the speech searched that was not understood: unclear spans and improbable words."""
        marks, inside = self.heard.marks, self.stretches(rule)
        span = self.searched(rule)
        spoken = [m for m in marks if m.stretch in inside and m.span.middle in span]
        doubtful = sum(m.span.duration for m in spoken if m.probability < DOUBTFUL_PROBABILITY)
        unclear = total(part & span for part in self.call.transcript.unclear)
        heard = sum(m.span.duration for m in spoken)
        return (doubtful + unclear) / (heard + unclear) if heard + unclear else 1.0


def lies_in(found: Finding, searched: Span) -> bool:
    """Whether a finding begins, or has its middle, in the time that is looked at. One without evidence has
    no place in the call, and lies in any."""
    return not found.evidence or found.span.start in searched or found.span.middle in searched


def counted(own: list[int], window: Window) -> list[int]:
    """The stretches of one role, in order, that a window of turns leaves."""
    kept = own
    if window.first_turns is not None:
        kept = [n for n in kept if n in own[: window.first_turns]]
    if window.last_turns is not None:
        kept = [n for n in kept if n in own[-window.last_turns :]]
    return kept


def timing(span: Span, role: Role, *, turn: int | None = None, quote: str = "") -> Evidence:
    """Evidence that is a moment rather than words."""
    return Evidence(span=span, role=role, turn=turn, quote=quote, how=How.TIMING)
