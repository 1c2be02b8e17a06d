"""A model that knows nothing and takes no time, for nights over many calls: everything else is real.

python -m benchmarks.night.standin FOLDER PLACE
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.night.nights import Bench, night
from benchmarks.night.processes import Command
from pipeline.samples import Mono
from pipeline.settings import Settings, load_settings
from pipeline.speech.asr import Recognizer
from pipeline.speech.decoder import FULL_FRAMES, Features, Manner, Reading
from pipeline.speech.guards import Decoded
from pipeline.speech.listen import Listener
from pipeline.speech.prepare import Preparer
from pipeline.speech.words import Sound
from pipeline.units import Ms

SAID = (
    "您好这里是客服中心请问有什么可以帮您我想查一下上个月的话费怎么比平时多了不少麻烦报一下手机号码"
    "好的正在为您核对请稍等查到了主要是漫游产生的流量费用如果以后还要出国建议先开通套餐会便宜很多"
    "那我明白了谢谢不客气感谢来电祝您生活愉快再见"
)
CHARACTERS_A_SECOND = 4


def full(duration: Ms) -> int:
    """Every window is given the model's whole 30 seconds."""
    return FULL_FRAMES


class StandIn:
    """Writes the same for every window, four characters a second. `pause`: seconds taken for each window."""

    def __init__(
        self, frames_for: Callable[[Ms], int] = full, workers: int = 1, *, pause: float = 0.0
    ) -> None:
        self.frames_for, self.workers, self._pause = frames_for, workers, pause

    def features(self, sound: Mono, frames: int) -> Features:
        return np.zeros((1, frames), dtype=np.float32)

    def read(self, batch: Sequence[Features], seconds: Sequence[float], manner: Manner) -> Sequence[Reading]:
        time.sleep(self._pause * len(batch))
        return [_reading(length) for length in seconds]


def _reading(seconds: float) -> Reading:
    text, step = SAID[: int(seconds * CHARACTERS_A_SECOND)], 1 / CHARACTERS_A_SECOND
    sounds = tuple(
        Sound(text=c, start=n * step, end=(n + 1) * step, probability=0.9) for n, c in enumerate(text)
    )
    decoded = Decoded(text=text, tokens=tuple(range(len(text))), logprob=-0.2, no_speech=0.0)
    return Reading(decoded=decoded, sounds=sounds)


def listener(settings: Settings) -> Listener:
    """Everything real but the model of speech."""
    return Listener(Recognizer(StandIn(), settings), Preparer.open(settings), settings)


def program(folder: Path, place: Path) -> Command:
    """Such a night in a process of its own."""
    return Command(
        line=[sys.executable, "-m", "benchmarks.night.standin", str(folder), str(place)], environ={}
    )


def main() -> None:
    """One night, as the arguments say."""
    folder, place = map(Path, sys.argv[1:])
    settings = load_settings()
    bench = Bench(corpus=folder, place=place, settings=settings)
    heard = night(folder, bench, listener(settings))
    print(len(heard))


if __name__ == "__main__":
    main()
