"""How soon the call page is ready, and what happens when twenty inspectors work at once.

    python benchmarks/page.py [--times 20] [--inspectors 20] [--calls 10] [--no-report]

`callscore serve` runs as a process of its own on 127.0.0.1, over an SQLite database in a temporary folder.
First a call of half an hour, two channels and more than 4,000 words is opened in Chromium; then the
inspectors each log in, claim, mark, undo and hand in, call by call. Writes docs/benchmark-page.md; exits with
1 when a bar is missed, an answer was wrong or a decision is not in the database exactly once.
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[0] = str(ROOT / "tests" / "review")  # not this folder: its queue.py is not Python's

import demo  # noqa: E402
import load  # noqa: E402
from long_call import add_long_call  # noqa: E402
from playwright.sync_api import Page, sync_playwright  # noqa: E402
from served import served  # noqa: E402

from pipeline.account import Role  # noqa: E402
from pipeline.program import program  # noqa: E402
from pipeline.settings import Settings  # noqa: E402
from pipeline.workflows.accounts.passwords import new_password  # noqa: E402
from pipeline.workflows.accounts.users import Application, By, add_user  # noqa: E402
from pipeline.workflows.audit import open_store, verify  # noqa: E402

REPORT = ROOT / "docs" / "benchmark-page.md"
BAR_MS = 300
WARM_SECONDS = 20
"""By then a server has loaded what it loads while nobody waits."""
SCREEN = {"width": 1366, "height": 768}
OWNER = "quality"
BY = By(who="cli:benchmark", at=datetime.now(UTC))
TIMES = """() => {
  const load = performance.getEntriesByType("navigation")[0];
  return [performance.getEntriesByName("callscore-drawn")[0].startTime, load.responseStart];
}"""
STEPS = {
    "log in": "登录",
    "queue": "打开队列",
    "claim": "领下一通",
    "call": "打开电话",
    "mark": "评一项",
    "undo": "撤销",
    "submit": "交卷",
}


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The page of the long call: how often, and in milliseconds from the request on the medians of the
    server's first byte, and of the waveform on the screen with every item ready for the keys."""

    words: int
    turns: int
    findings: int
    kilobytes: int
    server: list[float]
    ready: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.ready)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--inspectors", type=int, default=20)
    parser.add_argument("--calls", type=int, default=10, help="of each inspector")
    parser.add_argument("--no-report", action="store_true", help="print only")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        opened = long_call_opened(Path(folder), given.times)
        crowd, wrong, lines = crowd_served(Path(folder), given.inspectors, given.calls)
    told = "\n".join(report(opened, crowd, wrong, lines, given.inspectors)) + "\n"
    sys.stdout.write(told)
    if not given.no_report:
        REPORT.write_text(told, encoding="utf-8")
    return int(opened.median > BAR_MS or bool(wrong))


def long_call_opened(folder: Path, times: int) -> Opened:
    """Once to warm up, then so many times."""
    settings = Settings(database=f"sqlite:///{folder}/page.db")
    password = new_password()
    with open_store(settings, create=True) as store:
        demo.fill(store, settings)
        call = store.latest(add_long_call(store, settings, folder))
        asked = Application(login=OWNER, role=Role.QUALITY_OWNER, password=password)
        add_user(asked, store, BY)
    path = f"/calls/{call.recording.id}"
    with served(settings) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SCREEN)
        time.sleep(WARM_SECONDS)
        size = _log_in(page, address, password, path)
        found = [_opened(page, address + path) for _ in range(times)]
        browser.close()
    return Opened(
        words=sum(len(turn.words) for turn in call.transcript.turns),
        turns=len(call.transcript.turns),
        findings=len(call.findings),
        kilobytes=size // 1024,
        ready=[ready for ready, _ in found],
        server=[server for _, server in found],
    )


def _log_in(page: Page, address: str, password: str, path: str) -> int:
    """Opens the call for the first time, too; the bytes of its page."""
    page.goto(f"{address}/login")
    page.fill("[name=login]", OWNER)
    page.fill("[name=password]", password)
    page.click("button.primary")
    page.wait_for_url("**/queue")
    answer = page.goto(address + path)
    page.wait_for_selector("body[data-drawn=yes]")
    return len(answer.body()) if answer else 0


def _opened(page: Page, address: str) -> tuple[float, float]:
    page.goto(address, wait_until="commit")
    page.wait_for_selector("body[data-drawn=yes]", state="attached")
    page.keyboard.press("j")
    if not page.evaluate("document.activeElement.matches('.item > summary')"):
        raise RuntimeError("the first item does not take the focus")
    ready, server = page.evaluate(TIMES)
    return ready, server


def crowd_served(folder: Path, inspectors: int, calls: int) -> tuple[load.Load, list[str], int]:
    """What they did, what went wrong or was lost, and how many lines the audit log has."""
    settings = Settings(database=f"sqlite:///{folder}/crowd.db", audit_key=f"{folder}/crowd.key")
    password = new_password()
    with open_store(settings, create=True) as store:
        load.add_calls(store, settings, inspectors * calls)
        logins = load.add_inspectors(store, inspectors, password, BY)
        with served(settings) as address:
            time.sleep(WARM_SECONDS)
            crowd = load.run(address, logins, password, calls)
        checked = verify(store)
        wrong = [*crowd.faults, *load.lost(store, crowd), *(fault.found for fault in checked.faults)]
    if len(crowd.handed_in) != inspectors * calls:
        wrong.append(f"{len(crowd.handed_in)} calls handed in, expected {inspectors * calls}")
    return crowd, wrong, checked.lines


def report(
    opened: Opened, crowd: load.Load, wrong: Sequence[str], lines: int, inspectors: int
) -> Iterator[str]:
    """The page, in Chinese."""
    yield "# 网页有多快、多稳（由 `make bench-page` 生成，请勿手改）"
    yield f"\n{date.today()}，{_machine()}，callscore {program()}。"
    yield "服务器、SQLite 数据库和浏览器在同一台机器上。"
    yield from _of_one(opened)
    yield from _of_many(crowd, inspectors)
    if wrong:
        yield f"\n**有 {len(wrong)} 处不对**：" + "；".join(wrong[:5])
    else:
        yield "\n没有出错的请求，没有一通给了两个人，交上来的每个决定都在库里恰好一次，撤销的都不在；"
        yield f"审计日志 {lines:,} 条，核对无误。"


def _of_one(opened: Opened) -> Iterator[str]:
    yield "\n## 打开一通 30 分钟的双声道电话\n"
    yield (
        f"{opened.words:,} 个字、{opened.turns} 轮、{opened.findings} 个发现，网页 {opened.kilobytes} kB；"
        f"Chromium，{SCREEN['width']}×{SCREEN['height']}，先开一次，再开 {len(opened.ready)} 次。"
        "“可用”从发出请求算起，到波形画在屏幕上、第一项能用键盘聚焦为止。\n"
    )
    yield "| | 中位数 | 最快 | 最慢 |\n|---|---:|---:|---:|"
    yield _line("服务器给出第一个字节", opened.server)
    yield _line("可用", opened.ready)
    reached = "达到" if opened.median <= BAR_MS else "**没有达到**"
    yield f"\n要求：可用的中位数不超过 {BAR_MS} ms：{reached}。"


def _of_many(crowd: load.Load, inspectors: int) -> Iterator[str]:
    yield f"\n## {inspectors} 名质检员同时评\n"
    yield (
        f"{inspectors} 人同时登录，各自领电话、评两项、撤销一项、交卷，共交 {len(crowd.handed_in)} 通、"
        f"{len(crowd.steps):,} 次请求，用时 {crowd.seconds:.0f} 秒；做完一步马上做下一步，不停下来听和想。\n"
    )
    yield "| 步骤 | 次数 | 中位数 | 最快 | 最慢 |\n|---|---:|---:|---:|---:|"
    for what, told in STEPS.items():
        took = crowd.of(what)
        yield _line(f"{told} | {len(took)}", took)


def _line(told: str, took: Sequence[float]) -> str:
    return f"| {told} | {statistics.median(took):.0f} ms | {min(took):.0f} ms | {max(took):.0f} ms |"


def _machine() -> str:
    busy = os.getloadavg()[0]
    return f"{platform.system()} {platform.machine()}，{os.cpu_count()} 核，负载 {busy:.1f}"


if __name__ == "__main__":
    sys.exit(main())
