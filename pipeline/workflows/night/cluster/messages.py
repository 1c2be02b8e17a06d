"""What a coordinator and the nodes of a cluster tell each other: packed JSON, never objects of Python, never
samples. A node asks for each call; the coordinator gives one, or says that there are no more for now."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter

from pipeline.errors import CallscoreError
from pipeline.media.places import address, place
from pipeline.media.rows import Row
from pipeline.samples import Peaks
from pipeline.settings import Settings
from pipeline.storage.mapping import (
    pack,
    recording_from_plain,
    recording_to_plain,
    transcript_from_plain,
    transcript_to_plain,
    unpack,
)
from pipeline.storage.night_records import Wanted
from pipeline.vectors import Sentences
from pipeline.workflows.night.hearing import Failed, Heard, Recipe
from pipeline.workflows.night.job import Job, Stamp

ELSEWHERE = ("database", "rules", "audit_key", "log", "roster", "reviewer", "assignment")
"""Settings that a node has no use for: some of them are secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a node needs to know before the first call. `recipe` is the name of what makes the recipe from the
    settings: `module:function`; `folder` is that of the recordings."""

    settings: Settings
    recipe: str
    folder: str

    def packed(self) -> bytes:
        settings = self.settings.model_dump(mode="json", exclude=set(ELSEWHERE))
        return pack({"settings": settings, "recipe": self.recipe, "folder": self.folder})

    @classmethod
    def of(cls, message: bytes) -> "Order":
        plain = unpack(message)
        return cls(**{**plain, "settings": Settings.model_validate(plain["settings"])})

    def made(self) -> Recipe:
        """Raises ModelError."""
        module, _, name = self.recipe.partition(":")
        recipe: Recipe = getattr(import_module(module), name)(self.settings)
        return recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Nothing can be heard on that node; no call is to blame. `why` is for people."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    path: str
    row: Row | None
    work: Wanted
    stamp: Stamp


_CALL = TypeAdapter(_Call)
ASK, NO_MORE = pack({}), b""
"""What a node says that has room for a call, and what it is told where there is none for now."""


def call_of(job: Job) -> bytes:
    """A call by its place, with what the metadata say."""
    call = _Call(path=address(job.path), row=job.row, work=job.work, stamp=job.stamp)
    return pack(_CALL.dump_python(call, mode="json"))


def job_of(message: bytes) -> Job:
    """The same as a job of this machine."""
    call = _CALL.validate_python(unpack(message))
    return Job(path=place(call.path), row=call.row, work=call.work, stamp=call.stamp)


def answer_of(outcome: Heard | Failed | Broken) -> bytes:
    """What became of a call, or of the node."""
    return pack(_plain(outcome))


def said_of(message: bytes, hand: Mapping[str, Job]) -> Heard | Failed | Broken | None:
    """What a node said that has these calls in hand, by their sha256; None: it asks for one."""
    plain = unpack(message)
    if "broken" in plain:
        return Broken(why=plain["broken"])
    return _outcome(plain, hand[plain["call"]]) if plain else None


def _outcome(plain: dict[str, Any], job: Job) -> Heard | Failed:
    if "stage" in plain:
        error = CallscoreError(plain["message"], hint=plain["hint"])
        return Failed(job=job, stage=plain["stage"], error=error, tries=plain["tries"])
    return Heard(
        job=job,
        recording=recording_from_plain(plain["recording"]),
        transcript=transcript_from_plain(plain["transcript"]),
        peaks=_peaks(plain["peaks"]),
        sentences=_sentences(plain["sentences"]),
    )


def _plain(outcome: Heard | Failed | Broken) -> dict[str, Any]:
    if isinstance(outcome, Broken):
        return {"broken": outcome.why}
    if isinstance(outcome, Failed):
        error = outcome.error
        told = {"call": outcome.job.sha256, "stage": outcome.stage, "tries": outcome.tries}
        return told | {"message": error.message, "hint": error.hint}
    return {
        "call": outcome.job.sha256,
        "recording": recording_to_plain(outcome.recording),
        "transcript": transcript_to_plain(outcome.transcript),
        "peaks": _peaks_to_plain(outcome.peaks),
        "sentences": _sentences_to_plain(outcome.sentences),
    }


def _peaks_to_plain(peaks: Peaks | None) -> Any:
    if peaks is None:
        return None
    return {"step": peaks.step, "channels": [base64.b64encode(one).decode() for one in peaks.channels]}


def _peaks(plain: Any) -> Peaks | None:
    if plain is None:
        return None
    return Peaks(step=plain["step"], channels=tuple(base64.b64decode(one) for one in plain["channels"]))


def _sentences_to_plain(sentences: Sentences | None) -> Any:
    if sentences is None:
        return None
    return {"encoder": sentences.encoder, "packed": base64.b64encode(sentences.packed()).decode()}


def _sentences(plain: Any) -> Sentences | None:
    return None if plain is None else Sentences.unpacked(plain["encoder"], base64.b64decode(plain["packed"]))
