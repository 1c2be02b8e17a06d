"""Two scorings of one call held against each other, item by item, with the findings responsible."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import RuleSet
from pipeline.scorecard import Scorecard, ScoredItem
from pipeline.storage.records import ScoredCall, StoredCall
from pipeline.template import Item
from pipeline.timeline import Recording, Transcript
from pipeline.workflows.dispute.replay import RulesOf, call_of_the_day, encoder_of

Found = dict[str, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Everything about one scoring that a comparison looks at."""

    recording: Recording
    transcript: Transcript
    ruleset: RuleSet
    findings: tuple[Finding, ...]
    scorecard: Scorecard | None

    @classmethod
    def of(cls, scored: ScoredCall) -> "Scoring":
        """A scoring that was just made."""
        return cls(
            recording=scored.recording,
            transcript=scored.transcript,
            ruleset=scored.ruleset,
            findings=tuple(scored.findings),
            scorecard=scored.scorecard,
        )

    @classmethod
    def stored(cls, stored: StoredCall, rules: RulesOf) -> "Scoring":
        """A scoring of the past."""
        return cls(
            recording=call_of_the_day(stored).recording,
            transcript=stored.transcript,
            ruleset=rules(stored.ruleset_digest, encoder_of(stored)),
            findings=stored.findings,
            scorecard=stored.scorecard,
        )

    def item(self, item_id: str) -> Item | None:
        """An item as its template defines it."""
        card = self.scorecard
        template = next((t for t in self.ruleset.templates if card and t.id == card.template_id), None)
        return next((item for item in template.items if item.id == item_id), None) if template else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChange:
    """One item that is scored otherwise. `gone` and `new` are the findings that made the difference, `why`
    what lies behind them. `before` or `after` None: only one of the cards has it."""

    before: ScoredItem | None
    after: ScoredItem | None
    gone: tuple[Finding, ...]
    new: tuple[Finding, ...]
    why: tuple[str, ...]

    @property
    def title(self) -> str:
        item = self.after or self.before
        return item.title if item else ""


def item_changes(before: Scoring, after: Scoring) -> tuple[ItemChange, ...]:
    """Items that differ in verdict, level or points, in the print order of the newer card."""
    old, new = _items(before.scorecard), _items(after.scorecard)
    return tuple(
        _change(old.get(name), new.get(name), before, after)
        for name in dict.fromkeys((*new, *old))
        if _result(old.get(name)) != _result(new.get(name))
    )


def finding_changes(before: Scoring, after: Scoring) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Findings that are gone and that are new; one whose confidence alone moved is neither."""
    old = {finding.id: finding for finding in before.findings}
    new = {finding.id: finding for finding in after.findings}
    gone = tuple(old[name] for name in old if name not in new)
    return gone, tuple(new[name] for name in new if name not in old)


def _items(card: Scorecard | None) -> dict[str, ScoredItem]:
    return {item.id: item for item in card.items} if card else {}


def _result(item: ScoredItem | None) -> object:
    return item and (item.verdict, item.level, item.points, item.points_possible)


def _change(old: ScoredItem | None, new: ScoredItem | None, before: Scoring, after: Scoring) -> ItemChange:
    name = (new or old).id if (new or old) else ""  # type: ignore[union-attr]
    rules = _rules_of(name, before) | _rules_of(name, after)
    gone, new_ones = finding_changes(before, after)
    mine = _deciding(old, [f for f in gone if f.rule_id in rules])
    more = _deciding(new, [f for f in new_ones if f.rule_id in rules])
    why = tuple(dict.fromkeys(_why(name, rules, before, after)))
    return ItemChange(before=old, after=new, gone=telling(mine, more), new=telling(more, mine), why=why)


def _deciding(item: ScoredItem | None, findings: list[Finding]) -> list[Finding]:
    """Those that the item names; where it names none of them, all."""
    named = [f for f in findings if item and f.id in item.findings]
    return named or findings


def telling(own: Iterable[Finding], other: Iterable[Finding]) -> tuple[Finding, ...]:
    """Without absences that the other side has too, or that only say that a presence there is gone or new."""
    spoken_of = {f.rule_id for f in other}
    return tuple(f for f in own if f.outcome is not Outcome.ABSENT or f.rule_id not in spoken_of)


def _rules_of(item_id: str, scoring: Scoring) -> frozenset[str]:
    item = scoring.item(item_id)
    return frozenset(item.evidence_rules()) if item else frozenset()


def _why(name: str, rules: frozenset[str], before: Scoring, after: Scoring) -> Iterator[str]:
    """What changed between the scorings that can have moved the item."""
    for rule_id in sorted(rules):
        old, new = before.ruleset.rule(rule_id), after.ruleset.rule(rule_id)
        if (old and old.digest) != (new and new.digest):
            how = "改了" if old and new else "新增" if new else "没有了"
            rule = new or old
            yield f"规则“{rule.title if rule else rule_id}”{how}（{rule.source.path if rule else ''}）"
    one, other = before.item(name), after.item(name)
    if one and other and one != other:
        yield "评分表里这一项的写法改了"
    if _words(before.transcript) != _words(after.transcript):
        yield "转写的文字不同"
    if _roles(before.transcript) != _roles(after.transcript):
        yield "谁是坐席、谁是客户不同"
    if _metadata(before.recording) != _metadata(after.recording):
        yield "话单不同"


def _metadata(recording: Recording) -> Recording:
    return replace(recording, path="", unsettled=())


def _words(transcript: Transcript) -> list[str]:
    return [turn.text for turn in transcript.turns]


def _roles(transcript: Transcript) -> list[str]:
    return [turn.role for turn in transcript.turns]
