"""A rule set made ready for the sieve, and a folder that keeps what was made: seconds of work, done once.

The name of a file is a digest of everything that its content follows from: the phrases, and all code and data
of `pipeline.detect`. Its first bytes are a digest of the rest: a file that is damaged or was cut off is
made anew.
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from mmap import ACCESS_COPY, mmap
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.archive.parts import Clause, clauses_of
from pipeline.detect.archive.scan import Ints, Tables
from pipeline.detect.archive.sieve import frequencies, laid_out
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.ruleset import Rule

DETECT = Path(__file__).parent.parent
DEPENDS_ON = ("numpy", "pypinyin")
FOLDER = "sieves"
SUFFIX = ".sieve"
SEAL = hashlib.sha256().digest_size
ALIGNED = 64
"""Arrays begin at multiples of so many bytes."""
MOST_KEPT = 4
"""Rule sets that are kept: the newest."""


class Ready(NamedTuple):
    """What the scan reads; and by target, `firsts[t]` to `firsts[t + 1]`, the rules and phrases, as numbers,
    that it is of. `everywhere`: rules and phrases that may be heard in any stretch."""

    tables: Tables
    firsts: Ints
    owners: Ints
    everywhere: Ints


def made_ready(rules: Sequence[Rule], sample: Iterable[bytes], cache: Path | None) -> Ready:
    """The rules made ready, from the folder where it has them."""
    if cache is None:
        return _made(rules, sample)
    path = cache / FOLDER / (_key(rules) + SUFFIX)
    known = _read(path)
    if known is None:
        known = _made(rules, sample)
        with suppress(OSError):
            _write(path, known)
            _forget(path.parent)
    return known


def _made(rules: Sequence[Rule], sample: Iterable[bytes]) -> Ready:
    everywhere: dict[tuple[int, int], None] = {}
    known: list[tuple[int, int, Clause]] = []
    for number, rule in enumerate(rules):
        phrase = {text: i for i, text in enumerate(_parameters(rule).phrases)}
        for text, clause in clauses_of(rule):
            if clause is None:
                everywhere[number, phrase[text]] = None
            else:
                known.append((number, phrase[text], clause))
    tables, targets = laid_out([clause for _, _, clause in known], frequencies(sample))
    place = {target: i for i, target in enumerate(targets)}
    owners: list[dict[tuple[int, int], None]] = [{} for _ in targets]
    for number, at, clause in known:
        for target in {target for aims in clause.values() for target in aims}:
            owners[place[target]][number, at] = None
    return Ready(
        tables=tables,
        firsts=np.cumsum([0, *map(len, owners)]).astype(np.int32),
        owners=_pairs(pair for listed in owners for pair in listed),
        everywhere=_pairs(everywhere),
    )


def _pairs(pairs: Iterable[tuple[int, int]]) -> Ints:
    return np.array(list(pairs), np.int32).reshape(-1, 2)


def _parameters(rule: Rule) -> PhraseParameters:
    return cast(PhraseParameters, rule.parameters)


def _key(rules: Sequence[Rule]) -> str:
    """Of all that `clauses_of` asks a rule."""
    asked = [(p.match, p.max_edits, p.phrases) for p in map(_parameters, rules)]
    plain = json.dumps(asked, ensure_ascii=False)
    return hashlib.sha256((_code() + plain).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@cache
def _code() -> str:
    """Of everything under `pipeline.detect`, and of the libraries that say how characters sound."""
    digest = hashlib.sha256(" ".join(map(version, DEPENDS_ON)).encode())
    files = (path for path in DETECT.rglob("*") if path.is_file() and path.suffix != ".pyc")
    for path in sorted(path for path in files if path.suffix not in (".nbi", ".nbc")):
        digest.update(path.relative_to(DETECT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> Ready | None:
    """None: not there, or damaged. What is read lies in memory once, however many processes read it."""
    try:
        with path.open("rb") as file:
            data = mmap(file.fileno(), 0, access=ACCESS_COPY)
        if data[:SEAL] != _seal(memoryview(data)[SEAL:]):
            return None
        arrays = _unpacked(data)
        return Ready(Tables(*(arrays[n] for n in Tables._fields)), *(arrays[n] for n in Ready._fields[1:]))
    except (OSError, ValueError, KeyError):
        return None


def _seal(data: memoryview | bytes) -> bytes:
    return hashlib.sha256(data).digest()


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays end to end behind a table of their names, types and shapes, and a digest of it all."""
    about = json.dumps([(name, array.dtype.str, array.shape) for name, array in arrays.items()]).encode()
    parts = [about + b"\n", *(np.ascontiguousarray(array).tobytes() for array in arrays.values())]
    first = -(-(SEAL + len(parts[0])) // ALIGNED) * ALIGNED - SEAL
    plain = parts[0].ljust(first) + b"".join(part + bytes(-len(part) % ALIGNED) for part in parts[1:])
    return _seal(plain) + plain


def _unpacked(data: mmap) -> dict[str, NDArray[Any]]:
    end = data.find(b"\n", SEAL)
    at = -(-(end + 1) // ALIGNED) * ALIGNED
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, shape in json.loads(data[SEAL:end]):
        count = math.prod(shape)
        arrays[name] = np.frombuffer(data, kind, count, at).reshape(shape) if count else np.zeros(shape, kind)
        at += -(-arrays[name].nbytes // ALIGNED) * ALIGNED
    return arrays


def _write(path: Path, ready: Ready) -> None:
    """Whole or not at all, also where several processes write it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {**ready.tables._asdict(), **dict(zip(ready._fields[1:], ready[1:], strict=True))}
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(packed(arrays))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _forget(folder: Path) -> None:
    """All but the newest."""
    known = sorted(folder.glob("*" + SUFFIX), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in known[MOST_KEPT:]:
        path.unlink(missing_ok=True)
