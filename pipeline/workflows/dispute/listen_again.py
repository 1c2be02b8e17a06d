"""A recording heard once more with the model and the settings of the day, and what came out otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from pipeline.errors import ModelError, UsageError
from pipeline.media.decode import decode
from pipeline.settings import Settings
from pipeline.speech.listen import Listener
from pipeline.speech.provenance import TRANSCRIPT_VERSION
from pipeline.speech.weights import model_files
from pipeline.storage import mapping
from pipeline.storage.records import Origin, StoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call, Provenance, Recording, Role, Transcript, Turn
from pipeline.units import Ms
from pipeline.workflows.dispute.changes import Scoring
from pipeline.workflows.dispute.replay import (
    RulesOf,
    call_of_the_day,
    choice_of_the_day,
    encoder_of,
    settings_of_the_day,
)
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import judge
from pipeline.workflows.same_bytes import same_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reworded:
    """A stretch that was heard otherwise; `start` where it begins, empty: nothing was heard there."""

    start: Ms
    role: Role
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardAgain:
    """The stored hearing and the new one, both judged by the rules of the same scoring. `notes` say why a
    difference need not surprise."""

    before: Scoring
    after: Scoring
    reworded: tuple[Reworded, ...]
    notes: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether the two transcripts are the same to the byte."""
        before, after = (mapping.transcript_to_plain(s.transcript) for s in (self.before, self.after))
        return mapping.digest(before) == mapping.digest(after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How a stored transcript came about, ready to be repeated."""

    path: Path
    settings: Settings
    notes: tuple[str, ...]


def hearing_of(stored: StoredCall, store: Store, settings: Settings, audio: Path | None = None) -> Hearing:
    """The recording's file and the settings of the day. `audio`: where the file is now.

    Raises NotFound: no file, or other bytes; ModelError: another model; UsageError: settings unknown.
    """
    made = store.heard(stored.recording.id).provenance
    settings = _settings(made, store, settings)
    _check_model(made, settings)
    notes = []
    if made.pipeline != TRANSCRIPT_VERSION:
        notes.append(f"当时用第 {made.pipeline} 版听法，现在是第 {TRANSCRIPT_VERSION} 版，字句不同不足为奇")
    if stored.origin is not Origin.HEARD:
        notes.append("这通电话的转写有人改正过；这里比的是两次识别，不含人工改正")
    path = same_bytes(stored.recording, audio)
    return Hearing(path=path, settings=settings, notes=tuple(notes))


def listen_again(
    stored: StoredCall, hearing: Hearing, listener: Listener, store: Store, rules: RulesOf
) -> HeardAgain:
    """Hear the recording, judge both transcripts as the scoring of the day did. Writes nothing."""
    decoded = decode(hearing.path, hearing.settings)
    about = call_of_the_day(stored).recording
    ready = listener.prepare(about, decoded.samples, decoded.lost)
    ((_, fresh),) = listener.hear([ready])
    old = store.heard(about.id)
    fresh = mapping.storable(fresh)
    again = _Judge(stored, hearing.settings, rules)
    return HeardAgain(
        before=again.scoring(about, old),
        after=again.scoring(about, fresh),
        reworded=tuple(reworded(old, fresh)),
        notes=hearing.notes,
    )


class _Judge:
    """Judges transcripts as a stored scoring did."""

    def __init__(self, stored: StoredCall, settings: Settings, rules: RulesOf) -> None:
        self.settings = settings_of_the_day(stored, settings)
        encoder = encoder_of(stored)
        self.ruleset = rules(stored.ruleset_digest, encoder)
        self.choice = choice_of_the_day(stored)
        self.understanding = Understanding(settings) if encoder else None

    def scoring(self, recording: Recording, transcript: Transcript) -> Scoring:
        call = Call(recording=recording, transcript=transcript)
        if self.understanding:
            call = self.understanding.with_sentences(call)
        return Scoring.of(judge(call, self.ruleset, self.settings, self.choice))


def reworded(before: Transcript, after: Transcript) -> list[Reworded]:
    """Where the words differ, in order of time, side by side for each role."""
    roles = dict.fromkeys((*(t.role for t in before.turns), *(t.role for t in after.turns)))
    found = [part for role in roles for part in _of_role(role, before.of(role), after.of(role))]
    return sorted(found, key=lambda part: (part.start, part.role))


def _of_role(role: Role, before: Sequence[Turn], after: Sequence[Turn]) -> list[Reworded]:
    old = [word for turn in before for word in turn.words]
    new = [word for turn in after for word in turn.words]
    matcher = SequenceMatcher(a=[w.text for w in old], b=[w.text for w in new], autojunk=False)
    found = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            start = old[a].span.start if a < b else new[c].span.start
            texts = ("".join(w.text for w in old[a:b]), "".join(w.text for w in new[c:d]))
            found.append(Reworded(start=start, role=role, before=texts[0], after=texts[1]))
    return found


def _settings(made: Provenance, store: Store, settings: Settings) -> Settings:
    """The settings of the day: kept, or today's where they have the same digest."""
    kept = store.listening(made.settings_digest)
    if kept is not None:
        return settings.model_copy(update=kept)
    if settings.transcript_digest() == made.settings_digest:
        return settings
    raise UsageError(
        f"当时识别的设置没有存下（摘要 {made.settings_digest}），现在的设置是另一套"
        f"（摘要 {settings.transcript_digest()}），不能照原样重听",
        hint="把 callscore.toml 里影响识别的设置改回当时的值，`callscore settings` 列出它们",
    )


def _check_model(made: Provenance, settings: Settings) -> None:
    found = model_files(settings).sha256
    if found != made.model_sha256:
        raise ModelError(
            f"模型 {made.model} 不是当时那一个：sha256 是 {found[:16]}…，应为 {made.model_sha256[:16]}…",
            hint="callscore models list 看这台机器上有哪些模型；设置 model 可以写成当时模型的文件夹",
        )
