"""A stored scoring made again: the same transcript, rules, template, settings, metadata and reviews."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pipeline.program import program
from pipeline.ruleset import RuleSet
from pipeline.scorecard import FIRST_FORM, Review, Scorecard
from pipeline.settings import Settings
from pipeline.storage import mapping
from pipeline.storage.records import ScoredCall, StoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call
from pipeline.workflows.process_call import Choice, judge
from pipeline.workflows.rules import rules_of_the_day

RulesOf = Callable[[str, str | None], RuleSet]
"""The stored rule set by its digest, taught with a sentence model (None: any)."""


class Agreement(StrEnum):
    """How a replay compares with what is stored."""

    IDENTICAL = "identical"  # the same canonical JSON, to the byte
    SAME_FIELDS = "same_fields"  # the same in every field that was stored; this version has more fields
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A scoring and its replay. `sha256` is that of the replay's canonical JSON, `difference` the first place
    where they part, `assumed` what the scoring did not keep and had to be taken from today."""

    stored: StoredCall
    scored: ScoredCall
    sha256: str
    agreement: Agreement
    difference: str
    assumed: tuple[str, ...]


def rules_by_digest(store: Store) -> RulesOf:
    """Stored rule sets, each read once."""
    kept: dict[tuple[str, str | None], RuleSet] = {}

    def rules(digest: str, encoder: str | None) -> RuleSet:
        if (digest, encoder) not in kept:
            kept[digest, encoder] = rules_of_the_day(store, digest, encoder)
        return kept[digest, encoder]

    return rules


def replayed(stored: StoredCall, store: Store, rules: RulesOf, settings: Settings) -> Replay:
    """Make a scoring again and compare. Writes nothing. `settings` stand in where the scoring kept none."""
    scored = judge(
        call_of_the_day(stored),
        rules(stored.ruleset_digest, encoder_of(stored)),
        settings_of_the_day(stored, settings),
        choice_of_the_day(stored),
        reviews_of_the_day(stored, store),
    )
    plain = mapping.scoring_of(_in_its_form(scored, stored.scorecard))
    sha256 = mapping.digest(plain)
    agreement, difference = Agreement.IDENTICAL, ""
    if sha256 != stored.body_sha256:
        agreement, difference = _compared(store.scoring_body(stored.scorecard_id), plain)
    return Replay(
        stored=stored,
        scored=scored,
        sha256=sha256,
        agreement=agreement,
        difference=difference,
        assumed=_assumed(stored),
    )


def call_of_the_day(stored: StoredCall) -> Call:
    """The call with the metadata that it was scored with."""
    kept = stored.circumstances
    return replace(stored.call, recording=kept.recording) if kept else stored.call


def settings_of_the_day(stored: StoredCall, settings: Settings) -> Settings:
    """Today's settings with those that move a score as they were."""
    kept = stored.circumstances
    return settings.model_copy(update=dict(kept.settings)) if kept else settings


def choice_of_the_day(stored: StoredCall) -> Choice:
    """The template of a scoring, whatever was or was not asked for."""
    return Choice(stored.scorecard.template_id if stored.scorecard else None, named=True)


def reviews_of_the_day(stored: StoredCall, store: Store) -> tuple[Review, ...]:
    """What people had decided when the call was scored."""
    return store.reviews(stored.recording.id)[: stored.reviews]


def _in_its_form(scored: ScoredCall, stored: Scorecard | None) -> ScoredCall:
    """The scoring with a card of the form that the stored one has: on the first form, items that nobody
    decided had no confidence."""
    card = scored.scorecard
    if card is None or stored is None or stored.form != FIRST_FORM:
        return scored
    items = tuple(i if i.verdict.decided else replace(i, confidence=0.0) for i in card.items)
    return replace(scored, scorecard=replace(card, items=items, form=FIRST_FORM))


def encoder_of(stored: StoredCall) -> str | None:
    """The sentence model of a scoring."""
    if stored.circumstances and stored.circumstances.encoder:
        return stored.circumstances.encoder
    return stored.sentences.encoder if stored.sentences else None


def _assumed(stored: StoredCall) -> tuple[str, ...]:
    kept = stored.circumstances
    if kept is None or not kept.settings:
        return ("评分时没有留下当时的设置（旧版数据库），用的是现在的",)
    if kept.program != program():
        return (f"评分时的程序是 {kept.program}，现在是 {program()}",)
    return ()


def _compared(stored: Any, made: Any) -> tuple[Agreement, str]:
    difference = next(differences(stored, made), None)
    if difference is None:
        return Agreement.SAME_FIELDS, "这一版程序的评分表多了几个字段，存下的字段全都相同"
    return Agreement.DIFFERENT, difference


def differences(stored: Any, made: Any, where: str = "") -> Iterator[str]:
    """Where two plain values differ, in reading order; fields that only `made` has are no difference."""
    if isinstance(stored, dict) and isinstance(made, dict):
        for key in sorted(stored):
            yield from differences(stored[key], made.get(key), f"{where}.{key}" if where else key)
    elif isinstance(stored, list) and isinstance(made, list):
        for n, (left, right) in enumerate(zip(stored, made, strict=False)):
            yield from differences(left, right, f"{where}[{_name(left, n)}]")
        if len(stored) != len(made):
            yield f"{where}：存下 {len(stored)} 条，重放 {len(made)} 条"
    elif stored != made:
        yield f"{where}：存下“{_short(stored)}”，重放“{_short(made)}”"


def _name(entry: Any, number: int) -> str:
    """What people can find an entry of a list by."""
    if isinstance(entry, Mapping):
        return str(entry.get("rule_id") or entry.get("id") or number)
    return str(number)


def _short(value: Any, limit: int = 60) -> str:
    text = mapping.canonical(value).decode("utf-8", "backslashreplace") if value is not None else "没有"
    return text if len(text) <= limit else text[:limit] + "…"
