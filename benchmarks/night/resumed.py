"""A night that is killed at half and done again, and one that is started again when all is done."""

from dataclasses import dataclass

from benchmarks.night.archive import copies
from benchmarks.night.nights import Bench, events
from benchmarks.night.page import Bar, Part, table
from benchmarks.night.processes import Cost, run

CALLS, CALLS_QUICK = 120, 10
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """`whole` was left alone, `again` found all of it done; `killed` when half was kept, `resumed` did the
    rest. `idle` had nothing to look at: what it costs to start."""

    whole: Cost
    again: Cost
    killed: Cost
    resumed: Cost
    idle: Cost

    @property
    def lost(self) -> float:
        """Seconds that the kill cost."""
        return self.killed.seconds + self.resumed.seconds - self.whole.seconds


def part(bench: Bench) -> Part:
    """What a kill costs, and what it costs to find that nothing is left to do. Raises RuntimeError: calls
    were lost or done twice."""
    calls = CALLS_QUICK if bench.quick else CALLS
    nights = _nights(bench, calls)
    rows = (
        ("没受打扰，从头到尾", nights.whole),
        ("做完一半时被 SIGKILL", nights.killed),
        ("再跑一次，做完剩下的", nights.resumed),
        ("全部做完以后再跑一遍", nights.again),
        ("空文件夹：只有启动", nights.idle),
    )
    lost_work = nights.killed.processor + nights.resumed.processor - nights.whole.processor
    return Part(
        title="中断和重跑",
        lines=[
            f"{calls} 通电话，都是 `callscore nightly`，从启动命令到结束。",
            "",
            *table(
                ("", "秒", "处理器（秒）"), ((n, f"{c.seconds:.1f}", f"{c.processor:.1f}") for n, c in rows)
            ),
            "",
            f"被杀一次多花 {nights.lost:.1f} 秒（处理器 {lost_work:.1f} 秒）：",
            "重新启动，加上杀的时候手上没做完的。",
            f"这和一夜多长无关：一小时的一夜是 {1 + nights.lost / SECONDS_AN_HOUR:.3f} 倍。",
        ],
        bars=[
            Bar(
                what="一半时被杀再做完 ÷ 没受打扰",
                found=(nights.killed.seconds + nights.resumed.seconds) / nights.whole.seconds,
                limit=1.05,
            ),
            Bar(
                what="做完以后再跑一遍 ÷ 第一遍",
                found=100 * nights.again.seconds / nights.whole.seconds,
                limit=1.0,
                unit=" %",
            ),
        ],
    )


def _nights(bench: Bench, calls: int) -> Nights:
    folder, nothing = copies(bench.corpus, bench.new("calls"), calls), bench.new("nothing")
    nothing.mkdir()
    whole, cut, empty = bench.new(".db"), bench.new(".db"), bench.new(".db")
    idle = run(bench.program(nothing, empty))
    killed = run(bench.program(folder, cut), killed_when=lambda: len(events(cut, "scored")) >= calls // 2)
    undisturbed = run(bench.program(folder, whole))
    resumed = run(bench.program(folder, cut))
    again = run(bench.program(folder, whole))
    done = len({line["call"] for line in events(cut, "scored")}), len(events(cut, "scored"))
    if done != (calls, calls):
        raise RuntimeError(f"killed and resumed: {done[0]} calls in {done[1]} scorings, expected {calls}")
    return Nights(whole=undisturbed, again=again, killed=killed, resumed=resumed, idle=idle)
