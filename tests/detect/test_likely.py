"""Weighing the sentences of many calls at once."""

import meanings
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_similar import SHIRKING, UNLIKE, taught

from pipeline.detect.archive.compact import Unpacked, compact
from pipeline.detect.likely import MARGIN, Likely, Said
from pipeline.detect.script import call_of
from pipeline.detect.sound import sounds_of
from pipeline.speech.sentences import places_of
from pipeline.storage.mapping import storable
from pipeline.timeline import Transcript
from pipeline.vectors import Rows, Sentences

CLAUSES = st.sampled_from([*SHIRKING, *UNLIKE, "好的", "A1是2号", "嗯嗯，哎呀Ⅳ", "不不不不", "二十块"])
TURNS = st.lists(st.lists(CLAUSES, min_size=1, max_size=4), min_size=1, max_size=4)


def transcript_of(turns: list[list[str]]) -> Transcript:
    lines = (f"{'坐席客户'[i % 2 * 2 :][:2]} {4 * i + 1}.0 {'，'.join(t)}。" for i, t in enumerate(turns))
    return storable(call_of("\n".join(lines)).transcript)


def sentences_of(transcript: Transcript) -> Sentences:
    places = places_of(transcript)
    texts = [transcript.quote(place) for place in places]
    return Sentences.of(
        meanings.NAME, places, meanings.encode(texts) if texts else np.zeros((0, 64), np.int8)
    )


@settings(max_examples=30, deadline=None)
@given(calls=st.lists(TURNS, min_size=1, max_size=3))
def test_sentences_score_as_their_rule_scores_them_one_by_one(calls: list[list[list[str]]]) -> None:
    meaning = taught().meaning
    assert meaning is not None
    heard = [transcript_of(turns) for turns in calls]
    listed = [sentences_of(one) for one in heard]
    said = [
        Said(Unpacked(compact(one)), Rows.unpacked(s.packed())) for one, s in zip(heard, listed, strict=True)
    ]
    scores, owners = Likely(meaning, ["a.shirking"]).scores(said)
    expected: list[float] = []
    for one, sentences in zip(heard, listed, strict=True):
        sounds = [meaning.weighed_runs(sounds_of(one.quote(place))) for place in sentences.places]
        expected += meaning.heads["a.shirking"].scores(sentences.vectors, sounds)
    assert np.allclose(scores[:, 0], expected, atol=MARGIN / 2)
    assert owners.tolist() == [i for i, s in enumerate(listed) for _ in s.places]


def test_whatever_would_be_found_is_above_the_least_score() -> None:
    meaning = taught().meaning
    assert meaning is not None
    head = meaning.heads["a.shirking"]
    (needed,) = Likely(meaning, ["a.shirking"]).needed(0.5)
    assert head.confidence(float(needed)) < 0.4 < head.confidence(float(needed) + 2 * MARGIN)
