"""What a rule of meaning would learn from inspectors' decisions, and what that would change, before it does.

What is learned stands in the rule's own file, as sentences under `confirmed` and `rejected`: so it is seen,
reviewed, compared by `rules impact`, and kept with the rule set that scored a call.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.detect.cases import CaseFailure, failure_of
from pipeline.detect.detectors.similar import SimilarParameters
from pipeline.detect.document import read
from pipeline.detect.sound import sounds_of
from pipeline.detect.training import Encode, Lesson, lesson, plain_texts
from pipeline.errors import UsageError
from pipeline.findings import Finding, Outcome
from pipeline.meaning import Meaning
from pipeline.ruleset import Rule, RuleSet
from pipeline.scoring.intervals import Share
from pipeline.storage.records import DecidedFinding
from pipeline.timeline import Recording, Span
from pipeline.workflows.meaning import Understanding, write
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.backtest import is_true
from pipeline.workflows.tuning.edit import patch, with_entries
from pipeline.workflows.tuning.sources import Draft, RulesFolder
from pipeline.workflows.tuning.try_rule import same_place

MOST = 200
"""Sentences of each kind that are learned at once, the newest decisions first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Sentences that inspectors decided about and the rule file does not know. `contested`: called right in
    one call and wrong in another, or the opposite of what the file says; nobody learns from these."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    contested: tuple[str, ...]
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """How a rule does on sentences that it did not learn from: those that mean it, those that do not, and
    ordinary ones. Each share is of those that it takes for its own. `decided_right` and `decided_wrong` are
    the new ones among them."""

    right: Share
    wrong: Share
    ordinary: Share
    decided_right: Share
    decided_wrong: Share

    @property
    def precision(self) -> Share:
        """Of the sentences that it takes for its own, ordinary ones aside."""
        return Share(right=self.right.right, n=self.right.right + self.wrong.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A stored finding that comes or goes."""

    recording: Recording
    finding: Finding
    gained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What would be learned and changed. Nothing to learn: `before`, `after` are None. `text` is the file as
    it would be, `failures` the cases that would no longer hold."""

    rule: Rule
    path: Path
    decided: Decided
    before: Tested | None = None
    after: Tested | None = None
    changes: tuple[Change, ...] = ()
    failures: tuple[CaseFailure, ...] = ()
    text: str = ""
    patch: str = ""


def learn(rule_id: str, folder: RulesFolder, archive: Archive) -> Learned:
    """Weigh the decisions. Writes nothing. Raises NotFound; UsageError: not a rule of meaning, no model."""
    draft, understanding = folder.rule(rule_id), archive.understanding
    if not isinstance(draft.rule.parameters, SimilarParameters):
        raise UsageError(f"{rule_id} 不是按意思找的规则", hint="只有 detector: similar 的规则从判断里学")
    if understanding is None:
        raise UsageError("没有句子模型，学不了", hint="检查设置 sentence_model")
    decided = sentences(draft.rule.parameters, _about(archive.store.decided_findings(), rule_id))
    found = Learned(rule=draft.rule, path=folder.folder / draft.path, decided=decided)
    if not (decided.right or decided.wrong):
        return found
    text = with_entries(draft.document, "confirmed", decided.right)
    text = with_entries(read(draft.path, text), "rejected", decided.wrong)
    after = folder.text(text, str(found.path), draft.path)
    return _weighed(found, draft, after, archive, understanding)


def apply(found: Learned) -> None:
    """Write the file, whole or not at all, with the rights that it has."""
    mode = found.path.stat().st_mode
    write(found.path, found.text.encode())
    found.path.chmod(mode)


def _about(decisions: Iterable[DecidedFinding], rule_id: str) -> list[DecidedFinding]:
    """Decisions about what the rule said was there, newest first."""
    own = [d for d in decisions if d.rule_id == rule_id and d.outcome is Outcome.PRESENT and d.quote]
    return sorted(own, key=lambda d: (d.review.at, d.review.recording_id, d.span), reverse=True)


def sentences(given: SimilarParameters, decisions: Sequence[DecidedFinding]) -> Decided:
    """What the decisions add to a rule's examples; sentences that sound alike are one."""
    said: dict[tuple[str, ...], dict[bool, str]] = {}
    for decision in decisions:
        said.setdefault(sounds_of(decision.quote), {}).setdefault(is_true(decision), decision.quote)
    mine = {sounds_of(text) for text in given.examples + given.confirmed}
    others = {sounds_of(text) for text in given.unlike + given.rejected}
    right: list[str] = []
    wrong: list[str] = []
    contested: list[str] = []
    known = 0
    for sounds, kinds in said.items():
        if len(kinds) > 1 or (True in kinds and sounds in others) or (False in kinds and sounds in mine):
            contested.append(next(iter(kinds.values())))
        elif sounds in mine or sounds in others:
            known += 1
        else:
            (right if True in kinds else wrong).append(next(iter(kinds.values())))
    return Decided(
        right=tuple(right[:MOST]), wrong=tuple(wrong[:MOST]), contested=tuple(contested), known=known
    )


def _weighed(
    found: Learned, draft: Draft, after: Draft, archive: Archive, understanding: Understanding
) -> Learned:
    encode = understanding.known_vectors().encode
    lessons = lesson(draft.ruleset, draft.rule, encode), lesson(after.ruleset, after.rule, encode)
    old, new = (
        _with(one, learned, understanding) for one, learned in zip((draft, after), lessons, strict=True)
    )
    failures = (failure_of(new, after.rule, case, understanding.with_sentences) for case in after.rule.cases)
    tests = [
        tested(after.rule, found.decided, learned.head.threshold, _scores(learned, found.decided, encode))
        for learned in lessons
    ]
    return replace(
        found,
        before=tests[0],
        after=tests[1],
        changes=_changes(archive, (old, draft.rule), (new, after.rule)),
        failures=tuple(failure for failure in failures if failure),
        text=after.document.text,
        patch=patch(draft.path, draft.document.text, after.document.text),
    )


def _with(draft: Draft, learned: Lesson, understanding: Understanding) -> RuleSet:
    """The rule set in which this one rule has learned."""
    heads = {draft.rule.id: learned.head}
    meaning = Meaning(encoder=understanding.name, rarity=learned.rarity, heads=heads)
    return replace(draft.ruleset, meaning=meaning)


def _scores(learned: Lesson, decided: Decided, encode: Encode) -> dict[str, float]:
    """What each sentence scores with a classifier that did not learn from it."""
    texts = [text for text in decided.right + decided.wrong if text not in learned.held_out]
    if not texts:
        return dict(learned.held_out)
    weigher = Meaning(encoder="", rarity=learned.rarity, heads={})
    heard = [weigher.weighed_runs(sounds_of(text)) for text in texts]
    return {**learned.held_out, **dict(zip(texts, learned.head.scores(encode(texts), heard), strict=True))}


def tested(rule: Rule, decided: Decided, threshold: float, scores: Mapping[str, float]) -> Tested:
    """The sentences of a rule that has the decisions among its own, held against a threshold."""
    given = rule.parameters
    if not isinstance(given, SimilarParameters):
        raise TypeError(f"{rule.id} does not learn")
    own = dict.fromkeys(given.examples + given.confirmed)
    unlike = [text for text in dict.fromkeys(given.unlike + given.rejected) if text not in own]
    plain = [text for text in plain_texts() if text not in own and text not in unlike]

    def share(texts: Iterable[str]) -> Share:
        known = [scores[text] for text in texts]
        return Share(right=sum(score >= threshold for score in known), n=len(known))

    return Tested(
        right=share(own),
        wrong=share(unlike),
        ordinary=share(plain),
        decided_right=share(decided.right),
        decided_wrong=share(decided.wrong),
    )


def _changes(archive: Archive, old: tuple[RuleSet, Rule], new: tuple[RuleSet, Rule]) -> tuple[Change, ...]:
    """Stored findings that come or go, newest call first."""
    before, after = _present(archive, *old), _present(archive, *new)
    changes = [
        *_lacking(after, before, gained=True),
        *_lacking(before, after, gained=False),
    ]
    return tuple(sorted(changes, key=_newest))


Present = dict[str, list[tuple[Recording, Finding]]]


def _present(archive: Archive, ruleset: RuleSet, rule: Rule) -> Present:
    found: Present = {}
    for shown in archive.shown(ruleset, [rule]):
        present = [(shown.recording, f) for f in shown.findings if f.outcome is Outcome.PRESENT]
        if present:
            found[shown.recording.id] = present
    return found


def _lacking(some: Present, others: Present, *, gained: bool) -> Iterator[Change]:
    """Findings at whose place the others have none."""
    for recording_id, present in some.items():
        there = [finding.span for _, finding in others.get(recording_id, [])]
        for recording, finding in present:
            if not any(same_place(finding.span, span) for span in there):
                yield Change(recording=recording, finding=finding, gained=gained)


def _newest(change: Change) -> tuple[float, str, Span]:
    began = change.recording.started_at
    return -began.timestamp() if began else 0.0, change.recording.id, change.finding.span
