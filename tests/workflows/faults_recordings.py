"""Recordings that are the fault: poison for the process that decodes, and files that were mutated."""

import contextlib
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "media"))

from mutants import SEEDS, mutate, seeds
from night_children import Poison
from night_ground import Ground, Lost, Outcome, night, recordings
from night_help import beep
from night_listeners import FakeListener

from pipeline.errors import UnreadableRecording
from pipeline.media.decode import decode
from pipeline.settings import Settings
from pipeline.storage.night_records import MOST_TRIES
from pipeline.storage.store import Store
from pipeline.workflows.night import children
from pipeline.workflows.night.child import UNTOLD
from pipeline.workflows.night.children import GB, MB, ChildFailed, Children, Limits, place
from pipeline.workflows.night.job import Stamp

CAUSES = {
    "crash": ("SIGSEGV", UNTOLD),
    "hang": ("秒没有完",),
    "spin": ("秒没有完", "处理器时间过长"),
    "hog": ("内存",),
    "bug": ("RuntimeError",),
}
PATIENCE = 1.5
"""Seconds for a recording here; a real night allows half a minute at least."""
TOLERANT = Settings(max_lost_percent=100, max_duration_minutes=2)
SEED_SECONDS = 0.6
SLOWEST = 5.0
BATCH = 100


def poisoned(ground: Ground, count: int) -> Outcome:
    """One recording in a hundred crashes, hangs, spins, eats memory or hits a mistake of the program."""
    bad = max(len(CAUSES), count // 100)
    folder = recordings(ground.place / "poison", count - bad)
    for number in range(bad):
        beep(folder / f"{list(CAUSES)[number % len(CAUSES)]}_{number}.wav", 3000 + number / 4, 0.7)
    poison, heard = Poison(ground.place / "tries"), 0
    with Store.open(f"sqlite:///{ground.place}/poison.db") as store, _short_of_time():
        for nights in range(MOST_TRIES + 1):
            listener = FakeListener()
            settings = {"readers": 2, "prepare_memory_gb": 1}
            night(folder, store, listener, prepare=poison, settings=settings)
            heard += listener.heard
            if not nights:
                _check_tries(poison)
        faults = {Path(fault.path).name: fault.reason for fault in store.quarantined()}
        scored = store.counts()["recordings"]
    most = _most_tries(poison)
    if (heard, scored, len(faults)) != (count - bad, count - bad, bad) or most > MOST_TRIES:
        raise Lost(f"{heard} heard, {scored} scored, {len(faults)} quarantined, {most} tries at most")
    for name, reason in faults.items():
        if not any(words in reason for words in CAUSES[name.partition("_")[0]]):
            raise Lost(f"{name}: {reason}")
    told = f"好的 {scored} 通都做完，没有一通做两次；坏的都隔离并写明原因，几夜里每个最多试 {most} 次"
    return Outcome(f"{count} 通里 {bad} 个", told)


def _check_tries(poison: Poison) -> None:
    """In one night only what kills its process is tried again. Raises Lost."""
    for name, tries in poison.tries().items():
        if tries != (MOST_TRIES if name.startswith("crash") else 1):
            raise Lost(f"{name} was tried {tries} times in one night")


def _most_tries(poison: Poison) -> int:
    return max(count for name, count in poison.tries().items() if name.partition("_")[0] in CAUSES)


@contextlib.contextmanager
def _short_of_time() -> Iterator[None]:
    before, children.BASE_SECONDS = children.BASE_SECONDS, PATIENCE
    try:
        yield
    finally:
        children.BASE_SECONDS = before


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Mutants of one seed, by their numbers. In the place of a job: `path` and `stamp` are what limits and
    messages ask for."""

    path: Path
    stamp: Stamp
    numbers: range


@dataclass(slots=True)
class Heard:
    """How many mutants gave sound, were refused, asked for too much memory, crashed or held their process;
    mistakes of the program by their place; the slowest, in seconds of a processor."""

    counts: Counter[str] = field(default_factory=Counter)
    mistakes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def add(self, other: "Heard") -> None:
        self.counts += other.counts
        self.mistakes += other.mistakes
        self.slowest = max(self.slowest, other.slowest)


@dataclass(frozen=True, slots=True)
class Mutating:
    """Goes to child processes, which make and decode the mutants."""

    place: Path
    seed: int

    def __call__(self) -> Callable[[Batch], Heard]:
        return self.decode

    def decode(self, batch: Batch) -> Heard:
        heard, data = Heard(), batch.path.read_bytes()
        path = self.place / f"{batch.numbers.start}{batch.path.name}"
        with self.progress(batch).open("wb", buffering=0) as progress:
            for number in batch.numbers:
                progress.write(struct.pack("<I", number))
                path.write_bytes(mutate(data, np.random.default_rng((self.seed, number))))
                began = time.process_time()
                _decode(path, heard)
                heard.slowest = max(heard.slowest, time.process_time() - began)
        return heard

    def progress(self, batch: Batch) -> Path:
        return self.place / f"{batch.numbers.start}.progress"

    def reached(self, batch: Batch) -> int:
        (number,) = struct.unpack("<I", self.progress(batch).read_bytes()[-4:])
        return int(number)


def _decode(path: Path, heard: Heard) -> None:
    try:
        decoded = decode(path, TOLERANT)
    except UnreadableRecording as error:
        heard.counts["refused"] += 1
        if str(path) not in str(error) or "\n" in str(error):
            heard.mistakes[str(error)] += 1
    except MemoryError:
        heard.counts["greedy"] += 1
    except Exception as error:
        heard.mistakes[place(error)] += 1
    else:
        heard.counts["heard"] += 1
        if not np.isfinite(decoded.samples.data).all():
            heard.mistakes["not finite"] += 1


def mutated(ground: Ground, count: int) -> Outcome:
    """Mutants of recordings in every format, decoded in child processes with the limits of a night."""
    folder = ground.place / "mutants"
    folder.mkdir()
    batches = list(_batches(seeds(folder, SEED_SECONDS), count))
    mutating, heard = Mutating(folder, ground.seed), Heard()
    limits = Limits(seconds=60, memory=GB, result=64 * MB)
    decoders = Children(mutating, limits, 2)  # type: ignore[arg-type]
    with ThreadPoolExecutor(2) as pool:
        for part in pool.map(lambda batch: _heard_through(decoders, mutating, batch), batches):
            heard.add(part)
    decoders.close()
    counts = heard.counts
    if counts.total() != count or heard.mistakes or heard.slowest > SLOWEST:
        raise Lost(f"{counts}, {heard.mistakes}, {heard.slowest} s")
    told = (
        f"每个都有归类：听得出声音 {counts['heard']}，说出毛病隔离 {counts['refused']}，"
        f"超过内存限制 {counts['greedy']}，让子进程崩溃 {counts['crashed']}，超时 {counts['held']}；"
        f"最慢 {heard.slowest * 1000:.0f} 毫秒"
    )
    return Outcome(f"{count} 个", told)


def _batches(made: list[Path], count: int) -> Iterator[Batch]:
    """So many mutants, spread evenly over the formats."""
    first = 0
    for number, path in enumerate(made):
        end = count * (number + 1) // len(made)
        for start in range(first, end, BATCH):
            yield Batch(path=path, stamp=Stamp.of(path), numbers=range(start, min(start + BATCH, end)))
        first = end


def _heard_through(decoders: Children, mutating: Mutating, batch: Batch) -> Heard:
    """A batch to its end, over those that the process dies of."""
    heard, left = Heard(), batch
    while left.numbers:
        try:
            heard.add(decoders(left, 1))  # type: ignore[arg-type]
            break
        except ChildFailed as error:
            heard.counts["crashed" if "崩溃" in error.message else "held"] += 1
            at = mutating.reached(left) + 1
            left = replace(left, numbers=range(at, left.numbers.stop))
    return heard


def night_of_mutants(ground: Ground, count: int) -> Outcome:
    """A night over mutants of every format, twice: the second has nothing new to hear."""
    folder, dice = ground.place / "hostile", np.random.default_rng(ground.seed)
    folder.mkdir()
    made = seeds(folder, SEED_SECONDS)
    for number in range(count):
        source = made[number % len(made)]
        (folder / f"m{number:05}{source.suffix}").write_bytes(mutate(source.read_bytes(), dice))
    settings = {"readers": 2, "prepare_memory_gb": 2, "max_duration_minutes": 2}
    with Store.open(f"sqlite:///{ground.place}/hostile.db") as store:
        first, again = (night(folder, store, settings=settings) for _ in range(2))
        stages = Counter(fault.stage for fault in store.quarantined())
    seen = count + len(SEEDS)
    if first.seen != seen or seen != first.scored + first.failed + first.skipped or again.scored:
        raise Lost(f"mutants: {first.counts()}, {again.counts()}")
    told = f"评分 {first.scored - len(SEEDS)}，隔离 {stages.total()}，与别的内容相同 {first.skipped}"
    return Outcome(f"{count} 个", f"每个都有归类：{told}；第二夜没有重做")
