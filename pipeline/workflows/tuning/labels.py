"""Rules of today against labelled calls, rule by rule: everything in these calls is known, so recall can be
claimed for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ruleset import Rule, Status
from pipeline.scoring.intervals import Share
from pipeline.storage.records import RuleFacts, StoredCall
from pipeline.timeline import Recording
from pipeline.workflows import metrics
from pipeline.workflows.evaluate import observe, read_truths
from pipeline.workflows.metrics import Score, Truth, label_of, tally
from pipeline.workflows.tuning.archive import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTest:
    """A label, by all its active rules (`rule` None) or by one rule alone, a draft measured as if active."""

    label: str
    rule: Rule | None
    score: Score

    @property
    def precision(self) -> Share:
        return Share(right=self.score.right, n=self.score.right + self.score.false)

    @property
    def recall(self) -> Share:
        return Share(right=self.score.right, n=self.score.right + self.score.missed)


class LabelCounter:
    """Counts calls one by one; calls that are not labelled are not counted."""

    def __init__(self, folder: Path, rules: Sequence[Rule]) -> None:
        """Raises NotFound, BadInput: `folder` holds no labelled calls."""
        self.truths = {truth.name: truth for truth in read_truths(folder)}
        self.rules = tuple(rules)
        self.heard: set[str] = set()
        self._scores: dict[tuple[str, str | None], Score] = {}

    def count(self, stored: StoredCall, findings: Findings) -> None:
        """Count a labelled call; of several recordings of one the first counts, others are passed over."""
        truth = self.truths.get(name_of(stored.recording))
        if truth is not None and truth.name not in self.heard:
            self.heard.add(truth.name)
            self._count(truth, findings)

    @property
    def unheard(self) -> tuple[str, ...]:
        return tuple(sorted(self.truths.keys() - self.heard))

    def tests(self) -> tuple[LabelTest, ...]:
        """Each label with all its rules, then each of these alone where there are several."""
        rules = {rule.id: rule for rule in self.rules}
        ordered = sorted(self._scores, key=lambda key: (key[0], key[1] or ""))
        alone = {
            label: sum(1 for other, rule_id in ordered if other == label and rule_id) for label, _ in ordered
        }
        return tuple(
            LabelTest(
                label=label, rule=rules[rule_id] if rule_id else None, score=self._scores[label, rule_id]
            )
            for label, rule_id in ordered
            if rule_id is None or alone[label] > 1 or (label, None) not in self._scores
        )

    def _count(self, truth: Truth, findings: Findings) -> None:
        labels: dict[str, list[Rule]] = {}
        for rule in self.rules:
            labels.setdefault(label_of(rule.label, rule.category), []).append(rule)
        for label, rules in labels.items():
            if not _is_labelled(label, truth):
                continue
            active = [rule for rule in rules if rule.status is Status.ACTIVE]
            if active:
                self._add(label, None, _score(truth, findings, active, label))
            for rule in rules:
                self._add(label, rule.id, _score(truth, findings, [rule], label))

    def _add(self, label: str, rule_id: str | None, score: Score) -> None:
        self._scores[label, rule_id] = self._scores.get((label, rule_id), Score()) + score


def name_of(recording: Recording) -> str:
    """What labels call a recording."""
    return recording.call_id or Path(recording.path).stem


def _is_labelled(label: str, truth: Truth) -> bool:
    placed = label.partition(".")[0] in metrics.PLACED
    return placed or label in truth.checklist or label in metrics.PER_CALL


def _score(truth: Truth, findings: Findings, rules: Sequence[Rule], label: str) -> Score:
    facts: Mapping[str, RuleFacts] = {rule.id: _facts(rule) for rule in rules}
    own = [finding for finding in findings if finding.rule_id in facts]
    return tally(truth, observe(own, facts)).scores.get(label, Score())


def _facts(rule: Rule) -> RuleFacts:
    return RuleFacts(
        title=rule.title,
        label=rule.label,
        category=rule.category,
        severity=rule.severity,
        status=Status.ACTIVE,
    )
