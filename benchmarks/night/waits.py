"""Hold music or silence put into every call, half as long as the call: what it costs, what it makes up."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from benchmarks.night.archive import Waits, hiss, music, with_waits
from benchmarks.night.nights import Bench
from benchmarks.night.page import Bar, Part, table
from benchmarks.night.processes import Cost, timed
from benchmarks.night.stock import error_rate, spoken
from pipeline.timeline import Span, Transcript, Word

ROUNDS = 3
LOUD_DBFS = -10.0
KINDS = (("等待音乐", music), ("很响的等待音乐", partial(music, dbfs=LOUD_DBFS)), ("静音", hiss))
EDGE_MS = 300
"""A word that hangs over the edge of the wait by less was said before or after it."""


@dataclass(slots=True, kw_only=True)
class Tried:
    """The calls with one kind of wait, what their nights cost and what was heard in them."""

    waits: Waits
    costs: list[Cost] = field(default_factory=list)
    heard: Mapping[str, Transcript] = field(default_factory=dict)

    def night(self, bench: Bench) -> None:
        self.heard = bench.night(self.waits.folder)

    @property
    def seconds(self) -> float:
        return statistics.median(cost.seconds for cost in self.costs)

    @property
    def processor(self) -> float:
        return statistics.median(cost.processor for cost in self.costs)

    @property
    def invented(self) -> int:
        """Characters in the waits."""
        texts = (spoken(word.text for word in self._words(name, inside=True)) for name in self.heard)
        return sum(map(len, texts))

    def text(self, name: str) -> str:
        """What was said around the wait."""
        return spoken(word.text for word in self._words(name, inside=False))

    def _words(self, name: str, *, inside: bool) -> list[Word]:
        wait = self.waits.spans[name]
        words = (word for turn in self.heard[name].turns for word in turn.words)
        return sorted((w for w in words if _is_in(w.span, wait) == inside), key=lambda word: word.span)


def _is_in(word: Span, wait: Span) -> bool:
    return (word & wait).duration > min(EDGE_MS, word.duration // 2)


def part(bench: Bench) -> Part:
    """The same calls plain, with music, with silence."""
    bench.load()
    plain = Tried(waits=with_waits(bench.corpus, bench.new("plain"), hiss, share=0.0))
    tried = [(n, Tried(waits=with_waits(bench.corpus, bench.new("waits"), kind))) for n, kind in KINDS]
    plain.night(bench)  # what is made at the first use is made before the clock starts
    for _ in range(1 if bench.quick else ROUNDS):
        for one in (plain, *(one for _, one in tried)):
            one.costs.append(timed(lambda one=one: one.night(bench)))
    return Part(
        title="通话里的等待",
        lines=[
            "每通电话中间最长的停顿里放进半通电话那么长的等待音乐（分解和弦，−20 dBFS，",
            "很响的 −10 dBFS，所有声道）或静音（线路底噪）。",
            "“编出来的字”落在等待里；字错率是等待以外的字，和真实的话比。",
            f"轮流 {ROUNDS} 次取中位数。",
            "",
            *table(
                ("", "秒", "处理器（秒）", "处理器之比", "编出来的字", "字错率"),
                [_row(bench, name, one, plain) for name, one in (("原样", plain), *tried)],
            ),
        ],
        bars=[bar for name, one in tried for bar in _bars(name, one, plain)],
    )


def _row(bench: Bench, name: str, one: Tried, plain: Tried) -> Sequence[str]:
    wrong = error_rate(bench, {call: one.text(call) for call in one.heard})
    return (
        name,
        f"{one.seconds:.1f}",
        f"{one.processor:.1f}",
        f"{one.processor / plain.processor:.2f}",
        str(one.invented),
        "" if wrong is None else f"{wrong:.1%}",
    )


def _bars(name: str, one: Tried, plain: Tried) -> tuple[Bar, Bar]:
    return (
        Bar(what=f"多半通{name}，耗时之比", found=one.seconds / plain.seconds, limit=1.15),
        Bar(what=f"{name}里编出来的字", found=one.invented, limit=0),
    )
