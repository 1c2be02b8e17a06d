"""What another rule set would change in the archive: findings gained and lost, and scores."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal
from typing import Self
from zoneinfo import ZoneInfo

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.scorecard import Review, Scorecard
from pipeline.scoring.added import by_person, with_people
from pipeline.scoring.score import score
from pipeline.storage.records import CallSummary, StoredCall
from pipeline.timeline import Recording
from pipeline.units import points
from pipeline.workflows.tuning.archive import Archive, Findings
from pipeline.workflows.tuning.sources import Side, changed_rules, stale_rules
from pipeline.workflows.tuning.touched import touched_calls
from pipeline.workflows.tuning.try_rule import same_place
from pipeline.workflows.tuning.whole import only

NOBODY = "（未知）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A present finding that only one of the two rule sets has."""

    recording: Recording
    finding: Finding
    gained: bool

    @property
    def quote(self) -> str:
        """What was said; for a measurement what the rule tells."""
        return "……".join(e.quote for e in self.finding.evidence if e.quote) or self.finding.explanation


@dataclass(slots=True, kw_only=True)
class RuleImpact:
    """One rule whose answers change. `unknown_gained`, `unknown_lost`: calls that become, or are no longer,
    cannot_tell. `examples` holds the newest changes of each kind."""

    rule: Rule
    gained: int = 0
    lost: int = 0
    calls: int = 0
    unknown_gained: int = 0
    unknown_lost: int = 0
    examples: dict[bool, deque[Change]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What counts of a scorecard."""

    total: Decimal
    open_points: Decimal
    possible: Decimal
    fatal: bool

    @classmethod
    def of(cls, card: Scorecard) -> Self:
        return cls(
            total=card.total, open_points=card.open_points, possible=card.points_possible, fatal=card.fatal
        )

    @classmethod
    def stored(cls, summary: CallSummary) -> Self | None:
        """None: the call has no scorecard."""
        total, waiting, possible = summary.total, summary.open_points, summary.points_possible
        if total is None or waiting is None or possible is None:
            return None
        return cls(total=total, open_points=waiting, possible=possible, fatal=summary.fatal)


@dataclass(slots=True, kw_only=True)
class GroupImpact:
    """The scores of some calls before and after; sums over the calls that both rule sets score."""

    calls: int = 0
    changed: int = 0
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    open_before: Decimal = Decimal(0)
    open_after: Decimal = Decimal(0)
    fatal_gained: int = 0
    fatal_lost: int = 0

    def mean(self, total: Decimal) -> Decimal:
        """Points a call, one decimal place."""
        return points(total / self.calls) if self.calls else points(0)


@dataclass(slots=True, kw_only=True)
class Impact:
    """Everything that changes between two rule sets, by rule, agent and business."""

    base: Side
    head: Side
    compared: frozenset[str]
    zone: tzinfo
    calls: int = 0
    calls_changed: int = 0
    unscored: int = 0
    rules: dict[str, RuleImpact] = field(default_factory=dict)
    total: GroupImpact = field(default_factory=GroupImpact)
    agents: dict[str, GroupImpact] = field(default_factory=dict)
    businesses: dict[str, GroupImpact] = field(default_factory=dict)


def impact(base: Side, head: Side, archive: Archive, *, examples: int | None) -> Impact:
    """Judge the calls that may change under both; keep `examples` changes of each rule and kind (None: all).
    Calls that nothing touches count with their newest scorecard."""
    base = replace(base, ruleset=archive.taught(base.ruleset))
    head = replace(head, ruleset=archive.taught(head.ruleset))
    compared = changed_rules(base.ruleset, head.ruleset)
    zone = ZoneInfo(archive.thresholds.time_zone)
    found = Impact(base=base, head=head, compared=compared, zone=zone)
    touched = touched_calls(base.ruleset, head.ruleset, compared, archive)
    judge, total = _Judge(found, archive), archive.size
    for summary in archive.store.calls():
        found.calls += 1
        if touched is None or summary.recording.id in touched:
            _count(found, judge, archive.store.latest(summary.recording.id), examples)
        else:
            _count_untouched(found, summary)
        archive.watch(found.calls, total)
    return found


class _Judge:
    """A call's findings under both rule sets. What neither changes is taken as it was stored, unless the call
    was scored with other rules than the base's."""

    def __init__(self, found: Impact, archive: Archive) -> None:
        self._found, self._archive = found, archive
        self._stale: dict[str, frozenset[str]] = {found.base.ruleset.digest: frozenset()}
        self._rules: dict[tuple[str, frozenset[str]], RuleSet] = {}

    def both(self, stored: StoredCall) -> tuple[Findings, Findings]:
        """By rule id and time, as the engine gives them."""
        base, head = self._found.base.ruleset, self._found.head.ruleset
        anew = self._found.compared | self._stale_in(stored.ruleset_digest)
        kept = [f for f in stored.findings if f.rule_id not in anew or by_person(f)]
        return self._under(base, stored, anew, kept), self._under(head, stored, anew, kept)

    def cards(
        self, stored: StoredCall, pair: tuple[Findings, Findings]
    ) -> tuple[Scorecard | None, Scorecard | None]:
        """The scorecards of both, with what people decided about the call."""
        reviews = self._archive.store.reviews(stored.recording.id)
        base, head = self._found.base.ruleset, self._found.head.ruleset
        before, after = pair
        return self._card(stored, before, base, reviews), self._card(stored, after, head, reviews)

    def _card(
        self, stored: StoredCall, findings: Findings, ruleset: RuleSet, reviews: Sequence[Review]
    ) -> Scorecard | None:
        template = ruleset.template_for(stored.recording, self._found.zone)
        if template is None:
            return None
        found = with_people(findings, reviews, ruleset)
        return score(stored.recording, found, template, ruleset, stored.transcript.provenance, reviews)

    def _under(
        self, ruleset: RuleSet, stored: StoredCall, anew: frozenset[str], kept: Iterable[Finding]
    ) -> Findings:
        key = ruleset.digest, anew
        if key not in self._rules:
            self._rules[key] = only(ruleset, (rule for rule in ruleset.rules if rule.id in anew))
        new = (f for f in self._archive.judge(stored, self._rules[key]) if f.rule_id in anew)
        return tuple(sorted((*kept, *new), key=lambda f: (f.rule_id, f.span, f.id)))

    def _stale_in(self, digest: str) -> frozenset[str]:
        if digest not in self._stale:
            files = self._archive.store.ruleset_files(digest)
            self._stale[digest] = stale_rules(files, self._found.base.ruleset)
        return self._stale[digest]


def _count(found: Impact, judge: _Judge, stored: StoredCall, examples: int | None) -> None:
    before, after = judge.both(stored)
    changed = False
    for rule_id in sorted(found.compared):
        pair = _of(before, rule_id), _of(after, rule_id)
        changed |= _count_rule(found, rule_id, stored, pair, examples)
    found.calls_changed += changed
    _count_scores(found, judge, stored, (before, after))


def _of(findings: Findings, rule_id: str) -> Findings:
    return tuple(finding for finding in findings if finding.rule_id == rule_id)


def _count_rule(
    found: Impact, rule_id: str, stored: StoredCall, pair: tuple[Findings, Findings], examples: int | None
) -> bool:
    """Whether anything changed; a finding at the same place with other words is the same finding."""
    before, after = pair
    changes = [
        *(Change(recording=stored.recording, finding=f, gained=True) for f in _without(after, before)),
        *(Change(recording=stored.recording, finding=f, gained=False) for f in _without(before, after)),
    ]
    unknown = int(_unknown(after)) - int(_unknown(before))
    if not changes and not unknown:
        return False
    about = _about(found, rule_id, examples)
    about.calls += 1
    about.unknown_gained += unknown > 0
    about.unknown_lost += unknown < 0
    for change in changes:
        about.gained += change.gained
        about.lost += not change.gained
        about.examples[change.gained].append(change)
    return True


def _without(findings: Findings, others: Findings) -> list[Finding]:
    """Present findings at whose place the others have none."""
    there = [other.span for other in others if other.outcome is Outcome.PRESENT]
    present = (finding for finding in findings if finding.outcome is Outcome.PRESENT)
    return [finding for finding in present if not any(same_place(finding.span, span) for span in there)]


def _unknown(findings: Findings) -> bool:
    return any(finding.outcome is Outcome.CANNOT_TELL for finding in findings)


def _about(found: Impact, rule_id: str, examples: int | None) -> RuleImpact:
    if rule_id not in found.rules:
        rule = found.head.ruleset.rule(rule_id) or found.base.ruleset.rule(rule_id)
        if rule is None:
            raise KeyError(rule_id)
        kept = {gained: deque[Change](maxlen=examples) for gained in (True, False)}
        found.rules[rule_id] = RuleImpact(rule=rule, examples=kept)
    return found.rules[rule_id]


def _count_scores(found: Impact, judge: _Judge, stored: StoredCall, pair: tuple[Findings, Findings]) -> None:
    before, after = judge.cards(stored, pair)
    if before is None or after is None:
        found.unscored += 1
        return
    for group in _groups(found, stored.recording):
        _add(group, Points.of(before), Points.of(after))


def _count_untouched(found: Impact, summary: CallSummary) -> None:
    points = Points.stored(summary)
    if points is None:
        found.unscored += 1
        return
    for group in _groups(found, summary.recording):
        _add(group, points, points)


def _groups(found: Impact, about: Recording) -> tuple[GroupImpact, ...]:
    return (
        found.total,
        found.agents.setdefault(about.agent_id or NOBODY, GroupImpact()),
        found.businesses.setdefault(about.business or NOBODY, GroupImpact()),
    )


def _add(group: GroupImpact, before: Points, after: Points) -> None:
    group.calls += 1
    group.before += before.total
    group.after += after.total
    group.open_before += before.open_points
    group.open_after += after.open_points
    group.changed += before != after
    group.fatal_gained += after.fatal and not before.fatal
    group.fatal_lost += before.fatal and not after.fatal
