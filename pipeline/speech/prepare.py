"""What needs no recognition: voice activity, crosstalk, music, speakers. Loads no speech recognizer, so that
it may work in processes of its own."""

from dataclasses import dataclass

from pipeline.samples import Samples
from pipeline.settings import Settings
from pipeline.speech.channels import dual_mono, one_channel, own_speech
from pipeline.speech.diarize import Voice, diarize
from pipeline.speech.embedding import Embedder
from pipeline.speech.tones import Surroundings, listen
from pipeline.speech.vad import speech_spans
from pipeline.timeline import Recording, Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A recording that waits for recognition. `voices` is empty on stereo, where the channel is the speaker;
    `lost` are the parts that the file had no sound for."""

    recording: Recording
    samples: Samples
    surroundings: Surroundings
    voices: tuple[Voice, ...]
    lost: tuple[Span, ...] = ()

    @property
    def is_mono(self) -> bool:
        return self.samples.channels == 1


class Preparer:
    """Everything that needs no words. It may work where no recognition is loaded: in another process."""

    def __init__(self, embedder: Embedder, settings: Settings) -> None:
        self._embedder, self._settings = embedder, settings

    @classmethod
    def open(cls, settings: Settings) -> "Preparer":
        """Load the model of voices. Raises ModelError."""
        return cls(Embedder.open(), settings)

    def prepare(self, recording: Recording, samples: Samples, lost: tuple[Span, ...] = ()) -> Prepared:
        """Voice activity, crosstalk, music, speakers. Thread safe."""
        if dual_mono(samples):
            samples = one_channel(samples)
        speech = [speech_spans(samples.channel(n), self._settings) for n in range(samples.channels)]
        surroundings = listen(samples, own_speech(speech, samples))
        voices: tuple[Voice, ...] = ()
        if samples.channels == 1:
            voices = diarize(samples.channel(0), surroundings.speech[0], self._embedder)
        return Prepared(
            recording=recording, samples=samples, surroundings=surroundings, voices=voices, lost=lost
        )
