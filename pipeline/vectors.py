"""Vectors of sentences, and which words of a transcript each sentence is."""

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.int8]
"""int8, shape (sentences, numbers), each of length about 127."""

_PLACE = struct.Struct("<HHH")
_HEAD = struct.Struct("<HI")


class Rows(NamedTuple):
    """Sentences as they are stored. `places`: int64, shape (sentences, 3), see `Place`."""

    places: NDArray[np.int64]
    vectors: Vectors

    @classmethod
    def unpacked(cls, body: bytes) -> "Rows":
        """From what `Sentences.packed` gave. Raises ValueError for other bytes."""
        try:
            numbers, count = _HEAD.unpack_from(body)
            places = np.frombuffer(body, "<u2", 3 * count, _HEAD.size)
            vectors = np.frombuffer(body, np.int8, count * numbers, _HEAD.size + count * _PLACE.size)
        except struct.error as error:
            raise ValueError("not the packed sentences of a call") from error
        return cls(places.reshape(-1, 3).astype(np.int64), vectors.reshape(count, numbers))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Words `first` to `last - 1` of a turn; `turn` is the position in Transcript.turns."""

    turn: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """The sentences of one transcript. `encoder` names the model; `data` are the vectors' bytes."""

    encoder: str
    places: tuple[Place, ...]
    numbers: int
    data: bytes

    @classmethod
    def of(cls, encoder: str, places: tuple[Place, ...], vectors: Vectors) -> "Sentences":
        """Raises ValueError when there is not one vector a place."""
        if vectors.shape[0] != len(places):
            raise ValueError(f"{vectors.shape[0]} vectors for {len(places)} sentences")
        return cls(encoder=encoder, places=places, numbers=vectors.shape[1], data=vectors.tobytes())

    @property
    def vectors(self) -> Vectors:
        return np.frombuffer(self.data, np.int8).reshape(len(self.places), self.numbers)

    def packed(self) -> bytes:
        """Everything but the encoder's name: 6 bytes a place and one for each number."""
        places = b"".join(_PLACE.pack(p.turn, p.first, p.last) for p in self.places)
        return _HEAD.pack(self.numbers, len(self.places)) + places + self.data

    @classmethod
    def unpacked(cls, encoder: str, body: bytes) -> "Sentences":
        """The inverse of `packed`. Raises ValueError for other bytes."""
        try:
            numbers, count = _HEAD.unpack_from(body)
            at = _HEAD.size + count * _PLACE.size
            places = tuple(Place(*found) for found in _PLACE.iter_unpack(body[_HEAD.size : at]))
        except struct.error as error:
            raise ValueError("not the packed sentences of a call") from error
        if len(body) - at != numbers * count:
            raise ValueError(f"{len(body) - at} bytes of vectors, expected {numbers * count}")
        return cls(encoder=encoder, places=places, numbers=numbers, data=body[at:])
