"""An archive of generated calls, scored and stored as nights would have: `made_archive.py calls.db 1000`."""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.made_calls import Archive
from pipeline.detect.archive.compact import Unpacked
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.speech.sentences import SentenceEncoder, places_of
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call, Direction, Recording
from pipeline.vectors import Sentences
from pipeline.workflows.meaning import KnownVectors, Understanding
from pipeline.workflows.process_call import judge
from pipeline.workflows.rules import load_rules

SEED = 20_241
AT = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = Settings(rules=str(shipped_rules()))
BLOCK, WORKERS = 50, 2
AGENTS, BUSINESSES = 40, ("咨询", "投诉", "业务办理")


@cache
def _ruleset() -> RuleSet:
    return Understanding(SETTINGS).taught(load_rules(SETTINGS))


@cache
def _archive() -> Archive:
    """Calls in which agents now and then say what the shipped phrase rules look for."""
    with_phrases = [
        rule
        for rule in _ruleset().rules
        if isinstance(rule.parameters, PhraseParameters)
        and rule.label == "forbidden"
        and rule.parameters.phrases
        and not any("{" in phrase for phrase in rule.parameters.phrases)
    ]
    return Archive(replace(_ruleset(), rules=tuple(with_phrases)), SEED)


@cache
def _vectors() -> KnownVectors:
    return KnownVectors(SentenceEncoder.open(SETTINGS))


def a_call(number: int) -> Call:
    """Call `number` of the archive."""
    form, duration = _archive().call(number)
    name = f"{number:016x}"
    recording = Recording(
        id=name,
        sha256=name * 4,
        path=f"{name}.wav",
        duration=duration,
        sample_rate=8000,
        channels=1,
        codec="pcm",
        call_id=f"M{number:06d}",
        started_at=AT + timedelta(minutes=number),
        agent_id=f"A{number % AGENTS:03d}",
        business=BUSINESSES[number % len(BUSINESSES)],
        direction=Direction.INBOUND,
    )
    return Call(recording=recording, transcript=Unpacked(form).transcript())


def scored(numbers: range) -> list[ScoredCall]:
    """Calls with their sentences' vectors and their scorecards."""
    made = []
    for number in numbers:
        call = a_call(number)
        made.append(judge(replace(call, sentences=_sentences(call)), _ruleset(), SETTINGS))
    return made


def _sentences(call: Call) -> Sentences:
    """Each sentence of the pool is encoded once."""
    places, known = places_of(call.transcript), _vectors()
    vectors = known.encode([call.transcript.quote(place) for place in places])
    return Sentences.of(known.encoder.name, places, vectors)


def build(url: str, calls: int) -> Iterator[int]:
    """Fill the database; yields how many calls are stored."""
    blocks = [range(first, min(first + BLOCK, calls)) for first in range(0, calls, BLOCK)]
    with Store.open(url) as store, ProcessPoolExecutor(WORKERS) as pool:
        done = 0
        for block in pool.map(scored, blocks):
            for one in block:
                store.save_night_result(one, at=AT, reason="nightly")
            done += len(block)
            yield done


def main() -> None:
    path, calls = Path(sys.argv[1]), int(sys.argv[2])
    for done in build(f"sqlite:///{path}", calls):
        if done % 500 == 0:
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
