from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.detect.script import call_of
from pipeline.errors import ModelError
from pipeline.settings import Settings
from pipeline.speech.sentences import LONG, MOST, SentenceEncoder, encoder_name, places_of, sentences_of
from pipeline.timeline import Transcript


@cache
def encoder() -> SentenceEncoder:
    return SentenceEncoder.open(Settings())


def transcript(text: str) -> Transcript:
    return call_of(f"坐席 1.0 {text}").transcript


def quotes(text: str) -> list[str]:
    heard = transcript(text)
    return [heard.quote(place) for place in places_of(heard)]


def cosine(one: str, other: str) -> float:
    a, b = encoder().floats([one, other])
    return float(a @ b)


def test_a_sentence_is_one_to_three_neighbouring_clauses() -> None:
    assert quotes("您好，请讲，我记一下。好的") == [
        "您好，", "您好，请讲，", "您好，请讲，我记一下。",
        "请讲，", "请讲，我记一下。", "请讲，我记一下。好的",
        "我记一下。", "我记一下。好的", "好的",
    ]  # fmt: skip


def test_a_single_character_is_no_sentence() -> None:
    assert quotes("哦") == []


def test_a_long_clause_is_also_looked_at_in_overlapping_parts() -> None:
    heard = transcript("这" * (2 * LONG + 5))
    found = places_of(heard)
    assert all(place.last - place.first <= MOST for place in found)
    assert found[0].first == 0
    assert found[-1].last == 2 * LONG + 5
    assert all(after.first < before.last for before, after in pairwise(found))


def test_the_same_meaning_in_other_words_is_nearer_than_another_meaning() -> None:
    said = "这件事不归我们管，您去找别的部门"
    assert cosine(said, "我们这边不负责，你问其他科室吧") > cosine(said, "您的快递明天下午送到") + 0.2


def test_every_sentence_gets_a_vector_of_whole_numbers() -> None:
    heard = transcript("您好，请讲。")
    found = sentences_of(heard, encoder())
    assert found.encoder == encoder_name(Settings())
    assert found.vectors.shape == (len(places_of(heard)), 64)
    lengths = np.linalg.norm(found.vectors.astype(float), axis=1)
    assert np.allclose(lengths, 127, atol=3)


def test_a_text_has_the_same_vector_alone_and_among_others() -> None:
    alone = encoder().encode(["您好"]).astype(int)
    among = encoder().encode(["请问您贵姓，我帮您登记一下这次报修的地址和电话", "您好"]).astype(int)
    assert abs(alone[0] - among[1]).max() <= 1


def test_nothing_gives_no_vectors() -> None:
    assert encoder().encode([]).shape[0] == 0


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = Settings(sentence_model=str(tmp_path / "none"))
    with pytest.raises(ModelError, match=r"none/model\.onnx 读不了"):
        SentenceEncoder.open(settings)
    with pytest.raises(ModelError, match=r"none/model\.onnx 读不了"):
        encoder_name(settings)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer\.json 读不了"):
        SentenceEncoder.open(Settings(sentence_model=str(tmp_path)))
