import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import StorageError
from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.scorecard import (
    FIRST_FORM,
    DecidedBy,
    Deducted,
    FatalCause,
    Scorecard,
    ScoredItem,
    SectionScore,
    Verdict,
)
from pipeline.storage import mapping
from pipeline.template import Fill
from pipeline.timeline import (
    AgentChannel,
    Direction,
    Hold,
    Overlap,
    Provenance,
    Recording,
    Role,
    RoleAssignment,
    Span,
    Transcript,
    Turn,
    Word,
)

texts = st.text(max_size=8)
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))]))
numbers = st.floats(allow_nan=False, allow_infinity=False)
shares = st.floats(0, 1)
counts = st.integers(0, 9)
points = st.decimals(-100, 100, places=1)
spans = st.builds(
    lambda start, length: Span(start, start + length), st.integers(0, 10**7), st.integers(0, 10**6)
)


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | values


def tuples_of(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(values, max_size=3).map(tuple)


recordings = st.builds(
    Recording,
    id=texts,
    sha256=texts,
    path=texts,
    duration=st.integers(0, 10**8),
    sample_rate=counts,
    channels=counts,
    codec=texts,
    warnings=tuples_of(texts),
    call_id=maybe(texts),
    started_at=maybe(moments),
    agent_id=maybe(texts),
    customer=maybe(texts),
    direction=maybe(st.sampled_from(Direction)),
    business=maybe(texts),
    queue_wait_seconds=maybe(numbers),
    ring_count=maybe(counts),
    agent_channel=maybe(st.sampled_from(AgentChannel)),
    is_complaint=maybe(st.booleans()),
)
words = st.builds(Word, span=spans, text=texts, probability=shares)
turns = st.builds(
    Turn,
    index=counts,
    speaker=counts,
    role=st.sampled_from(Role),
    channel=maybe(counts),
    span=spans,
    words=tuples_of(words),
    loudness_dbfs=maybe(numbers),
    pitch_hz=maybe(numbers),
)
provenances = st.builds(Provenance, pipeline=texts, model=texts, model_sha256=texts, settings_digest=texts)
transcripts = st.builds(
    Transcript,
    turns=tuples_of(turns),
    rings=tuples_of(spans),
    holds=tuples_of(st.builds(Hold, span=spans, music=st.booleans())),
    silences=tuples_of(spans),
    overlaps=tuples_of(st.builds(Overlap, span=spans, first=counts, second=counts)),
    unclear=tuples_of(spans),
    overlaps_audible=st.booleans(),
    roles=st.builds(RoleAssignment, confidence=shares, reason=texts),
    provenance=provenances,
)
evidence = st.builds(
    Evidence,
    span=spans,
    role=st.sampled_from(Role),
    turn=maybe(counts),
    quote=texts,
    phrase=texts,
    how=st.sampled_from(How),
    distance=numbers,
    detail=texts,
)
findings = st.builds(
    Finding,
    recording_id=texts,
    rule_id=texts,
    outcome=st.sampled_from(Outcome),
    confidence=shares,
    role=st.sampled_from(Role),
    span=spans,
    evidence=tuples_of(evidence),
    explanation=texts,
)
deducted = st.builds(Deducted, rule=texts, points=points, text=texts, findings=tuples_of(texts))
items = st.builds(
    ScoredItem,
    id=texts,
    title=texts,
    section=texts,
    level=maybe(texts),
    points=maybe(points),
    points_possible=points,
    verdict=st.sampled_from(Verdict),
    confidence=shares,
    findings=tuples_of(texts),
    reason=texts,
    lowest=points,
    fill=maybe(st.sampled_from(Fill)),
    bonus=st.booleans(),
    decided_by=st.sampled_from(DecidedBy),
    reviewers=tuples_of(texts),
    suggested=maybe(texts),
    accept_from=maybe(shares),
    acceptable=st.booleans(),
    deductions=tuples_of(deducted),
)
sections = st.builds(
    SectionScore,
    id=texts,
    title=texts,
    weight=maybe(points),
    points=points,
    open=points,
    possible=points,
    rate=maybe(points),
)
fatals = st.builds(
    FatalCause,
    id=texts,
    title=texts,
    zero=st.sampled_from(["card", "section", "none"]),
    section=maybe(texts),
    holds=maybe(st.just(True)),
    confidence=shares,
    findings=tuples_of(texts),
    reason=texts,
)
scorecards = st.builds(
    Scorecard,
    recording_id=texts,
    template_id=texts,
    template_title=texts,
    template_version=counts,
    ruleset_digest=texts,
    provenance=provenances,
    items=tuples_of(items),
    total=points,
    open_points=points,
    points_possible=points,
    fatal=st.booleans(),
    sections=tuples_of(sections),
    full=points,
    lowest=points,
    highest=points,
    fatals=tuples_of(fatals),
    acceptable=st.booleans(),
    pass_mark=maybe(points),
    passed=maybe(st.booleans()),
)

several = settings(max_examples=60, deadline=None)


@several
@given(recordings)
def test_a_recording_survives_the_database(recording: Recording) -> None:
    packed = mapping.pack(mapping.recording_to_plain(recording))
    assert mapping.recording_from_plain(mapping.unpack(packed)) == recording


@several
@given(transcripts)
def test_a_storable_transcript_survives_the_database(transcript: Transcript) -> None:
    kept = mapping.storable(transcript)
    packed = mapping.pack(mapping.transcript_to_plain(kept))
    assert mapping.transcript_from_plain(mapping.unpack(packed)) == kept


@several
@given(transcripts)
def test_making_a_transcript_storable_rounds_probabilities_and_nothing_else(transcript: Transcript) -> None:
    kept = mapping.storable(transcript)
    assert mapping.storable(kept) == kept
    assert mapping.transcript_to_plain(kept) == mapping.transcript_to_plain(transcript)
    before = [word.probability for turn in transcript.turns for word in turn.words]
    after = [word.probability for turn in kept.turns for word in turn.words]
    assert all(abs(a - b) <= 0.0005 for a, b in zip(before, after, strict=True))


@several
@given(tuples_of(findings), scorecards)
def test_a_scoring_survives_the_database(found: tuple[Finding, ...], card: Scorecard) -> None:
    packed = mapping.pack(mapping.scoring_to_plain(found, {}, card))
    back, _, card_back = mapping.scoring_from_plain(mapping.unpack(packed))
    assert back == found
    assert card_back == card
    assert [f.id for f in back] == [f.id for f in found]


@several
@given(recordings)
def test_the_same_moment_gives_the_same_bytes_in_every_time_zone(recording: Recording) -> None:
    plain = mapping.canonical(mapping.recording_to_plain(recording))
    again = mapping.recording_from_plain(json.loads(plain.decode("utf-8", "surrogatepass")))
    assert mapping.canonical(mapping.recording_to_plain(again)) == plain


def test_canonical_json_is_sorted_unspaced_and_readable() -> None:
    assert mapping.canonical({"b": 1, "a": ["客户", None]}).decode() == '{"a":["客户",null],"b":1}'


def test_points_are_text_so_that_no_digit_is_lost() -> None:
    plain = mapping.to_plain(
        Scorecard(
            recording_id="r",
            template_id="t",
            template_title="t",
            template_version=1,
            ruleset_digest="d",
            provenance=Provenance(pipeline="1", model="m", model_sha256="s", settings_digest="d"),
            items=(),
            total=Decimal("87.0"),
            open_points=Decimal("0.0"),
            points_possible=Decimal("100.0"),
            fatal=False,
        )
    )
    assert (plain["total"], plain["open_points"]) == ("87.0", "0.0")


def test_words_are_parallel_arrays() -> None:
    word = Word(span=Span(10, 20), text="您", probability=0.98765)
    turn = Turn(index=0, speaker=0, role=Role.AGENT, channel=None, span=Span(10, 20), words=(word,))
    transcript = Transcript(
        turns=(turn,),
        roles=RoleAssignment(confidence=1.0, reason=""),
        provenance=Provenance(pipeline="1", model="m", model_sha256="s", settings_digest="d"),
    )
    words = mapping.transcript_to_plain(transcript)["turns"][0]["words"]
    assert words == {"start": [10], "end": [20], "text": ["您"], "probability": [0.988]}


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        mapping.canonical({"confidence": math.nan})


def test_naive_starts_are_refused() -> None:
    naive = datetime(2024, 5, 6)
    recording = Recording(
        id="", sha256="", path="", duration=0, sample_rate=1, channels=1, codec="", started_at=naive
    )
    with pytest.raises(ValueError, match="aware"):
        mapping.recording_to_plain(recording)


@pytest.mark.parametrize("body", [b"", b"x", mapping.pack({})[:-3]])
def test_other_bytes_are_an_explained_error(body: bytes) -> None:
    with pytest.raises(StorageError, match="读不懂"):
        mapping.unpack(body)


def test_a_body_of_another_shape_is_an_explained_error() -> None:
    with pytest.raises(StorageError, match="Recording"):
        mapping.recording_from_plain({"id": 3})


NEW_KEYS = {
    "sections", "full", "lowest", "highest", "fatals", "acceptable", "pass_mark", "passed", "form",
    "fill", "bonus", "decided_by", "reviewers", "suggested", "accept_from", "deductions",
}  # fmt: skip


def of_the_first_form(card: Scorecard) -> dict[str, object]:
    """The card as it was stored before it had a form."""
    plain = {key: value for key, value in mapping.to_plain(card).items() if key not in NEW_KEYS}
    items = [{k: v for k, v in item.items() if k not in NEW_KEYS} for item in plain["items"]]
    return plain | {"items": items}


@several
@given(scorecards)
def test_a_card_of_the_first_form_is_read_and_written_to_the_byte(card: Scorecard) -> None:
    old = {"findings": [], "rules": {}, "scorecard": of_the_first_form(card)}
    findings, rules, back = mapping.scoring_from_plain(old)
    assert back is not None
    assert (back.form, back.total, back.lowest) == (FIRST_FORM, card.total, card.total)
    assert back.highest == card.total + card.open_points
    assert mapping.canonical(mapping.scoring_to_plain(findings, rules, back)) == mapping.canonical(old)
