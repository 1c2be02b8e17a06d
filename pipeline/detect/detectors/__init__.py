"""The detectors by the name that rule files use. A new one is one file and one line here."""

from collections.abc import Mapping

from pipeline.detect.detectors import (
    backchannel,
    duration,
    entity,
    first_word,
    hold,
    interruption,
    logic,
    metadata,
    pace,
    phrase,
    repeat,
    response,
    sequence,
    silence,
    similar,
    speaks_first,
    talk_share,
    voice,
)
from pipeline.detect.detectors.base import Detector

DETECTORS: Mapping[str, Detector] = {
    "all": logic.ALL,
    "any": logic.ANY,
    "backchannel": backchannel.DETECTOR,
    "duration": duration.DETECTOR,
    "entity": entity.DETECTOR,
    "first_word": first_word.DETECTOR,
    "hold": hold.DETECTOR,
    "interruption": interruption.DETECTOR,
    "metadata": metadata.DETECTOR,
    "none": logic.NONE,
    "pace": pace.DETECTOR,
    "phrase": phrase.DETECTOR,
    "repeat": repeat.DETECTOR,
    "response": response.DETECTOR,
    "sequence": sequence.DETECTOR,
    "silence": silence.DETECTOR,
    "similar": similar.DETECTOR,
    "speaks_first": speaks_first.DETECTOR,
    "talk_share": talk_share.DETECTOR,
    "voice": voice.DETECTOR,
}
