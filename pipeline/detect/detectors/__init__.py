"""The detectors by the name that rule files use. A new one is one file and one line here."""

from collections.abc import Mapping

from pipeline.detect.detectors import (
    first_word,
    hold,
    logic,
    metadata,
    overlap,
    phrase,
    response,
    sequence,
    silence,
    similar,
    speaks_first,
)
from pipeline.detect.detectors.base import Detector

DETECTORS: Mapping[str, Detector] = {
    "all": logic.ALL,
    "any": logic.ANY,
    "first_word": first_word.DETECTOR,
    "hold": hold.DETECTOR,
    "metadata": metadata.DETECTOR,
    "none": logic.NONE,
    "overlap": overlap.DETECTOR,
    "phrase": phrase.DETECTOR,
    "response": response.DETECTOR,
    "sequence": sequence.DETECTOR,
    "silence": silence.DETECTOR,
    "similar": similar.DETECTOR,
    "speaks_first": speaks_first.DETECTOR,
}
