"""One call: file -> samples -> transcript -> findings -> scorecard. `nightly` does the same for many."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

from pipeline.detect.archive.compact import VERSION, compact
from pipeline.detect.engine import run as run_rules
from pipeline.detect.scene import Thresholds
from pipeline.findings import Finding
from pipeline.media.decode import decode, fingerprint
from pipeline.media.join import recording_of
from pipeline.media.metadata import Row
from pipeline.media.values import time_zone
from pipeline.ruleset import RuleSet
from pipeline.samples import Samples
from pipeline.scorecard import Review, Scorecard
from pipeline.scoring.score import score
from pipeline.settings import Settings
from pipeline.speech.listen import Listener
from pipeline.storage import mapping
from pipeline.storage.records import CompactForm, ScoredCall
from pipeline.timeline import Call, Recording, Span, Transcript
from pipeline.workflows.meaning import Understanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A decoded recording that waits for recognition."""

    recording: Recording
    samples: Samples
    lost: tuple[Span, ...]


def load(path: Path, row: Row | None, settings: Settings, sha256: str | None = None) -> Loaded:
    """Decode a file and join what the metadata says. Raises UnreadableRecording."""
    sha256 = sha256 or fingerprint(path)
    decoded = decode(path, settings)
    return Loaded(
        recording=recording_of(path, decoded, sha256, row), samples=decoded.samples, lost=decoded.lost
    )


def judge(call: Call, ruleset: RuleSet, settings: Settings, *, reviews: Sequence[Review] = ()) -> ScoredCall:
    """Run the rules over a call and fill in the scorecard; `reviews` are all decisions about it. Pure."""
    call = replace(call, transcript=mapping.storable(call.transcript))
    findings = run_rules(call, ruleset, Thresholds.of(settings))
    card = _scorecard(call, findings, ruleset, time_zone(settings.time_zone), reviews)
    return ScoredCall(
        recording=call.recording,
        transcript=call.transcript,
        ruleset=ruleset,
        findings=findings,
        scorecard=card,
        compact=compact_form(call.transcript),
        sentences=call.sentences,
        reviews=len(reviews),
    )


def compact_form(transcript: Transcript) -> CompactForm:
    """A storable transcript laid out for scanning."""
    made = compact(transcript)
    return CompactForm(version=VERSION, text=made.text, detail=made.detail)


def _scorecard(
    call: Call, findings: tuple[Finding, ...], ruleset: RuleSet, zone: tzinfo, reviews: Sequence[Review]
) -> Scorecard | None:
    template = ruleset.template_for(call.recording, zone)
    if template is None:
        return None
    return score(call.recording, findings, template, ruleset, call.transcript.provenance, reviews)


def process_call(
    path: Path, row: Row | None, ruleset: RuleSet, listener: Listener, understanding: Understanding
) -> ScoredCall:
    """The whole way for one file. Raises UnreadableRecording."""
    settings = understanding.settings
    loaded = load(path, row, settings)
    ready = listener.prepare(loaded.recording, loaded.samples, loaded.lost)
    ((recording, transcript),) = listener.hear([ready])
    call = understanding.with_sentences(Call(recording=recording, transcript=transcript))
    return judge(call, ruleset, settings)
