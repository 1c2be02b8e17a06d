"""What another rule set would change in the archive: findings gained and lost, and scores."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.scorecard import Scorecard
from pipeline.scoring.score import score
from pipeline.storage.records import StoredCall
from pipeline.timeline import Recording
from pipeline.units import points
from pipeline.workflows.tuning.archive import Archive, Findings, in_step, only
from pipeline.workflows.tuning.sources import Side, changed_rules
from pipeline.workflows.tuning.try_rule import same_place

NOBODY = "（未知）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A present finding that only one of the two rule sets has."""

    recording: Recording
    finding: Finding
    gained: bool


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
    """Judge each stored call under both; keep `examples` changes of each rule and kind (None: all)."""
    base = replace(base, ruleset=archive.taught(base.ruleset))
    head = replace(head, ruleset=archive.taught(head.ruleset))
    compared = changed_rules(base.ruleset, head.ruleset)
    zone = ZoneInfo(archive.thresholds.time_zone)
    found = Impact(base=base, head=head, compared=compared, zone=zone)
    for stored, before, after in _judged(found, archive):
        _count(found, stored, before, after, examples)
    return found


def _judged(found: Impact, archive: Archive) -> Iterator[tuple[StoredCall, Findings, Findings]]:
    """Rules that did not change run once."""
    head = found.head.ruleset
    again = only(head, (rule for rule in head.rules if rule.id in found.compared))
    pairs = in_step(archive.judged(found.base.ruleset), archive.again(again))
    for stored, before, changed in pairs:
        kept = [finding for finding in before if finding.rule_id not in found.compared]
        new = [finding for finding in changed if finding.rule_id in found.compared]
        yield stored, before, tuple(sorted((*kept, *new), key=lambda f: (f.rule_id, f.span, f.id)))


def _count(
    found: Impact, stored: StoredCall, before: Findings, after: Findings, examples: int | None
) -> None:
    found.calls += 1
    touched = False
    for rule_id in sorted(found.compared):
        pair = _of(before, rule_id), _of(after, rule_id)
        touched |= _count_rule(found, rule_id, stored, pair, examples)
    found.calls_changed += touched
    _count_scores(found, stored, before, after)


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


def _count_scores(found: Impact, stored: StoredCall, before: Findings, after: Findings) -> None:
    cards = (
        _card(stored, before, found.base.ruleset, found.zone),
        _card(stored, after, found.head.ruleset, found.zone),
    )
    if cards[0] is None or cards[1] is None:
        found.unscored += 1
        return
    about = stored.recording
    groups: Iterable[GroupImpact] = (
        found.total,
        found.agents.setdefault(about.agent_id or NOBODY, GroupImpact()),
        found.businesses.setdefault(about.business or NOBODY, GroupImpact()),
    )
    for group in groups:
        _add(group, cards[0], cards[1])


def _card(stored: StoredCall, findings: Findings, ruleset: RuleSet, zone: tzinfo) -> Scorecard | None:
    template = ruleset.template_for(stored.recording, zone)
    if template is None:
        return None
    return score(stored.recording, findings, template, ruleset, stored.transcript.provenance)


def _add(group: GroupImpact, before: Scorecard, after: Scorecard) -> None:
    group.calls += 1
    group.before += before.total
    group.after += after.total
    group.open_before += before.open_points
    group.open_after += after.open_points
    group.changed += (before.total, before.open_points, before.points_possible, before.fatal) != (
        after.total,
        after.open_points,
        after.points_possible,
        after.fatal,
    )
    group.fatal_gained += after.fatal and not before.fatal
    group.fatal_lost += before.fatal and not after.fatal
