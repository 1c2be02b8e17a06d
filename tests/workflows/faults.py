"""The faults that nights are tried with, and the page that tells what came of them."""

import argparse
import json
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from multiprocessing import forkserver
from pathlib import Path

import faults_cluster
import faults_database
import faults_folder
import faults_killed
import faults_machine
import faults_recordings
from night_ground import Ground, Outcome
from syscalls import can_watch

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
TEXT = """# 可靠性（由 `make soak` 生成，请勿手改）

识别用假的（说的话事先写好），其余都是真的一夜：列目录、认领、解码、规则、数据库（SQLite）。
每种故障之后，库里留下的全部内容与没受打扰的一夜逐字节比较，`reconcile` 的账要平，接着做的一夜只许识别剩下的。

`make soak` 全部跑一遍并改写这一页；`make soak FAULT=名字 SEED=种子 COUNT=次数` 只跑一行：每行末尾有命令。
短的一遍在 `make test` 里（`tests/workflows/test_faults.py`）。逐个系统调用的故障（在它之前、之后被杀，出错，
不返回）用 ptrace 注入（`tests/workflows/syscalls.py`），只在 Linux 上。

| 注入的故障 | 多少 | 结果 | 秒 | 日期 | 重做 |
|---|---|---|---|---|---|
{rows}
"""
CALLS, CALLS_IN_SHORT = 40, 8
ROW = re.compile(r"^\| .* \| `make soak FAULT=(\S+) .*` \|$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`work` injects it, `many` times in `make soak`, `few` times in `make test`; 0: that has a test of its
    own. `title` is for people.
    `watches`: only where processes may be watched; `on_ray`: only where Ray is installed."""

    title: str
    work: Callable[[Ground, int], Outcome]
    few: int
    many: int
    watches: bool = False
    on_ray: bool = False

    @property
    def hindrance(self) -> str:
        """Why it cannot be tried here; empty: it can."""
        if self.watches and not can_watch():
            return "这里不能跟踪进程，没有做"
        if self.on_ray and not find_spec("ray"):
            return "没有装 ray（pip install callscore[ray]），没有做"
        return ""


FAULTS = {
    "kill": Fault(
        title="协调进程在随机时刻被 SIGKILL",
        work=faults_killed.at_random,
        few=5,
        many=1000,
    ),
    "points": Fault(
        title="协调进程在每次写、落盘（提交）、截短、改名、删除文件之前和之后被 SIGKILL",
        work=faults_killed.at_each_point,
        few=4,
        many=100_000,
        watches=True,
    ),
    "decoder": Fault(
        title="解码子进程在随机时刻被 SIGKILL",
        work=faults_killed.of_a_decoder,
        few=2,
        many=200,
    ),
    "orphans": Fault(
        title="协调进程在子进程解码时被 SIGKILL",
        work=faults_killed.with_its_decoders,
        few=1,
        many=20,
    ),
    "workers": Fault(
        title="识别进程、它们的解码进程、协调进程在随机时刻被 SIGKILL，两个识别进程",
        work=faults_killed.of_recognition,
        few=2,
        many=200,
    ),
    "real-model": Fault(
        title="同上，真的模型（base）识别 data/demo",
        work=faults_killed.of_the_real_one,
        few=0,
        many=20,
    ),
    "together": Fault(
        title="几夜同时跑一个文件夹，其中一夜被 SIGKILL",
        work=faults_killed.side_by_side,
        few=2,
        many=4,
    ),
    "disk-full": Fault(
        title="数据库所在的磁盘满",
        work=faults_machine.full_disk,
        few=2,
        many=20,
    ),
    "disk-broken": Fault(
        title="数据库读、写、落盘出错（EIO）",
        work=faults_machine.broken_disk,
        few=4,
        many=600,
        watches=True,
    ),
    "files": Fault(
        title="打开的文件太多（RLIMIT_NOFILE）",
        work=faults_machine.too_many_files,
        few=2,
        many=32,
    ),
    "gone": Fault(
        title="数据库连不上",
        work=faults_machine.database_gone,
        few=1,
        many=60,
    ),
    "locked": Fault(
        title="数据库被别的程序锁住",
        work=faults_machine.database_locked,
        few=1,
        many=60,
    ),
    "clock": Fault(
        title="时钟跳到将来又跳回过去",
        work=faults_machine.jumping_clock,
        few=400,
        many=400,
    ),
    "unreadable": Fault(
        title="看、打开、读一个录音时磁盘出错（EIO），逐个系统调用",
        work=faults_folder.unreadable,
        few=2,
        many=100_000,
        watches=True,
    ),
    "dead": Fault(
        title="挂载死了：列目录、看、打开、读录音永远不返回",
        work=faults_folder.dead,
        few=2,
        many=5,
        watches=True,
    ),
    "slow": Fault(
        title="挂载很慢",
        work=faults_folder.slow,
        few=5,
        many=100,
        watches=True,
    ),
    "unmounted": Fault(
        title="文件夹在半夜没了（挂载断开）",
        work=faults_folder.unmounted,
        few=1,
        many=20,
    ),
    "changing": Fault(
        title="录音在读的时候变了",
        work=faults_folder.changing,
        few=2,
        many=20,
    ),
    "vanishing": Fault(
        title="录音在读的时候被移走",
        work=faults_folder.vanishing,
        few=2,
        many=20,
    ),
    "written": Fault(
        title="录音还在写",
        work=faults_folder.still_written,
        few=2,
        many=20,
    ),
    "poison": Fault(
        title="解码时崩溃、卡住、死循环、吃内存、程序出错的录音，每一百通一个",
        work=faults_recordings.poisoned,
        few=20,
        many=10_000,
    ),
    "mutants": Fault(
        title="改坏的录音（WAV、G.711、GSM、ADPCM、MP3、OGG、FLAC、AMR、M4A、AAC、WebM、AU），在子进程里解码",
        work=faults_recordings.mutated,
        few=10_000,
        many=100_000,
    ),
    "hostile-night": Fault(
        title="一夜全是改坏的录音",
        work=faults_recordings.night_of_mutants,
        few=30,
        many=2_000,
    ),
    "backup": Fault(
        title="夜里跑着时备份，再恢复",
        work=faults_database.backed_up,
        few=2,
        many=20,
    ),
    "upgrade": Fault(
        title="每一版旧数据库升级时被 SIGKILL，逐个系统调用",
        work=faults_database.upgraded,
        few=len(faults_database.EARLIER),
        many=1000,
        watches=True,
    ),
    "nodes": Fault(
        title="Ray 集群的节点在随机时刻被 SIGKILL，马上补一个",
        work=faults_cluster.of_nodes,
        few=0,
        many=200,
        on_ray=True,
    ),
    "head": Fault(
        title="Ray 集群的主节点在随机时刻被 SIGKILL",
        work=faults_cluster.of_the_head,
        few=0,
        many=20,
        on_ray=True,
    ),
    "deadly": Fault(
        title="弄死识别进程的录音，在 Ray 集群上",
        work=faults_cluster.by_recordings,
        few=0,
        many=10,
        on_ray=True,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What came of one fault. `lost`: what was not as it should be; empty: everything was."""

    name: str
    count: str
    result: str
    seconds: float
    lost: str = ""


def main() -> None:
    options = _options()
    names = [name for name in FAULTS if "all" in options.fault or name in options.fault]
    lost = False
    for line in _tried(names, options):
        print(json.dumps(asdict(line), ensure_ascii=False), flush=True)
        lost = lost or bool(line.lost)
        if options.page and line.count:
            PAGE.write_text(_page(line, options), encoding="utf-8")
    sys.exit(lost)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", action="append", choices=[*FAULTS, "all"], required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int)
    parser.add_argument("--short", action="store_true", help="as in `make test`")
    parser.add_argument("--page", action="store_true", help="write docs/reliability.md")
    return parser.parse_args()


def _tried(names: list[str], options: argparse.Namespace) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as place:
        ground = Ground.made(Path(place), CALLS_IN_SHORT if options.short else CALLS, options.seed)
        for name in names:
            yield _try(name, ground, options)


def _try(name: str, ground: Ground, options: argparse.Namespace) -> Line:
    fault, own, began = FAULTS[name], ground.place / name, time.monotonic()
    own.mkdir()
    count = options.count or (fault.few if options.short else fault.many)
    if fault.hindrance:
        return Line(name=name, count="", result=fault.hindrance, seconds=0.0)
    try:
        outcome, lost = fault.work(replace(ground, place=own), count), ""
    except (Exception, SystemExit) as error:
        traceback.print_exception(error)
        outcome, lost = Outcome("", ""), f"{type(error).__name__}: {error}"
    finally:
        forkserver._forkserver._stop()  # or the next would be asked by processes that are not its parent
    return Line(
        name=name,
        count=outcome.count,
        result=outcome.result,
        seconds=round(time.monotonic() - began, 1),
        lost=lost,
    )


def _page(line: Line, options: argparse.Namespace) -> str:
    """The page with a new line for what was tried now, those of before for the rest."""
    before = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    rows = {found[1]: row for row in before if (found := ROW.match(row))}
    rows[line.name] = _row(line, options)
    return TEXT.format(rows="\n".join(rows[name] for name in FAULTS if name in rows))


def _row(line: Line, options: argparse.Namespace) -> str:
    size = f" COUNT={options.count}" if options.count else ""
    command = f"make soak FAULT={line.name} SEED={options.seed}{size}"
    title, day = FAULTS[line.name].title, f"{datetime.now(UTC):%Y-%m-%d}"
    return f"| {title} | {line.count} | {line.result} | {line.seconds:.0f} | {day} | `{command}` |"
