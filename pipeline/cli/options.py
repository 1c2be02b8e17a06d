"""Options that several commands share, and the settings they override."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipeline.settings import Settings, load_settings

Database = Annotated[
    str | None,
    typer.Option("--database", help="数据库（SQLAlchemy URL）；也可用环境变量 CALLSCORE_DATABASE。"),
]
Rules = Annotated[Path | None, typer.Option("--rules", help="规则文件夹；默认用随产品附带的规则。")]
For = Annotated[
    str | None,
    typer.Option(
        "--for",
        "--who",
        metavar="NAME",
        help="给这位质检员看：盲复核交卷之前不含别人的决定；默认用设置 reviewer，写空的看全部。",
    ),
]
Model = Annotated[str | None, typer.Option("--model", help="语音模型：base、网上的名称，或文件夹。")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsOptions:
    """What the command line says about settings; None leaves the setting as it is."""

    database: str | None = None
    rules: Path | None = None
    model: str | None = None


def inspector(named: str | None, settings: Settings) -> str:
    """Who decides or looks: the one named, else the setting; "" is nobody."""
    return (settings.reviewer if named is None else named).strip()


def load(options: SettingsOptions) -> Settings:
    """Settings in force: file, environment, then these options."""
    return load_settings(
        {
            "database": options.database,
            "rules": str(options.rules) if options.rules else None,
            "model": options.model,
        }
    )
