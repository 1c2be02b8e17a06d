"""`callscore db`: back a database up, put it back, move it to another one, bring its schema up to date."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Database, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.storage.copying import backup, copy, restore
from pipeline.storage.database import HEAD, without_password
from pipeline.storage.store import Store

app = typer.Typer(no_args_is_help=True, help="数据库：备份、恢复、搬到别处、升级。")

File = Annotated[Path, typer.Argument(metavar="FILE", help="备份文件。")]


@app.command("backup", epilog="例：callscore db backup /backup/callscore-0506.db")
def backup_command(file: File, database: Database = None) -> None:
    """备份 SQLite 数据库，夜里跑着也行：存下某一刻的全部，并检查完好。PostgreSQL 用 pg_dump。"""
    settings = load(SettingsOptions(database=database))
    backup(settings.database, file)
    console().print(f"已备份到 {file}，{file.stat().st_size / 1e6:.1f} MB，检查完好。", markup=False)
    console().print("审计日志的密钥和 .anchor 在数据库旁边，也要备份。")


@app.command("restore", epilog="例：callscore db restore /backup/callscore-0506.db")
def restore_command(file: File, database: Database = None) -> None:
    """把备份恢复成数据库；原来的要先移走，从不覆盖。"""
    settings = load(SettingsOptions(database=database))
    restore(file, settings.database)
    console().print(f"已恢复到 {without_password(settings.database)}。", markup=False)


@app.command(
    "copy", epilog="例：callscore db copy sqlite:///data/callscore.db postgresql://callscore@db/callscore"
)
def copy_command(
    source: Annotated[str, typer.Argument(metavar="FROM", help="从哪个数据库（SQLAlchemy URL）。")],
    target: Annotated[str, typer.Argument(metavar="TO", help="到哪个空的数据库。")],
) -> None:
    """把一个数据库的全部内容搬到另一个空的里，如 SQLite 到 PostgreSQL；要么全部，要么什么也没有。"""
    done = copy(source, target, _tell)
    console().print(f"共 {done.total} 行，已搬到 {without_password(target)}。", markup=False)


def _tell(table: str, rows: int) -> None:
    if rows:
        console().print(f"  {table}  {rows} 行", markup=False)


@app.command("upgrade", epilog="例：callscore db upgrade")
def upgrade_command(database: Database = None) -> None:
    """把数据库升级到这个版本的结构；平常第一次打开时自动做。"""
    settings = load(SettingsOptions(database=database))
    Store.open(settings.database, create=False).close()
    console().print(f"数据库的结构是 {HEAD}。")
