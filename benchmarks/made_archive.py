"""An archive of generated calls, scored and stored as nights would have: `made_archive.py calls.db 1000`.

`made_archive.py calls.db 10000 1000` scores a thousand and stores each ten times, as calls of their own.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.made_calls import Archive
from pipeline.detect.archive.compact import Unpacked
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet
from pipeline.scoring.score import score
from pipeline.settings import Settings
from pipeline.speech.sentences import SentenceEncoder, places_of
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call, Direction, Recording
from pipeline.vectors import Sentences
from pipeline.workflows.compact_form import compact_form
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


def _recording(number: int, duration: int) -> Recording:
    name = f"{number:016x}"
    return Recording(
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


def a_call(number: int) -> Call:
    """Call `number` of the archive."""
    form, duration = _archive().call(number)
    return Call(recording=_recording(number, duration), transcript=Unpacked(form).transcript())


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
    """Fill the database from where it is; yields how many calls are stored."""
    with Store.open(url) as store, ProcessPoolExecutor(WORKERS) as pool:
        done = store.counts()["recordings"]
        blocks = [range(first, min(first + BLOCK, calls)) for first in range(done, calls, BLOCK)]
        for block in pool.map(scored, blocks):
            for one in block:
                store.save_night_result(one, at=AT, reason="nightly")
            done += len(block)
            yield done


def multiply(url: str, calls: int) -> Iterator[int]:
    """Store the calls of the archive again as further ones; yields how many there are."""
    with Store.open(url) as store:
        distinct = store.counts()["recordings"]
        for number in range(distinct, calls):
            one = copied(store, number % distinct, number)
            store.save_night_result(one, at=AT, reason="nightly")
            yield number + 1


def copied(store: Store, original: int, number: int) -> ScoredCall:
    """A stored call as call `number`, with what it would have been scored."""
    stored, ruleset = store.latest(f"{original:016x}"), _ruleset()
    recording = _recording(number, stored.recording.duration)
    findings = [replace(finding, recording_id=recording.id) for finding in stored.findings]
    form = ruleset.template_for(recording, ZoneInfo(SETTINGS.time_zone))
    made_by = stored.transcript.provenance
    return ScoredCall(
        recording=recording,
        transcript=stored.transcript,
        ruleset=ruleset,
        findings=findings,
        scorecard=score(recording, findings, form, ruleset, made_by, ()) if form else None,
        compact=compact_form(stored.transcript),
        sentences=stored.sentences,
        settings=SETTINGS.of_scoring(),
    )


def main() -> None:
    path, calls = Path(sys.argv[1]), int(sys.argv[2])
    distinct = int(sys.argv[3]) if len(sys.argv) > 3 else calls
    url = f"sqlite:///{path}"
    for done in chain(build(url, min(distinct, calls)), multiply(url, calls)):
        if done % 500 == 0:
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
