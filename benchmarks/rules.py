"""`make bench-rules`: a rule set over generated archives, against the ways people search text today.

One run on one machine: hyperscan's exact scan of the same text in memory, a regular expression of all
phrases, rapidfuzz over all pairs, and callscore's sweep from the database with its findings written back.
"""

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, cast

import hyperscan
from rapidfuzz import fuzz, process
from sqlalchemy import create_engine, insert

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import rules_report, scoring
from benchmarks.made_calls import Archive
from benchmarks.made_rules import made_rules, spoken
from pipeline.detect import engine
from pipeline.detect.archive.compact import VERSION, Compact, Unpacked
from pipeline.detect.archive.sweep import shows_something
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.detect.pattern import Char, Choice, Gap, parse
from pipeline.detect.pattern import Sequence as Nodes
from pipeline.detect.scene import Thresholds
from pipeline.ruleset import RuleSet
from pipeline.storage import mapping
from pipeline.storage.store import Store
from pipeline.storage.tables import CompactRow, RecordingRow, TranscriptRow
from pipeline.timeline import Call, Recording

SEED = 20_241
AT = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 500
RE_CALLS, FUZZ_CALLS = 40, 4
ROUNDS = 3
WORKERS = len(os.sched_getaffinity(0))
CARD_CALLS = 20
Texts = list[list[bytes]]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A call of the archive, ready for the database."""

    number: int
    form: Compact
    duration: int
    text_bytes: int


def recording(number: int, duration: int) -> Recording:
    name = f"{number:016x}"
    return Recording(
        id=name,
        sha256=name * 4,
        path=f"{name}.wav",
        duration=duration,
        sample_rate=8000,
        channels=1,
        codec="pcm",
    )


_ARCHIVE: list[Archive] = []


def _archive(count: int) -> Archive:
    if not _ARCHIVE:
        _ARCHIVE.append(Archive(made_rules(count, SEED), SEED))
    return _ARCHIVE[0]


def make(rules: int, numbers: range) -> list[Made]:
    """Calls by number; the same in every process."""
    archive = _archive(rules)
    made = []
    for number in numbers:
        form, duration = archive.call(number)
        size = sum(len(turn.text.encode()) for turn in archive.turns(number))
        made.append(Made(number=number, form=form, duration=duration, text_bytes=size))
    return made


def turns(rules: int, numbers: range) -> Texts:
    """What hyperscan scans: the turns of each call, as UTF-8 that nothing else shares."""
    archive = _archive(rules)
    return [[turn.text.encode() for turn in archive.turns(number)] for number in numbers]


def fill(url: str, rules: int, numbers: range, pool: ProcessPoolExecutor) -> tuple[int, int]:
    """Add calls to the database as a night would have; bytes of their text and of their compact form."""
    Store.open(url).close()
    connectable, text, index = create_engine(url), 0, 0
    blocks = [
        range(first, min(first + ROWS, numbers.stop)) for first in range(numbers.start, numbers.stop, ROWS)
    ]
    for made in pool.map(partial(make, rules), blocks):
        with connectable.begin() as connection:
            connection.execute(insert(RecordingRow), [_recording_row(m) for m in made])
            connection.execute(insert(TranscriptRow), [_transcript_row(m) for m in made])
            connection.execute(insert(CompactRow), [_compact_row(m) for m in made])
        text += sum(m.text_bytes for m in made)
        index += sum(len(m.form) for m in made)
    connectable.dispose()
    return text, index


def _recording_row(made: Made) -> dict[str, Any]:
    about = recording(made.number, made.duration)
    body = mapping.pack(mapping.recording_to_plain(about))
    return {
        "id": about.id,
        "sha256": about.sha256,
        "path": about.path,
        "duration_ms": about.duration,
        "body": body,
    }


def _transcript_row(made: Made) -> dict[str, Any]:
    """The body is left out: a sweep of phrase rules does not read it."""
    keys = ("pipeline", "model", "model_sha256", "settings_digest", "body_sha256")
    return {
        "id": made.number + 1,
        "recording_id": f"{made.number:016x}",
        "origin": "heard",
        "created_at": AT,
        "body": b"",
        **dict.fromkeys(keys, ""),
    }


def _compact_row(made: Made) -> dict[str, Any]:
    return {
        "transcript_id": made.number + 1,
        "recording_id": f"{made.number:016x}",
        "version": VERSION,
        "text": made.form.text,
        "detail": made.form.detail,
    }


def expression(nodes: Nodes) -> str:
    """A pattern as a regular expression: its exact wordings."""
    found = ""
    for node in nodes:
        match node:
            case Char(char):
                found += re.escape(char)
            case Gap(most):
                found += f".{{0,{most}}}"
            case Choice(options):
                found += f"(?:{'|'.join(map(expression, options))})"
    return found


def patterns(ruleset: RuleSet) -> list[str]:
    return [text for rule in ruleset.rules for text in cast(PhraseParameters, rule.parameters).phrases]


def hyperscan_seconds(database: Any, texts: Texts) -> float:
    """One pass over all turns, one call of `scan` a turn."""
    hits = 0

    def hit(*_: object) -> None:
        nonlocal hits
        hits += 1

    scan = database.scan
    began = time.perf_counter()
    for call in texts:
        for turn in call:
            scan(turn, match_event_handler=hit)
    return time.perf_counter() - began


def hyperscan_database(ruleset: RuleSet) -> Any:
    expressions = [expression(parse(text).nodes).encode() for text in patterns(ruleset)]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH
    database.compile(
        expressions=expressions, ids=range(len(expressions)), elements=len(expressions), flags=flags
    )
    return database


def re_seconds(ruleset: RuleSet, texts: Texts) -> float:
    """One alternation of all phrases, turn by turn."""
    search = re.compile("|".join(f"(?:{expression(parse(text).nodes)})" for text in patterns(ruleset)))
    said = [[turn.decode() for turn in call] for call in texts]
    began = time.perf_counter()
    for call in said:
        for turn in call:
            for _ in search.finditer(turn):
                pass
    return time.perf_counter() - began


def fuzz_seconds(ruleset: RuleSet, texts: Texts) -> float:
    """rapidfuzz's partial_ratio of every turn and every phrase, one wording of each, in native code."""
    rng = random.Random(SEED)
    phrases = [spoken(text, rng) for text in patterns(ruleset)]
    said = [[turn.decode() for turn in call] for call in texts]
    began = time.perf_counter()
    for call in said:
        process.cdist(call, phrases, scorer=fuzz.partial_ratio, workers=1)
    return time.perf_counter() - began


def sweep_child(url: str, rules: int, *more: str) -> dict[str, float]:
    """A sweep in a process of its own, so that its memory can be told."""
    command = [sys.executable, __file__, "--child", url, "--rules", str(rules), *more]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def child(url: str, ruleset: RuleSet, cache: Path | None) -> None:
    from pipeline.workflows.archive import Looked, sweep_archive
    from pipeline.workflows.hands import hands

    processes = hands()
    with Store.open(url) as store:
        before, began = cpu_seconds(), time.perf_counter()
        summary = sweep_archive(store, Looked(ruleset=ruleset, thresholds=Thresholds(), cache=cache), at=AT)
        seconds, cpu = time.perf_counter() - began, cpu_seconds() - before
    usage, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own = rules_report.peak_memory(usage.ru_maxrss / 1024)
    result = {
        "seconds": seconds,
        "cpu": cpu,
        "memory": own + (processes * others.ru_maxrss / 1024 if processes > 1 else 0.0),
        "calls": summary.calls,
        "found": summary.found,
        "sweep": summary.sweep_id,
    }
    sys.stdout.write(json.dumps(result) + "\n")


def cpu_seconds() -> float:
    """Of this process and of those that it started and that are done."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def rules_of(count: int, only: int | None) -> RuleSet:
    """The rule set, or one edited rule of it."""
    if only is None:
        return made_rules(count, SEED)
    files = dict(made_rules(count, SEED).files)
    path = sorted(files)[only]
    from pipeline.detect.load import parse_ruleset

    return parse_ruleset({path: files[path].replace("phrases:\n", 'phrases:\n  - "这不归我们管"\n')})


def exact(rules: int, numbers: Sequence[int]) -> dict[str, list[tuple[str, ...]]]:
    """What the one-call engine finds in whole calls, one by one."""
    archive, ruleset = _archive(rules), made_rules(rules, SEED)
    found = {}
    for number in numbers:
        form, duration = archive.call(number)
        call = Call(recording=recording(number, duration), transcript=Unpacked(form).transcript())
        kept = filter(shows_something, engine.run(call, ruleset))
        found[call.recording.id] = [(f.id, f.rule_id, f.outcome.value, str(f.confidence)) for f in kept]
    return found


def differences(
    url: str, rules: int, calls: int, sweep: int, pool: ProcessPoolExecutor
) -> tuple[int, int, int]:
    """Sample of one in a hundred: its size, its findings, and in how many calls sweep and engine differ."""
    numbers = list(range(0, calls, 100))
    with Store.open(url) as store:
        swept: dict[str, list[tuple[str, ...]]] = {}
        for f in store.swept(sweep):
            swept.setdefault(f.recording_id, []).append(
                (f.finding_id, f.rule_id, f.outcome, str(f.confidence))
            )
    parts = pool.map(partial(exact, rules), _shared(numbers))
    told = {name: found for part in parts for name, found in part.items()}
    wrong = sum(swept.get(name, []) != found for name, found in told.items())
    return len(numbers), sum(map(len, told.values())), wrong


def _shared(numbers: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(numbers)
    while part := list(islice(rest, 25)):
        yield part


def measure(sizes: Sequence[int], rules: int) -> rules_report.Report:
    """Every archive in turn; hyperscan and the sweep alternate."""
    ruleset = made_rules(rules, SEED)
    began = time.perf_counter()
    database = hyperscan_database(ruleset)
    report = rules_report.Report(
        rules=rules, patterns=len(patterns(ruleset)), compiled=time.perf_counter() - began
    )
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(WORKERS) as pool:
        url, have, texts = f"sqlite:///{folder}/calls.db", 0, Texts()
        text_bytes = index_bytes = 0
        for size in sizes:
            text, index = fill(url, rules, range(have, size), pool)
            text_bytes, index_bytes = text_bytes + text, index_bytes + index
            blocks = [range(first, min(first + ROWS, size)) for first in range(have, size, ROWS)]
            texts += [call for block in pool.map(partial(turns, rules), blocks) for call in block]
            have = size
            cache = f"{folder}/cache{size}"
            sweep_child(url, rules, "--cache", cache)
            rounds = [
                (
                    hyperscan_seconds(database, texts),
                    sweep_child(url, rules),
                    sweep_child(url, rules, "--cache", cache),
                )
                for _ in range(ROUNDS)
            ]
            alone = [sweep_child(url, rules, "--alone")]
            edited = [sweep_child(url, rules, "--only", "7") for _ in range(ROUNDS)]
            sample = differences(url, rules, size, int(rounds[-1][1]["sweep"]), pool)
            scale_re = re_seconds(ruleset, texts[:RE_CALLS]) * size / RE_CALLS
            scale_fuzz = fuzz_seconds(ruleset, texts[:FUZZ_CALLS]) * size / FUZZ_CALLS
            report.add(
                rules_report.Line(
                    calls=size,
                    turns=sum(map(len, texts)),
                    text_bytes=text_bytes,
                    index_bytes=index_bytes,
                    hyperscan=[seconds for seconds, _, _ in rounds],
                    sweeps=[found for _, found, _ in rounds],
                    warm=[found for _, _, found in rounds],
                    alone=alone,
                    edited=edited,
                    re_seconds=scale_re,
                    fuzz_seconds=scale_fuzz,
                    sample=sample,
                )
            )
    report.cards = scoring.measured(CARD_CALLS, WORKERS)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", default="1000,10000,100000", help="sizes of the archives, ascending")
    parser.add_argument("--rules", type=int, default=500)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent.parent / "docs" / "benchmark-rules.md"
    )
    given = parser.parse_args()
    if given.child:
        if given.alone:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
        child(given.child, rules_of(given.rules, given.only), given.cache)
        return
    report = measure([int(size) for size in given.calls.split(",")], given.rules)
    given.out.write_text(report.markdown(), encoding="utf-8")
    sys.stdout.write(report.markdown())
    failed = report.failed()
    if failed:
        sys.exit("not reached: " + "; ".join(failed))


if __name__ == "__main__":
    main()
