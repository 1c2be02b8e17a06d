"""Proof that nothing was lost: each recording of a folder is done, quarantined, skipped or pending, and what
the database knows of the folder is there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pipeline.errors import BadInput
from pipeline.media.archive import find_recordings
from pipeline.media.decode import fingerprint
from pipeline.media.metadata import Metadata
from pipeline.media.places import address, place
from pipeline.storage.night_records import Standing, State, Wanted
from pipeline.storage.store import Store, work_key
from pipeline.timeline import Provenance

GROUP = 500
SHOWN = 20
"""So many of a kind are kept to be named; all are counted."""


@dataclass(slots=True)
class Named:
    """How many there are, and the first of them."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(name)


@dataclass(slots=True, kw_only=True)
class Reconciled:
    """`seen` recordings by what became of them. `without_row`: the metadata do not name the file;
    `without_file`: they name one that is not there; `gone`: the database has a call whose file is gone, and
    the same bytes are not elsewhere in the folder: those were `moved`, by their path of then."""

    seen: int = 0
    done: int = 0
    quarantined: int = 0
    skipped: int = 0
    pending: Named = field(default_factory=Named)
    without_row: Named = field(default_factory=Named)
    without_file: Named = field(default_factory=Named)
    gone: Named = field(default_factory=Named)
    moved: set[str] = field(default_factory=set)

    @property
    def adds_up(self) -> bool:
        return self.seen == self.done + self.quarantined + self.skipped + self.pending.count


def reconcile(folder: Path, metadata: Metadata | None, store: Store, provenance: Provenance) -> Reconciled:
    """Count the bytes of every recording and look each up. Raises NotFound, StorageError."""
    found = Reconciled()
    open_faults = {fault.path for fault in store.quarantined()}
    paths = (one.path for one in find_recordings(folder, report=lambda error: None))
    while group := list(islice(paths, GROUP)):
        _look_up(group, metadata, store, provenance, open_faults, found)
    for path, fault in metadata.unusable.items() if metadata else ():
        if not place(path).exists():
            found.without_file.add(str(fault))
    for path in _known_below(store, folder):
        if not place(path).exists() and path not in found.moved:
            found.gone.add(path)
    return found


def _look_up(
    group: list[Path],
    metadata: Metadata | None,
    store: Store,
    provenance: Provenance,
    faults: set[str],
    found: Reconciled,
) -> None:
    wanted = {path: _wanted(path, provenance) for path in group}
    standings = store.standings([one for one in wanted.values() if one])
    for path, one in wanted.items():
        found.seen += 1
        if metadata and metadata.row_for(path) is None and metadata.fault_for(path) is None:
            found.without_row.add(str(path))
        standing = standings.get(one.key) if one else None
        _count(path, standing, str(path) in faults, found)


def _count(path: Path, standing: Standing | None, is_faulty: bool, found: Reconciled) -> None:
    state = standing.state if standing else None
    if state is State.DONE and standing:
        _count_done(path, standing.path, found)
    elif state is State.QUARANTINED or is_faulty:
        found.quarantined += 1
    elif state is State.SKIPPED:
        found.skipped += 1
    else:
        found.pending.add(str(path))


def _count_done(path: Path, known: str, found: Reconciled) -> None:
    """A second copy of the same bytes is not worked on; one that was moved is the first."""
    if address(path) == known:
        found.done += 1
    elif place(known).exists() or known in found.moved:
        found.skipped += 1
    else:
        found.done += 1
        found.moved.add(known)


def _wanted(path: Path, provenance: Provenance) -> Wanted | None:
    try:
        sha256 = fingerprint(path)
    except BadInput:
        return None
    return Wanted(key=work_key(sha256, provenance), sha256=sha256, path=address(path))


def _known_below(store: Store, folder: Path) -> Iterator[str]:
    return store.paths_below(os.path.join(address(folder), ""))
