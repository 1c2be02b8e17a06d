"""The detectors by the name that rule files use. A new one is one file and one line here."""

from collections.abc import Mapping

from pipeline.detect.detectors import first_word, hold, overlap, phrase, response, silence, speaks_first
from pipeline.detect.detectors.base import Detector

DETECTORS: Mapping[str, Detector] = {
    "first_word": first_word.DETECTOR,
    "hold": hold.DETECTOR,
    "overlap": overlap.DETECTOR,
    "phrase": phrase.DETECTOR,
    "response": response.DETECTOR,
    "silence": silence.DETECTOR,
    "speaks_first": speaks_first.DETECTOR,
}
