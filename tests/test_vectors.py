import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.vectors import Place, Sentences

places = st.builds(Place, turn=st.integers(0, 65535), first=st.integers(0, 65535), last=st.integers(0, 65535))


@given(st.lists(places, max_size=5), st.integers(1, 64), st.randoms(use_true_random=False))
def test_packed_sentences_come_back_as_they_were(listed: list[Place], numbers: int, random: object) -> None:
    values = [[random.randint(-127, 127) for _ in range(numbers)] for _ in listed]  # type: ignore[attr-defined]
    vectors = np.array(values, np.int8).reshape(len(listed), numbers)
    sentences = Sentences.of("model:1", tuple(listed), vectors)
    body = sentences.packed()
    assert Sentences.unpacked("model:1", body) == sentences
    assert (Sentences.unpacked("model:1", body).vectors == vectors).all()
    assert len(body) == 6 + len(listed) * (6 + numbers)


@pytest.mark.parametrize("body", [b"", b"\x40", b"\x40\x00\x02\x00\x00\x00" + b"\x00" * 11])
def test_other_bytes_are_not_sentences(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"sentences|vectors"):
        Sentences.unpacked("model:1", body)


def test_every_sentence_has_one_vector() -> None:
    with pytest.raises(ValueError, match="2 vectors for 1 sentences"):
        Sentences.of("model:1", (Place(0, 0, 2),), np.zeros((2, 4), np.int8))
