"""Which stored calls a rule hits as its file says it now."""

import heapq
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pipeline.detect.pattern import PatternError, parse
from pipeline.errors import UsageError
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import Effective, Rule, RuleSet
from pipeline.storage.records import StoredCall
from pipeline.timeline import Recording, Role, Span
from pipeline.workflows.tuning.archive import Archive, Findings, in_step, only
from pipeline.workflows.tuning.sources import Draft, RulesFolder


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
    """What one run over the archive gave. Counts are of all calls, `hits` the first of them in order."""

    rule: Rule
    calls: int = 0
    calls_hit: int = 0
    found: int = 0
    added: int = 0
    near: int = 0
    cannot_tell: int = 0
    not_applicable: int = 0
    hits: list[Hit] = field(default_factory=list)


def try_rule(trial: Trial, folder: RulesFolder, archive: Archive) -> Tried:
    """Run the rule, and what it needs, over every stored call, whatever its dates say. At most `limit` hits
    are in memory.

    Raises NotFound: no such file. RuleError: every fault of the file.
    """
    now, before = _drafts(trial, folder)
    calls = archive.judged(_in_force(now, archive))
    if before is None:
        return counted(trial, now.rule, ((stored, findings, None) for stored, findings in calls))
    return counted(trial, now.rule, in_step(calls, archive.again(_in_force(before, archive))))


def _in_force(draft: Draft, archive: Archive) -> RuleSet:
    """The rule and what it needs, as on a day when it is in force."""
    return only(archive.taught(draft.ruleset), [replace(draft.rule, effective=Effective())])


def _drafts(trial: Trial, folder: RulesFolder) -> tuple[Draft, Draft | None]:
    """The rule to try, and the same without the phrases where they are added to a file."""
    for phrase in trial.phrases:
        _check(phrase)
    if trial.file is None:
        return folder.text(phrase_rule(trial.phrases, trial.role), "--phrase"), None
    plain = folder.file(trial.file)
    return (folder.file(trial.file, trial.phrases), plain) if trial.phrases else (plain, None)


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


def counted(trial: Trial, rule: Rule, calls: Iterable[tuple[StoredCall, Findings, Findings | None]]) -> Tried:
    """Count and order what the rule finds. The third of each triple is what it found before the phrases
    were added; None: nothing is added."""
    tried = Tried(rule=rule)
    key = _KEYS[trial.order]
    hits = (hit for triple in calls for hit in _counted(tried, *triple))
    shown = (hit for hit in hits if trial.near or not hit.near)
    tried.hits = (
        sorted(shown, key=key) if trial.limit is None else heapq.nsmallest(trial.limit, shown, key=key)
    )
    return tried


def _counted(tried: Tried, stored: StoredCall, findings: Findings, before: Findings | None) -> Iterator[Hit]:
    own = [finding for finding in findings if finding.rule_id == tried.rule.id]
    present = [finding for finding in own if finding.outcome is Outcome.PRESENT]
    known = [f.span for f in before or () if f.rule_id == tried.rule.id and f.outcome is Outcome.PRESENT]
    tried.calls += 1
    tried.calls_hit += bool(present)
    tried.not_applicable += not own
    tried.cannot_tell += any(finding.outcome is Outcome.CANNOT_TELL for finding in own)
    for finding in present:
        added = before is not None and not any(same_place(finding.span, span) for span in known)
        tried.found += 1
        tried.added += added
        yield Hit(
            recording=stored.recording,
            evidence=_whole(finding),
            confidence=finding.confidence,
            added=added,
            explanation=finding.explanation,
        )
    for evidence in near_misses(own):
        tried.near += 1
        yield Hit(recording=stored.recording, evidence=evidence, confidence=None, near=True)


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
