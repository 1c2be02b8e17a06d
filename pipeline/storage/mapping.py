"""Values <-> canonical JSON (sorted keys, no spaces, UTF-8, Decimal as text, times as whole Ms), compressed.

The same value always gives the same bytes before compression, so a digest of them compares scorings.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import StorageError
from pipeline.findings import Finding
from pipeline.program import program
from pipeline.ruleset import RuleSet
from pipeline.scorecard import FIRST_FORM, OPEN, DecidedBy, Scorecard, ScoredItem
from pipeline.storage.records import Change, Circumstances, RuleFacts, ScoredCall
from pipeline.timeline import Recording, Transcript, Turn, Word

T = TypeVar("T")
PROBABILITY_DECIMALS = 3


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind)
    for kind in (Change, Circumstances, Finding, Recording, RuleFacts, Scorecard, Transcript)
}
"""Every type that is kept as JSON."""


def to_plain(value: Any) -> Any:
    """A pipeline value as JSON types: dicts, lists, texts, numbers."""
    return _ADAPTERS[type(value)].dump_python(value, mode="json")


def from_plain(kind: type[T], plain: Any) -> T:
    """The value of type `kind` written by `to_plain`. Raises StorageError where it does not fit."""
    try:
        value: T = _ADAPTERS[kind].validate_python(plain)
    except ValidationError as error:
        raise StorageError(
            f"存下的 {kind.__name__} 读不懂：{error.error_count()} 处不符",
            hint="数据库是别的版本的 callscore 写的，或已损坏：用那个版本打开，或从备份恢复",
        ) from error
    return value


def canonical(plain: Any) -> bytes:
    """Canonical JSON. Lone surrogates (file names in an unknown encoding) survive; NaN is a ValueError."""
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def digest(plain: Any) -> str:
    return hashlib.sha256(canonical(plain)).hexdigest()


def pack(plain: Any) -> bytes:
    """Canonical JSON, compressed."""
    return zlib.compress(canonical(plain), 6)


def unpack(body: bytes) -> Any:
    """What `pack` packed. Raises StorageError for other bytes."""
    try:
        return json.loads(zlib.decompress(body).decode("utf-8", "surrogatepass"))
    except (zlib.error, ValueError) as error:
        raise StorageError(f"存下的内容读不懂：{error}", hint="数据库已损坏，从备份恢复") from error


def column_text(text: str) -> str:
    """Text that every database takes: no NUL, no lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "backslashreplace").decode()


def recording_to_plain(recording: Recording) -> Any:
    if recording.started_at is None:
        return to_plain(recording)
    if recording.started_at.tzinfo is None:
        raise ValueError("Recording.started_at must be aware")
    return to_plain(replace(recording, started_at=recording.started_at.astimezone(UTC)))


def recording_from_plain(plain: Any) -> Recording:
    return from_plain(Recording, plain)


def storable(transcript: Transcript) -> Transcript:
    """The transcript as the database will give it back: probabilities with three decimals.

    Score this one, so that a re-score from the database sees exactly what the night saw.
    """
    return replace(transcript, turns=tuple(map(_storable_turn, transcript.turns)))


def _storable_turn(turn: Turn) -> Turn:
    words = tuple(
        replace(w, probability=round(float(w.probability), PROBABILITY_DECIMALS)) for w in turn.words
    )
    return replace(turn, words=words)


def transcript_to_plain(transcript: Transcript) -> Any:
    """Words of a turn become parallel arrays: start, end, text, probability."""
    plain = to_plain(replace(transcript, turns=tuple(replace(t, words=()) for t in transcript.turns)))
    for turn, row in zip(transcript.turns, plain["turns"], strict=True):
        row["words"] = _words_to_plain(turn.words)
    return plain


def _words_to_plain(words: Sequence[Word]) -> dict[str, list[Any]]:
    return {
        "start": [word.span.start for word in words],
        "end": [word.span.end for word in words],
        "text": [word.text for word in words],
        "probability": [round(float(word.probability), PROBABILITY_DECIMALS) for word in words],
    }


def transcript_from_plain(plain: Any) -> Transcript:
    return from_plain(Transcript, {**plain, "turns": [_turn_from_plain(row) for row in plain["turns"]]})


def _turn_from_plain(row: dict[str, Any]) -> dict[str, Any]:
    arrays = row["words"]
    columns = zip(arrays["start"], arrays["end"], arrays["text"], arrays["probability"], strict=True)
    words = [
        {"span": {"start": start, "end": end}, "text": text, "probability": probability}
        for start, end, text, probability in columns
    ]
    return {**row, "words": words}


def rule_facts(ruleset: RuleSet, findings: Iterable[Finding]) -> dict[str, RuleFacts]:
    """What the rules of these findings say of themselves; a rule the set does not hold raises KeyError."""
    rules = {rule.id: rule for rule in ruleset.rules}
    return {
        rule_id: RuleFacts(
            title=rules[rule_id].title,
            label=rules[rule_id].label,
            category=rules[rule_id].category,
            severity=rules[rule_id].severity,
            status=rules[rule_id].status,
        )
        for rule_id in sorted({finding.rule_id for finding in findings})
    }


def scoring_to_plain(
    findings: Iterable[Finding], rules: Mapping[str, RuleFacts], scorecard: Scorecard | None
) -> Any:
    """The body of one scoring: findings, their rules, and the scorecard."""
    return {
        "findings": [to_plain(finding) for finding in findings],
        "rules": {rule_id: to_plain(facts) for rule_id, facts in rules.items()},
        "scorecard": None if scorecard is None else _card_to_plain(scorecard),
    }


def scoring_from_plain(
    plain: Any,
) -> tuple[tuple[Finding, ...], dict[str, RuleFacts], Scorecard | None]:
    findings = tuple(from_plain(Finding, row) for row in plain["findings"])
    rules = {rule_id: from_plain(RuleFacts, row) for rule_id, row in plain["rules"].items()}
    card = plain["scorecard"]
    return findings, rules, None if card is None else _card_from_plain(card)


_FIRST_CARD = frozenset(
    [
        "recording_id",
        "template_id",
        "template_title",
        "template_version",
        "ruleset_digest",
        "provenance",
        "items",
        "total",
        "open_points",
        "points_possible",
        "fatal",
    ]
)
_FIRST_ITEM = frozenset(
    [
        "id",
        "title",
        "section",
        "level",
        "points",
        "points_possible",
        "verdict",
        "confidence",
        "findings",
        "reason",
    ]
)
"""The keys of a stored card, and of its items, before it had a form."""


def _card_to_plain(card: Scorecard) -> Any:
    """A card of the first form is written as it was read, to the byte."""
    plain = to_plain(card)
    if card.form != FIRST_FORM:
        return plain
    items = [{key: item[key] for key in item.keys() & _FIRST_ITEM} for item in plain["items"]]
    return {key: plain[key] for key in plain.keys() & _FIRST_CARD} | {"items": items}


def _card_from_plain(plain: dict[str, Any]) -> Scorecard:
    if "form" in plain:
        return from_plain(Scorecard, plain)
    card = from_plain(Scorecard, {**plain, "form": FIRST_FORM})
    return replace(
        card,
        items=tuple(map(_with_decider, card.items)),
        lowest=card.total,
        highest=card.total + card.open_points,
    )


def _with_decider(item: ScoredItem) -> ScoredItem:
    """On the first form, rules decided whatever was decided."""
    if item.verdict in OPEN:
        return item
    return replace(item, decided_by=DecidedBy.RULES, lowest=item.points or item.lowest)


def circumstances_of(scored: ScoredCall) -> Circumstances:
    """What a scoring depended on beside transcript, rule set and reviews."""
    return Circumstances(
        recording=scored.recording,
        settings=dict(scored.settings),
        encoder=scored.sentences.encoder if scored.sentences else None,
        program=program(),
    )


def circumstances_to_plain(kept: Circumstances) -> Any:
    return {**to_plain(kept), "recording": recording_to_plain(kept.recording)}


def scoring_of(scored: ScoredCall) -> Any:
    """The body of a scoring that is not stored yet."""
    return scoring_to_plain(scored.findings, rule_facts(scored.ruleset, scored.findings), scored.scorecard)
