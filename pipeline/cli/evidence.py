"""`callscore evidence`: the case file of a scoring, and checking one."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.bar import bar
from pipeline.cli.files import Force, check_new, save
from pipeline.cli.options import Database, For, SettingsOptions, inspector, load
from pipeline.cli.render import console
from pipeline.cli.users import done_here
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.audit import open_store
from pipeline.workflows.dispute.as_of import named
from pipeline.workflows.dispute.replay import Agreement, rules_by_digest
from pipeline.workflows.evidence.bundle import bundle, number_of, verify
from pipeline.workflows.evidence.case import REPLAYED, CaseFile, Order, case_of
from pipeline.workflows.evidence.page import page
from pipeline.workflows.evidence.paper import paper
from pipeline.workflows.review.seen import Viewer

EXIT_TOUCHED = 1
KINDS = (".zip", ".pdf", ".html")


def register(app: typer.Typer) -> None:
    app.command("evidence", epilog="例：callscore evidence d11 -o 案卷-d11.zip")(evidence)


def evidence(
    call: Annotated[
        str | None, typer.Argument(metavar="CALL", help="call_id，或录音编号的唯一前缀；用 --verify 时不写。")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="写到哪个文件：.zip 全套，.html 网页（带录音片段），.pdf 打印。"),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE|DIGEST", help="用那天（或摘要所指）的评分；默认用最近一次的。"),
    ] = None,
    audio: Annotated[Path | None, typer.Option("--audio", help="录音现在放在哪里。")] = None,
    check: Annotated[
        Path | None, typer.Option("--verify", metavar="FILE.zip", help="核对一份案卷有没有被改过。")
    ] = None,
    force: Force = False,
    viewer: For = None,
    database: Database = None,
) -> None:
    """做一份评分案卷：评分表、原话、时间、前后各多 3 秒的录音片段、规则原文、版本和摘要、谁做过什么决定。

    案卷自成一体，不依赖数据库和网络。用 --verify 核对：退出码 0 没有改过，1 改过。
    """
    if check is not None:
        _verify(check)
        return
    if call is None or output is None:
        raise typer.BadParameter("要做哪一通的案卷、写到哪里？给出 CALL 和 -o 文件。", param_hint="CALL -o")
    kind = output.suffix.lower()
    if kind not in KINDS:
        raise UsageError(f"-o：发现“{output.name}”，应以 {'、'.join(KINDS)} 结尾", hint="例：-o 案卷-d11.zip")
    check_new(output, force=force)
    settings = load(SettingsOptions(database=database))
    with bar("做案卷"), open_store(settings) as store:
        recording_id = store.find_call(call).id
        stored = named(store, recording_id, as_of, settings).stored if as_of else store.latest(recording_id)
        Viewer(store, inspector(viewer, settings)).check_whole(store.latest(recording_id), "案卷")
        order = Order(stored=stored, made_at=datetime.now(UTC), audio=audio)
        case = case_of(order, store, rules_by_digest(store), settings)
        body = _body(kind, case, store)
        about, digest = f"call:{recording_id}", sha256(body).hexdigest()
        store.record(done_here("export.evidence", about, format=kind, sha256=digest))
    save(output, body)
    _told(output, body, case, settings)


def _body(kind: str, case: CaseFile, store: Store) -> bytes:
    if kind == ".zip":
        return bundle(case, store)
    return paper(case) if kind == ".pdf" else page(case).encode()


def _told(path: Path, body: bytes, case: CaseFile, settings: Settings) -> None:
    out = console()
    size = f"{len(body) / 1_000_000:.1f} MB"
    out.print(
        f"已写 {path}（{size}）：{len(case.exhibits)} 条证据，{len(case.clips)} 个录音片段。", soft_wrap=True
    )
    for note in case.notes:
        out.print(f"注意：{note}", style="yellow", soft_wrap=True)
    different = case.replay.agreement is Agreement.DIFFERENT
    out.print(REPLAYED[case.replay.agreement], style="bold red" if different else "")
    if path.suffix.lower() == ".zip":
        out.print(f"案卷编号（记下来，日后核对）：{number_of(body)}", soft_wrap=True)


def _verify(path: Path) -> None:
    found = verify(path)
    out = console()
    out.print(f"评分案卷 {found.case}，{found.files} 个文件\n案卷编号：{found.number}", soft_wrap=True)
    if not found.faults:
        out.print("没有改过：每个文件都与清单一致，评分和规则与各自的摘要一致。", style="bold green")
        out.print("清单本身有没有被换掉，看案卷编号与制作时记下的是否相同。")
        return
    out.print("改过！", style="bold red")
    for fault in found.faults:
        out.print(f"  {fault}", style="red", markup=False)
    raise typer.Exit(EXIT_TOUCHED)
