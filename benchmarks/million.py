"""What a million calls cost: the last section of docs/cluster.md, by arithmetic from two measured nights.

    make million
    python -m benchmarks.million --machines 4 --core-hour-price 0.3 --gb-month-price 0.1

Two nights over copies of the corpus, one with more calls: what the one costs more than the other is what
calls cost, without the start of a night. Processor seconds are counted, so that a busy machine does little
harm; what differs from house to house are options. Prices are nobody's but yours: without them hours and
bytes are told.
"""

import argparse
import os
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.night.archive import copies
from benchmarks.night.page import table
from benchmarks.night.processes import Command, run
from pipeline.storage.store import Store

PAGE = Path(__file__).parents[1] / "docs" / "cluster.md"
HEADING = "## 一百万通\n"
CALLSCORE = Path(sys.executable).with_name("callscore")
GROWING = (
    "recordings",
    "transcripts",
    "scorecards",
    "findings",
    "sentences",
    "compact_calls",
    "facts",
    "peaks",
    "queue",
    "work",
)
"""Tables that get rows with each call; an index belongs to its table."""
GB, HOUR, MS_AN_HOUR = 1e9, 3600.0, 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night cost: processor seconds of all processes, and of the one that judges and stores; bytes
    by table."""

    calls: int
    turns: int
    hours: float
    processor: float
    coordinator: float
    tables: Counter[str]

    def __sub__(self, other: "Night") -> "Night":
        """What the calls cost that it has more."""
        return Night(
            calls=self.calls - other.calls,
            turns=self.turns - other.turns,
            hours=self.hours - other.hours,
            processor=self.processor - other.processor,
            coordinator=self.coordinator - other.coordinator,
            tables=Counter({name: self.tables[name] - other.tables[name] for name in GROWING}),
        )

    @property
    def core_hours(self) -> float:
        """For an hour of recordings."""
        return self.processor / HOUR / self.hours

    @property
    def coordinator_hours(self) -> float:
        """Of these, in the one process that judges and stores, here as on a cluster."""
        return self.coordinator / HOUR / self.hours


def measured(corpus: Path, place: Path, calls: int) -> Night:
    """A night of the program over so many calls. Raises RuntimeError: it failed."""
    folder, path = copies(corpus, place / f"{calls}", calls), place / f"{calls}.db"
    line = (str(CALLSCORE), "nightly", str(folder), "--database", f"sqlite:///{path}")
    cost = run(Command(line=line, environ={"CALLSCORE_AUDIT_KEY": str(place / "key")}))
    with Store.open(f"sqlite:///{path}", create=False) as store:
        transcripts = [call.transcript for call in store.stored()]
        heard = sum(call.recording.duration for call in store.stored())
    return Night(
        calls=len(transcripts),
        turns=sum(len(transcript.turns) for transcript in transcripts),
        hours=heard / MS_AN_HOUR,
        processor=cost.processor,
        coordinator=cost.first,
        tables=_bytes(path),
    )


def _bytes(path: Path) -> Counter[str]:
    query = (
        "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
    )
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as raw:
        return Counter(dict(raw.execute(query).fetchall()))


def section(calls: Night, options: argparse.Namespace) -> str:
    """The section, with the names of all inputs."""
    hours = options.calls * options.minutes / 60
    of_a_thousand, of_all = _costs(calls, options, 1000), _costs(calls, options, hours)
    rows = [(what, one, all_of_it) for (what, one), (_, all_of_it) in zip(of_a_thousand, of_all, strict=True)]
    return "\n\n".join(
        [
            HEADING.strip(),
            (
                f"由 `make million` 量出、算出（{datetime.now(UTC):%Y-%m-%d}，{os.cpu_count()} 核，"
                f"机器负载 {os.getloadavg()[2]:.1f}；忙的机器处理器秒数会多一些）："
                f"{options.few} 通和 {options.many} 通示范录音各跑一夜（模型 base，CPU），"
                f"多出来的 {calls.calls} 通、{calls.hours * 60:.0f} 分钟"
                "录音多用的处理器秒数、多占的字节，就是通话的，启动不算。"
                "各家不同的数用 `python -m benchmarks.million --help` 列出的选项改："
                f"这里每通 {options.minutes:g} 分钟，{options.machines} 台 {options.machine_cores} 核的机器，"
                f"录音每秒 {options.bytes_a_second:,} 字节（G.711，双声道）。"
            ),
            "\n".join(table(("", "每千小时录音", f"{options.calls:,} 通（{hours:,.0f} 小时）"), rows)),
            (
                f"一小时录音用 {calls.core_hours:.3f} 核时：一个核 {1 / calls.core_hours:.1f} 倍实时；"
                "其中集群上协调的一个进程（评分、存库）"
                f"{calls.coordinator_hours * HOUR:.0f} 秒，"
                f"所以它喂得饱约 {calls.core_hours / calls.coordinator_hours - 1:.0f} 个识别的核。"
                f"数据库（SQLite）每通 {calls.tables.total() / calls.calls / 1000:.1f} kB、每轮"
                f" {calls.tables.total() / calls.turns:,.0f} 字节，含索引："
            ),
            "\n".join(table(("表", "每通（kB）"), _tables(calls))),
            (
                "录音越长，每通越大，这里按时长成比例算。规则集和规则学到的东西只存一份，不在内。"
                "机器的核一样快、都不闲着，协调的进程也够多（见上面的“多大的集群”），才有这个时长。"
            ),
        ]
    )


def _costs(calls: Night, options: argparse.Namespace, hours: float) -> list[tuple[str, str]]:
    """Of so many hours of recordings."""
    cores = hours * calls.core_hours
    database = hours * calls.tables.total() / calls.hours / GB
    sound = hours * options.bytes_a_second * HOUR / GB
    cards = hours / options.gpu_realtime if options.gpu_realtime else None
    return [
        ("处理器（核时）", f"{cores:,.0f}"),
        ("其中协调的进程：评分、存库（核时）", f"{hours * calls.coordinator_hours:,.1f}"),
        (f"{options.machines} 台机器要多久", _long(cores / options.machines / options.machine_cores)),
        ("处理器的钱", _money(cores, options.core_hour_price)),
        ("GPU（卡时）", "没有量过" if cards is None else f"{cards:,.0f}"),
        ("数据库（GB）", f"{database:,.2f}"),
        ("录音（GB）", f"{sound:,.0f}"),
        ("存储每月的钱", _money(database + sound, options.gb_month_price)),
    ]


def _tables(calls: Night) -> Iterator[tuple[str, str]]:
    for name, size in calls.tables.most_common():
        yield name, f"{size / calls.calls / 1000:.1f}"


def _long(hours: float) -> str:
    return f"{hours:,.1f} 小时" if hours < 48 else f"{hours / 24:,.1f} 天"


def _money(amount: float, price: float | None) -> str:
    return "自己的价格" if price is None else f"{amount * price:,.0f}"


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as place:
        nights = [measured(options.corpus, Path(place), calls) for calls in (options.few, options.many)]
    made = section(nights[1] - nights[0], options) + "\n"
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(HEADING)
    PAGE.write_text(before + made, encoding="utf-8")
    print(made)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("data/demo"))
    parser.add_argument("--few", type=int, default=5, help="calls of the smaller night")
    parser.add_argument("--many", type=int, default=25, help="calls of the larger night")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=3.0, help="of a call, in the middle")
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--machine-cores", type=int, default=16)
    parser.add_argument(
        "--bytes-a-second", type=int, default=16_000, help="of recordings; G.711, two channels"
    )
    parser.add_argument(
        "--gpu-realtime", type=float, help="hours of recordings in an hour of your GPU: make bench-night"
    )
    parser.add_argument("--core-hour-price", type=float)
    parser.add_argument("--gb-month-price", type=float)
    return parser.parse_args()


if __name__ == "__main__":
    main()
