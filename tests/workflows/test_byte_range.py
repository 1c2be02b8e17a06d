import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.workflows.byte_range import byte_range

SIZE = 1000


@pytest.mark.parametrize(
    ("header", "content_range"),
    [
        ("bytes=0-99", "bytes 0-99/1000"),
        ("bytes=900-", "bytes 900-999/1000"),
        ("bytes=-1", "bytes 999-999/1000"),
        ("bytes=-5000", "bytes 0-999/1000"),
        ("bytes=990-5000", "bytes 990-999/1000"),
        ("Bytes= 0-0 ", "bytes 0-0/1000"),
        ("bytes=1000-", "bytes */1000"),
        ("bytes=1000-1001", "bytes */1000"),
        ("bytes=-0", "bytes */1000"),
    ],
)
def test_one_piece_is_answered_with_that_piece(header: str, content_range: str) -> None:
    found = byte_range(header, SIZE)
    assert found.is_part
    assert found.content_range == content_range
    assert found.is_outside == content_range.startswith("bytes */")


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=٣-", "items=0-1", "bytes=--5"),
        *("bytes=0-1,5-6", "bytes=0-1-2", "bytes 0-1", "bytes=0-1\n", "bytes=+1-2", f"bytes={'9' * 5000}-"),
    ],
)
def test_what_is_missing_malformed_or_several_pieces_is_answered_with_the_whole_file(
    header: str | None,
) -> None:
    found = byte_range(header, SIZE)
    assert (found.start, found.end, found.is_part) == (0, SIZE, False)


def test_of_an_empty_file_there_is_no_part() -> None:
    assert byte_range("bytes=0-", 0).is_outside
    assert byte_range("bytes=-5", 0).is_outside
    assert len(byte_range(None, 0)) == 0


SIZES = st.integers(0, 2**40)


@given(st.text(max_size=40) | st.from_regex(r"(?i)bytes=[0-9]{0,9}-[0-9]{0,9}", fullmatch=True), SIZES)
def test_no_header_leads_outside_the_file(header: str, size: int) -> None:
    found = byte_range(header, size)
    assert 0 <= found.start <= found.end <= size
    assert found.is_part or (found.start, found.end) == (0, size)


@given(st.binary(min_size=1, max_size=50), st.integers(0, 60), st.integers(0, 60))
def test_pieces_are_those_of_the_bytes(data: bytes, first: int, last: int) -> None:
    size = len(data)
    piece, rest, tail = (byte_range(f"bytes={h}", size) for h in (f"{first}-{last}", f"{first}-", f"-{last}"))
    if first <= last:
        assert data[piece.start : piece.end] == data[first : last + 1]
    assert data[rest.start : rest.end] == data[first:]
    assert data[tail.start : tail.end] == (data[-last:] if last else b"")


@given(st.integers(1, 5000), st.integers(1, 700))
def test_pieces_one_after_the_other_are_the_whole_file(size: int, step: int) -> None:
    at = 0
    while not (found := byte_range(f"bytes={at}-{at + step - 1}", size)).is_outside:
        assert found.start == at
        at = found.end
    assert at == size
