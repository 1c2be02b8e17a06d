"""Samples -> Transcript: who says what when. `Listener` holds the models; the steps are in their own files.

`prepare` is what needs no recognition (voice activity, crosstalk, music, speakers); it may run ahead on
other threads. `hear` recognizes many prepared recordings in full batches and puts each together.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pipeline.samples import Mono, Samples
from pipeline.settings import Settings
from pipeline.speech.asr import Heard, Recognizer, Request
from pipeline.speech.prepare import Prepared, Preparer
from pipeline.speech.prosody import loudness_dbfs, pitch_hz
from pipeline.speech.provenance import provenance_of
from pipeline.speech.roles import assign_roles
from pipeline.speech.tones import silences_of, with_silent_holds
from pipeline.speech.turns import Voiced, by_speaker, overlaps_of, turns_of
from pipeline.speech.waits import announcing
from pipeline.timeline import Recording, Span, Transcript, Turn, merge
from pipeline.units import Ms

SILENCE_MS: Ms = 2_000
"""Shorter silences are the rhythm of talking, not worth a note."""


class Listener:
    """The models, loaded once. `with`-less: they hold memory only."""

    def __init__(self, recognizer: Recognizer, preparer: Preparer, settings: Settings) -> None:
        self._recognizer, self._preparer = recognizer, preparer
        self.provenance = provenance_of(settings)

    @classmethod
    def open(cls, settings: Settings) -> "Listener":
        """Load the models that the settings name. Raises ModelError."""
        return cls(Recognizer.open(settings), Preparer.open(settings), settings)

    def prepare(self, recording: Recording, samples: Samples, lost: tuple[Span, ...] = ()) -> Prepared:
        """As `Preparer.prepare`. Thread safe."""
        return self._preparer.prepare(recording, samples, lost)

    def hear(
        self, recordings: Iterable[Prepared], beat: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Recording, Transcript]]:
        """Recognize in full batches over several recordings; each comes when it is done. `beat` is called
        after each batch."""
        waiting: dict[str, Prepared] = {}
        collected: dict[str, list[Heard]] = {}
        for heard in self._recognizer.recognize(self._requests(recordings, waiting), beat):
            identity, _, _ = heard.key.partition("/")
            parts = collected.setdefault(identity, [])
            parts.append(heard)
            if len(parts) == waiting[identity].samples.channels:
                ready = waiting.pop(identity)
                yield ready.recording, self.transcript(ready, sorted(collected.pop(identity), key=_channel))

    def transcript(self, ready: Prepared, heard: list[Heard]) -> Transcript:
        """Put words, voices and surroundings together."""
        turns = turns_of(_voiced(ready, heard))
        role_of, roles = assign_roles(turns, ready.recording.direction, ready.recording.agent_channel)
        around = ready.surroundings
        transcript = Transcript(
            turns=_with_prosody(turns, ready.samples),
            rings=around.rings,
            overlaps=() if ready.is_mono else overlaps_of(turns),
            unclear=merge([*ready.lost, *(span for part in heard for span in part.unclear)]),
            overlaps_audible=not ready.is_mono,
            roles=roles,
            provenance=self.provenance,
        ).with_roles(role_of, roles)
        return _with_waits(transcript, ready)

    def _requests(self, recordings: Iterable[Prepared], waiting: dict[str, Prepared]) -> Iterator[Request]:
        for ready in recordings:
            waiting[ready.recording.id] = ready
            for channel in range(ready.samples.channels):
                yield Request(
                    key=f"{ready.recording.id}/{channel}",
                    audio=ready.samples.channel(channel),
                    speech=ready.surroundings.speech[channel],
                )


def _channel(heard: Heard) -> int:
    return int(heard.key.rpartition("/")[2])


def _voiced(ready: Prepared, heard: list[Heard]) -> list[Voiced]:
    speech = ready.surroundings.speech
    if not ready.is_mono:
        return [
            Voiced(speaker=n, channel=n, words=part.words, speech=speech[n]) for n, part in enumerate(heard)
        ]
    speakers = {voice.span: voice.speaker for voice in ready.voices}
    return [
        Voiced(
            speaker=n, channel=None, words=words, speech=tuple(s for s, who in speakers.items() if who == n)
        )
        for n, words in by_speaker(heard[0].words, speakers).items()
    ]


def _with_prosody(turns: tuple[Turn, ...], samples: Samples) -> tuple[Turn, ...]:
    return tuple(_measured(turn, samples.channel(turn.channel or 0)) for turn in turns)


def _measured(turn: Turn, audio: Mono) -> Turn:
    return replace(turn, loudness_dbfs=loudness_dbfs(audio, turn.span), pitch_hz=pitch_hz(audio, turn.span))


def _with_waits(transcript: Transcript, ready: Prepared) -> Transcript:
    """Holds with music are known by sound; a silent wait by the announcement before it."""
    speech = [span for spans in ready.surroundings.speech for span in spans]
    heard: list[Span] = [*speech, *(turn.span for turn in transcript.turns)]
    duration = ready.recording.duration
    quiet = silences_of(heard, duration, min_ms=SILENCE_MS, holds=ready.surroundings.holds)
    holds = with_silent_holds(ready.surroundings.holds, quiet, announcing(transcript.turns))
    silences = silences_of(
        heard, duration, min_ms=SILENCE_MS, holds=holds, start=min(transcript.connected_at, duration)
    )
    return replace(transcript, holds=holds, silences=silences)
