"""`Store`: what callscore remembers. Values in, values out; every method is one transaction.

Times are passed in (`at`, aware); nothing here looks at a clock. Database errors are StorageError.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from pipeline.errors import NotFound, StorageError
from pipeline.findings import Finding
from pipeline.meaning import Meaning
from pipeline.ruleset import RuleSet
from pipeline.storage import archive, claims, corrections, mapping, meaning, queries, trail, writing
from pipeline.storage.accounts import Accounts
from pipeline.storage.audit import Audit
from pipeline.storage.corrections import Corrections
from pipeline.storage.database import is_shared, is_writable, open_database, reconnected
from pipeline.storage.drafts import Drafts
from pipeline.storage.night_records import Wanted
from pipeline.storage.night_tables import QuarantineRow
from pipeline.storage.nights import OPEN, Nights
from pipeline.storage.peaks_table import Waveforms, put_peaks
from pipeline.storage.people import People
from pipeline.storage.queue import Queue
from pipeline.storage.records import (
    CallFilter,
    CallSummary,
    CompactCall,
    CompactForm,
    Duplicate,
    Reheard,
    Rescored,
    ScoredCall,
    ScoringLine,
    StoredCall,
    SweepLine,
    SweptFinding,
)
from pipeline.storage.rounds import Rounds
from pipeline.storage.rule_drafts import RuleDrafts
from pipeline.storage.rule_statistics import RuleStatistics
from pipeline.storage.sealing import AuditFiles
from pipeline.storage.search import Search
from pipeline.storage.statistics import Statistics
from pipeline.storage.tables import (
    RecordingRow,
    RulesetRow,
    ScorecardRow,
    TranscriptRow,
)
from pipeline.timeline import Provenance, Recording, Transcript
from pipeline.vectors import Rows, Sentences

EVERYTHING = CallFilter()


class Store(
    Nights,
    People,
    Corrections,
    Statistics,
    Queue,
    Drafts,
    Rounds,
    Accounts,
    Audit,
    Waveforms,
    Search,
    RuleDrafts,
    RuleStatistics,
):
    """The database behind one URL. `with Store.open("sqlite:///calls.db") as store: ...`"""

    @classmethod
    def open(cls, url: str, *, create: bool = True, audit: AuditFiles | None = None) -> Self:
        """Connect; an empty database gets its tables, an older one the newer schema; `create=False` asks for
        one that is there. Raises StorageError."""
        return cls(open_database(url, create=create), audit)

    def close(self) -> None:
        self._engine.dispose()

    @property
    def is_shared(self) -> bool:
        """Whether another connection sees the same calls: not so where they are in memory only."""
        return is_shared(self._engine)

    @property
    def is_writable(self) -> bool:
        """Whether this user may write the file of the database."""
        return is_writable(self._engine)

    def another(self) -> Self:
        """The same database by connections of its own, for a process that was split off this one."""
        return type(self)(reconnected(self._engine), self._audit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # the night

    def is_done(self, sha256: str, provenance: Provenance) -> bool:
        """Whether these bytes were heard and scored with this model, these settings, this pipeline."""
        key = work_key(sha256, provenance)
        with self._reading() as session:
            return session.scalar(select(TranscriptRow.id).where(TranscriptRow.work_key == key)) is not None

    def save_night_result(
        self, scored: ScoredCall, *, at: datetime, reason: str, again: Reheard | None = None
    ) -> bool:
        """Keep a call that was heard and scored, all or nothing; `again`: it was known before. False:
        somebody else had done it already (`is_done`), or the call changed since it was read.

        The transcript must be `mapping.storable(...)`, else ValueError: a re-score would see other numbers.
        """
        writing.check(scored)
        key = work_key(scored.recording.sha256, scored.transcript.provenance)
        try:
            with self._writing() as session:
                if session.scalar(select(TranscriptRow.id).where(TranscriptRow.work_key == key)):
                    return False
                if again and not writing.is_newest(session, scored.recording.id, again.basis, scored.reviews):
                    return False
                writing.put_recording(session, scored.recording)
                if scored.peaks is not None:
                    put_peaks(session, scored.recording.id, scored.peaks)
                heard = writing.add_hearing(session, scored, key, again, at)
                card = writing.add_scoring(session, scored, transcript_id=heard, at=at, reason=reason)
                for lost in again.lost if again else ():
                    corrections.add_correction(session, lost, card)
                about = scored.recording
                claims.resolve(session, about, at)
                claims.finish(session, Wanted(key=key, sha256=about.sha256, path=about.path), at)
        except StorageError as error:
            if isinstance(error.__cause__, IntegrityError) and self._came_first(scored.recording, key, again):
                return False
            raise
        return True

    def save_rescore(self, rescored: Rescored, *, at: datetime) -> int | None:
        """Add a scorecard to a known recording; its id. A transcript that differs from the newest stored one
        is added too; with a correction, what is known of the recording is brought up to date.

        None: the call changed since it was read, and nothing is kept. Raises NotFound for a recording that
        was never stored."""
        scored, correction = rescored.scored, rescored.correction
        writing.check(scored)
        with self._writing() as session:
            if not writing.is_newest(session, scored.recording.id, rescored.basis, scored.reviews):
                return None
            heard = writing.transcript_of(session, rescored, at)
            card = writing.add_scoring(session, scored, transcript_id=heard, at=at, reason=rescored.reason)
            if correction is not None:
                corrections.add_correction(session, correction, card)
                writing.put_recording(session, scored.recording)
                self._trace(session, trail.of_correction(correction, card))
            return card

    def update_recording(self, recording: Recording) -> None:
        """Correct the metadata of a known recording: another path, a call_id that came later."""
        with self._writing() as session:
            writing.put_recording(session, recording)

    # reading

    def find_call(self, name: str) -> Recording:
        """By the metadata's call_id, else by a unique prefix of the recording's id.

        Raises NotFound, with the candidates, where none or several answer to the name.
        """
        with self._reading() as session:
            found = queries.named(session, name)
            if len(found) == 1:
                return found[0]
            near = found or queries.similar(session, name)
        listed = "、".join(f"{r.name}（{r.id}，{r.path}）" for r in near)
        if found:
            raise NotFound(f"{len(found)} 通电话都叫 {name}：{listed}", hint="用录音编号指明是哪一通")
        raise NotFound(
            f"没有电话 {name}",
            hint=f"名字相近的：{listed}" if near else "callscore list 列出评过分的电话",
        )

    def calls(self, which: CallFilter = EVERYTHING) -> Iterator[CallSummary]:
        """Newest scorecard of each call, by start of call, streamed: close the iterator to stop early."""
        with self._reading() as session:
            yield from queries.summaries(session, which)

    def stored(self, which: CallFilter = EVERYTHING) -> Iterator[StoredCall]:
        """Like `calls`, with everything about each call."""
        with self._reading() as session, closing(queries.summaries(session, which)) as summaries:
            for summary in summaries:
                found = queries.stored_call(session, summary.scorecard_id)
                if found is not None:
                    yield found

    def latest(self, recording_id: str) -> StoredCall:
        """The newest scoring of a recording. Raises NotFound."""
        with self._reading() as session:
            newest = queries.newest_scorecard(session, recording_id)
            found = None if newest is None else queries.stored_call(session, newest)
        if found is None:
            raise NotFound(f"{recording_id}：数据库里没有这个录音")
        return found

    def scoring(self, scorecard_id: int) -> StoredCall:
        """One scoring out of the history. Raises NotFound."""
        with self._reading() as session:
            found = queries.stored_call(session, scorecard_id)
        if found is None:
            raise NotFound(f"没有评分表 {scorecard_id}")
        return found

    def history(self, recording_id: str) -> tuple[ScoringLine, ...]:
        """Every scoring of a recording, oldest first."""
        with self._reading() as session:
            return queries.history(session, recording_id)

    def scorings(self, recording_id: str) -> tuple[StoredCall, ...]:
        """Every scoring of a recording with everything about it, oldest first. Raises NotFound."""
        found = tuple(self.scoring(line.scorecard_id) for line in self.history(recording_id))
        if not found:
            raise NotFound(f"{recording_id}：数据库里没有这个录音")
        return found

    def ruleset_files(self, digest: str) -> dict[str, str]:
        """The texts of a rule set by path, as they were when it scored. Raises NotFound."""
        with self._reading() as session:
            row = session.get(RulesetRow, digest)
            if row is None:
                raise NotFound(f"数据库里没有规则集 {digest}")
            files: dict[str, str] = mapping.unpack(row.files)
        return files

    def ruleset_digests(self, prefix: str = "") -> tuple[str, ...]:
        """Digests of the rule sets that ever scored a call and begin with `prefix`, the first used first."""
        with self._reading() as session:
            return queries.ruleset_digests(session, prefix)

    def pinned(self, ruleset: RuleSet, *, at: datetime) -> RuleSet:
        """The rule set as it is scored with from now on: what it was taught at its first use here stays,
        whatever another machine would learn. Unchanged where nothing is learned."""
        if ruleset.meaning is None:
            return ruleset
        with self._writing() as session:
            meaning.put_ruleset(session, ruleset, at)
            kept = meaning.meaning_of(session, ruleset.digest, ruleset.meaning.encoder)
        return replace(ruleset, meaning=kept)

    def meaning_of(self, digest: str, encoder: str | None = None) -> Meaning | None:
        """What a stored rule set was taught when it first scored, with this model or (None) any; None: it
        learns nothing."""
        with self._reading() as session:
            return meaning.meaning_of(session, digest, encoder)

    def duplicates(self) -> tuple[Duplicate, ...]:
        """Every call_id that more than one recording carries."""
        with self._reading() as session:
            return queries.duplicates(session)

    # the archive

    def compact_texts(self, version: int, after: int, count: int) -> list[tuple[int, bytes]]:
        """Transcript id and text of the next compact calls behind a transcript id, in order."""
        with self._reading() as session:
            return archive.texts(session, version, after, count)

    def compact_heads(self, version: int, size: int) -> list[tuple[str, bytes]]:
        """Recording id and the first bytes of the text of every compact call."""
        with self._reading() as session:
            return archive.heads(session, version, size)

    def compact_numbers(self, version: int, after: int, count: int) -> list[int]:
        """Transcript ids of the next compact calls behind one, in order."""
        with self._reading() as session:
            return archive.numbers_behind(session, version, after, count)

    def compact_calls(self, transcript_ids: Sequence[int]) -> list[CompactCall]:
        """These compact calls, by transcript id."""
        with self._reading() as session:
            return archive.compact_calls(session, transcript_ids)

    def transcript_numbers(self, version: int) -> dict[str, int]:
        """The newest transcript of each recording that has a compact form of this version."""
        with self._reading() as session:
            return archive.numbers(session, version)

    def without_compact(self, version: int, count: int) -> list[tuple[int, Recording, Transcript]]:
        """Newest transcripts without a compact form of this version, at most `count`."""
        with self._reading() as session:
            return archive.without_compact(session, version, count)

    def transcripts(self, transcript_ids: Sequence[int]) -> list[tuple[int, Recording, Transcript]]:
        """Whole calls by transcript id."""
        with self._reading() as session:
            return archive.transcripts(session, transcript_ids)

    def sentences(self, transcript_ids: Sequence[int], encoder: str) -> dict[int, Sentences]:
        """Vectors of these transcripts' sentences by this encoder, where there are some."""
        with self._reading() as session:
            return meaning.sentences_by(session, transcript_ids, encoder)

    def sentence_rows(self, transcript_ids: Sequence[int], encoder: str) -> dict[int, Rows]:
        """As `sentences`, laid out for weighing many calls at once."""
        with self._reading() as session:
            return meaning.rows_by(session, transcript_ids, encoder)

    def save_compact(self, made: Iterable[tuple[str, int, CompactForm]]) -> None:
        """Keep compact forms: recording id, transcript id, form. One of a transcript that is not the newest
        any more is passed over."""
        forms = sorted(made, key=lambda one: one[0])
        with self._writing() as session:
            for recording_id, transcript_id, form in forms:
                writing.lock(session, recording_id)
                if archive.newest_of(session, recording_id) == transcript_id:
                    archive.put_compact(session, recording_id, transcript_id, form)

    def start_sweep(self, ruleset: RuleSet, *, at: datetime) -> int:
        """Note that a rule set goes over the archive; the sweep's id."""
        with self._writing() as session:
            meaning.put_ruleset(session, ruleset, at)
            return archive.start_sweep(session, ruleset.digest, at)

    def add_swept(self, sweep_id: int, findings: Iterable[Finding]) -> None:
        """Keep what a sweep found."""
        with self._writing() as session:
            archive.add_swept(session, sweep_id, findings)

    def end_sweep(self, sweep_id: int, calls: int, *, at: datetime) -> None:
        """Note that a sweep went over so many calls."""
        with self._writing() as session:
            archive.end_sweep(session, sweep_id, calls, at)

    def swept(self, sweep_id: int) -> tuple[SweptFinding, ...]:
        """What a sweep found, in the order of the archive."""
        with self._reading() as session:
            return archive.swept(session, sweep_id)

    def sweeps(self) -> tuple[SweepLine, ...]:
        """All sweeps, newest first."""
        with self._reading() as session:
            return archive.sweeps(session)

    # in all

    def counts(self) -> dict[str, int]:
        """How much there is: recordings, scorecards, still quarantined."""
        asked = {
            "recordings": select(func.count()).select_from(RecordingRow),
            "scorecards": select(func.count()).select_from(ScorecardRow),
            "quarantined": select(func.count()).select_from(QuarantineRow).where(*OPEN),
        }
        with self._reading() as session:
            return {name: session.scalar(query) or 0 for name, query in asked.items()}

    # transactions

    def _came_first(self, recording: Recording, key: str, again: Reheard | None) -> bool:
        """Whether another night kept this work, or a call that nobody knew, at the same moment."""
        with self._reading() as session:
            done = session.scalar(select(TranscriptRow.id).where(TranscriptRow.work_key == key)) is not None
            return done or (again is None and session.get(RecordingRow, recording.id) is not None)


def work_key(sha256: str, provenance: Provenance) -> str:
    """The key of finished work: the bytes, and everything that changes what is heard in them."""
    parts = (sha256, provenance.pipeline, provenance.model_sha256, provenance.settings_digest)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
