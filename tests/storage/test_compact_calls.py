from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from alembic import command
from conftest import a_ruleset, rescore

from pipeline.storage.database import HEAD, alembic_config, open_database, schema_version
from pipeline.storage.records import CompactForm, ScoredCall
from pipeline.storage.store import Store

Make = Callable[..., ScoredCall]
AT = datetime(2024, 5, 7, tzinfo=UTC)
FORM = CompactForm(version=1, text=b"text", detail=b"detail")


def saved(store: Store, call: ScoredCall) -> None:
    assert store.save_night_result(call, at=AT, reason="nightly")


def test_a_database_of_the_first_schema_keeps_its_calls(url: str, scored: Make) -> None:
    with Store.open(url) as store:
        saved(store, scored())
        before = store.latest(scored().recording.id)
    engine = open_database(url)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    with engine.connect() as connection:
        assert schema_version(connection) == "0001" != HEAD
    engine.dispose()
    with Store.open(url) as store:
        assert store.latest(scored().recording.id) == replace(before, circumstances=None)
        assert [about for _, about, _ in store.without_compact(1, 10)] == [before.recording]


def test_the_compact_form_is_kept_with_the_transcript(store: Store, scored: Make) -> None:
    saved(store, replace(scored(), compact=FORM))
    ((number, text),) = store.compact_texts(1, 0, 10)
    (call,) = store.compact_calls([number])
    assert (text, call.form, call.recording) == (b"text", FORM, scored().recording)
    assert store.without_compact(1, 10) == []


def test_a_newer_transcript_takes_the_place_of_the_older_one(store: Store, scored: Make) -> None:
    call = scored()
    saved(store, replace(call, compact=FORM))
    swapped = replace(call, transcript=call.transcript.swapped("换"), compact=replace(FORM, text=b"swapped"))
    rescore(store, swapped, at=AT, reason="swap")
    assert [text for _, text in store.compact_texts(1, 0, 10)] == [b"swapped"]


def test_a_form_of_another_version_is_made_anew(store: Store, scored: Make) -> None:
    saved(store, replace(scored(), compact=FORM))
    assert store.compact_texts(2, 0, 10) == []
    ((number, about, heard),) = store.without_compact(2, 10)
    assert heard == scored().transcript
    store.save_compact([(about.id, number, replace(FORM, version=2))])
    assert store.compact_texts(2, 0, 10) == [(number, b"text")]
    assert store.compact_texts(1, 0, 10) == []


def test_texts_are_read_in_blocks_that_follow_each_other(store: Store, scored: Make) -> None:
    for number in range(5):
        saved(store, replace(scored(number), compact=FORM))
    first = store.compact_texts(1, 0, 3)
    rest = store.compact_texts(1, first[-1][0], 3)
    assert (len(first), len(rest)) == (3, 2)
    assert [number for number, _ in first + rest] == sorted({number for number, _ in first + rest})


def test_a_sweep_keeps_what_it_found_and_counts_it(store: Store, scored: Make) -> None:
    call = scored()
    saved(store, call)
    sweep = store.start_sweep(a_ruleset("id: other.rule"), at=AT)
    assert store.sweeps()[0].ended_at is None
    store.add_swept(sweep, call.findings)
    store.end_sweep(sweep, 1, at=AT)
    kept = store.swept(sweep)
    assert [f.finding_id for f in kept] == [f.id for f in call.findings]
    assert [f.confidence for f in kept] == [f.confidence for f in call.findings]
    (line,) = store.sweeps()
    assert (line.calls, line.findings, line.ended_at) == (1, len(call.findings), AT)
