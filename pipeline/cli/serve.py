"""`callscore serve`: the inspector's page."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Database, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.review.server import Address, check_address, listening, serve
from pipeline.review.site import Site
from pipeline.workflows.audit import open_store

NOBODY = "还没有用户，谁也登录不了。另开一个终端：callscore users add 登录名 --role admin"


def register(app: typer.Typer) -> None:
    app.command("serve", epilog="例：callscore serve --port 8600")(serve_command)


def serve_command(
    host: Annotated[str, typer.Option(help="在哪个地址上听；本机以外要有 TLS。")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口。", min=1, max=65535)] = 8600,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="证书（PEM）。")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="私钥（PEM）。")] = None,
    behind_tls: Annotated[
        bool, typer.Option("--behind-tls", help="前面已有做 TLS 的代理，它转发 X-Forwarded-For。")
    ] = False,
    database: Database = None,
) -> None:
    """打开质检员的网页：队列、核对评分表、申诉、规则、报表。第一个管理员先用 callscore users add 建。"""
    settings = load(SettingsOptions(database=database))
    address = Address(host=host, port=port, certificate=tls_cert, key=tls_key, behind_tls=behind_tls)
    check_address(address)
    with open_store(settings) as store, listening(address) as opened:
        if not store.users():
            console().print(NOBODY, style="yellow")
        told = "等代理从这里转来请求" if behind_tls else "用浏览器打开"
        console().print(f"{told}：{address.url}（按 Ctrl-C 停止）")
        serve(Site(store=store, settings=settings, clock=lambda: datetime.now(UTC)), address, opened)
