"""Which stored calls a rule hits as its file says it now."""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path

from pipeline.detect.pattern import PatternError, parse
from pipeline.errors import UsageError
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.scope import ANY_DAY, Applies
from pipeline.timeline import Recording, Role, Span
from pipeline.workflows.tuning.archive import Archive, Shown
from pipeline.workflows.tuning.sources import Draft, RulesFolder
from pipeline.workflows.tuning.whole import only

BEFORE = "before.tried"
"""The id under which a rule runs without the phrases that are tried."""
NEAR_CALLS = 200
"""Near misses are looked for in so many calls: each must be read whole."""


class Order(StrEnum):
    NEWEST = "newest"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place in a call. `added`: found only thanks to the phrases that are tried; `near`: not found,
    but the nearest candidate. `explanation`: what the rule tells, where it measures rather than quotes."""

    recording: Recording
    evidence: Evidence
    confidence: float | None
    added: bool = False
    near: bool = False
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to try and what to show of it. `phrases` are added to the rule in `file`; without a file they
    are a rule by themselves, for the words of `role`. `limit` None: every hit."""

    file: Path | None = None
    phrases: tuple[str, ...] = ()
    role: str = Role.AGENT.value
    order: Order = Order.NEWEST
    limit: int | None = 20
    near: bool = False


@dataclass(slots=True, kw_only=True)
class Tried:
    """What one run over the archive gave. Counts are of all calls, `hits` the first of them in order.
    `cannot_tell`: calls with something heard that is not sure, or with nobody known to be the agent.
    `near` and `near_calls`: near misses, and the newest calls that were looked through for them."""

    rule: Rule
    calls: int = 0
    calls_hit: int = 0
    found: int = 0
    added: int = 0
    near: int = 0
    near_calls: int = 0
    cannot_tell: int = 0
    not_applicable: int = 0
    hits: list[Hit] = field(default_factory=list)


def try_rule(trial: Trial, folder: RulesFolder, archive: Archive) -> Tried:
    """Run the rule, and what it needs, over every stored call, whatever its dates say. At most `limit` hits
    are in memory, with phrases those of the whole archive.

    Raises NotFound: no such file. RuleError: every fault of the file.
    """
    now, before = _drafts(trial, folder)
    rule = replace(now.rule, effective=ANY_DAY)
    ruleset = archive.taught(now.ruleset, [rule])
    tried = Tried(rule=now.rule, calls=archive.size)
    hits = _hits(tried, archive, ruleset, rule, before)
    if trial.near:
        hits = chain(hits, _near_hits(tried, archive, only(ruleset, [rule])))
    key = _KEYS[trial.order]
    tried.hits = sorted(hits, key=key) if trial.limit is None else heapq.nsmallest(trial.limit, hits, key=key)
    tried.not_applicable = sum(1 for _ in _outside(rule, archive))
    return tried


def _hits(tried: Tried, archive: Archive, ruleset: RuleSet, rule: Rule, before: Rule | None) -> Iterator[Hit]:
    """What the rule finds. `before`: the rule without the phrases that are tried, if they are added; the
    archive is looked through once for both."""
    unsure: set[str] = set()
    for shown, plain in _pairs(archive, ruleset, rule, before):
        present = [finding for finding in shown.findings if finding.outcome is Outcome.PRESENT]
        tried.calls_hit += bool(present)
        if any(finding.outcome is Outcome.CANNOT_TELL for finding in shown.findings):
            unsure.add(shown.recording.id)
        for finding in present:
            added = before is not None and not any(same_place(finding.span, span) for span in plain)
            tried.found += 1
            tried.added += added
            yield _hit(shown.recording, finding, added=added)
    if rule.role is not None:
        unsure.update(archive.uncertain_roles())
    tried.cannot_tell = len(unsure)


def _pairs(
    archive: Archive, ruleset: RuleSet, rule: Rule, before: Rule | None
) -> Iterator[tuple[Shown, tuple[Span, ...]]]:
    """What the rule shows in a call, with the places that the rule `before` finds there."""
    if before is None:
        yield from ((shown, ()) for shown in archive.shown(ruleset, [rule]))
        return
    plain = replace(before, id=BEFORE, effective=ANY_DAY)
    both = replace(ruleset, rules=(*ruleset.rules, plain))
    found: dict[str, dict[str, Shown]] = {}
    for shown in archive.shown(both, [rule, plain]):
        found.setdefault(shown.recording.id, {})[shown.rule_id] = shown
    for about in found.values():
        if rule.id in about:
            known = about[BEFORE].findings if BEFORE in about else ()
            yield about[rule.id], tuple(f.span for f in known if f.outcome is Outcome.PRESENT)


def _near_hits(tried: Tried, archive: Archive, ruleset: RuleSet) -> Iterator[Hit]:
    """What is nearly found in the newest calls: these must be read whole."""
    for stored, findings in archive.judged(archive.newest(NEAR_CALLS), ruleset):
        tried.near_calls += 1
        for evidence in near_misses(f for f in findings if f.rule_id == tried.rule.id):
            tried.near += 1
            yield Hit(recording=stored.recording, evidence=evidence, confidence=None, near=True)


def _outside(rule: Rule, archive: Archive) -> Iterator[Recording]:
    """Recordings that the rule is not for."""
    if rule.applies != Applies():
        yield from (call.recording for call in archive.store.calls() if call.recording not in rule.applies)


def _hit(recording: Recording, finding: Finding, *, added: bool) -> Hit:
    return Hit(
        recording=recording,
        evidence=_whole(finding),
        confidence=finding.confidence,
        added=added,
        explanation=finding.explanation,
    )


def _drafts(trial: Trial, folder: RulesFolder) -> tuple[Draft, Rule | None]:
    """The rule to try, and the same without the phrases where they are added to a file."""
    for phrase in trial.phrases:
        _check(phrase)
    if trial.file is None:
        return folder.text(phrase_rule(trial.phrases, trial.role), "--phrase"), None
    plain = folder.file(trial.file)
    return (folder.file(trial.file, trial.phrases), plain.rule) if trial.phrases else (plain, None)


def _check(phrase: str) -> None:
    try:
        parse(phrase)
    except PatternError as error:
        raise UsageError(f"--phrase “{phrase}”，第 {error.column + 1} 个字：{error}") from error


def phrase_rule(phrases: Iterable[str], role: str) -> str:
    """The text of a rule that looks for phrases and says nothing more."""
    listed = "".join(f"  - {json.dumps(phrase, ensure_ascii=False)}\n" for phrase in phrases)
    head = "id: tried.phrase\ntitle: 试用\nlabel: tried\nwhy: 试用\ndetector: phrase\n"
    return f"{head}role: {role}\nphrases:\n{listed}"


def near_misses(findings: Iterable[Finding]) -> Iterator[Evidence]:
    """The nearest candidates of findings that found nothing."""
    for finding in findings:
        if finding.outcome is not Outcome.PRESENT:
            yield from (e for e in finding.evidence if e.quote and e.how is not How.TIMING)


def same_place(one: Span, other: Span) -> bool:
    return one == other or one.overlaps(other)


def _whole(finding: Finding) -> Evidence:
    """The first evidence of a finding, its quote that of all."""
    first = finding.evidence[0] if finding.evidence else Evidence(span=finding.span, role=finding.role)
    quotes = [e.quote for e in finding.evidence if e.quote]
    return Evidence(
        span=finding.span,
        role=first.role,
        turn=first.turn,
        quote="……".join(quotes),
        phrase=first.phrase,
        how=first.how,
        distance=first.distance,
        detail=first.detail,
    )


def _newest(hit: Hit) -> tuple[bool, float, str, Span, bool]:
    started_at: datetime | None = hit.recording.started_at
    since = -started_at.timestamp() if started_at else 0.0
    return (started_at is None, since, hit.recording.id, hit.evidence.span, hit.near)


def _doubtful(hit: Hit) -> tuple[float, float, str, Span, bool]:
    confidence = 0.0 if hit.confidence is None else hit.confidence
    return (confidence, hit.evidence.distance, hit.recording.id, hit.evidence.span, hit.near)


_KEYS: dict[Order, Callable[[Hit], tuple[object, ...]]] = {
    Order.NEWEST: _newest,
    Order.DOUBTFUL: _doubtful,
}
