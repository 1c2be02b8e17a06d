"""Writes the generated pages of docs/: commands, settings, the schema of `show --json`. `make docs`."""

from pathlib import Path
from typing import Any

import typer

from pipeline.cli.app import app
from pipeline.settings import ENV_PREFIX, FILE_NAME, Settings
from pipeline.workflows.document import json_schema

HERE = Path(__file__).parent
NOTE = "（由 `make docs` 生成，请勿手改）"


def pages() -> dict[str, str]:
    """Text of every generated page by file name."""
    return {"commands.md": commands(), "settings.md": settings(), "show-json.md": show_json()}


def commands() -> str:
    """One section a command: what it does, its arguments and options, its example."""
    group = typer.main.get_command(app)
    sections = [f"# 命令{NOTE}"]
    for path, command in _walk(group, ("callscore",)):
        sections.append(
            f"## `{' '.join(path)}`\n\n{_help(command)}\n\n{_parameters(command)}{command.epilog}"
        )
    return "\n\n".join(sections) + "\n"


def _walk(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    return [found for name, child in children.items() for found in _walk(child, (*path, name))]


def _help(command: Any) -> str:
    return "\n".join(line.strip() for line in (command.help or "").splitlines())


def _parameters(command: Any) -> str:
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    if not rows:
        return ""
    return "\n".join(["| 参数 | 说明 |", "|---|---|", *rows]) + "\n\n"


def _row(parameter: Any) -> str:
    name = (
        ", ".join(parameter.opts)
        if parameter.param_type_name == "option"
        else (parameter.metavar or parameter.name)
    )
    return f"| `{name}` | {parameter.help or ''} |"


def settings() -> str:
    """The table of settings."""
    rows = [
        f"| `{name}` | `{field.default!r}` | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    intro = f"写在当前目录的 `{FILE_NAME}` 里，或设环境变量 `{ENV_PREFIX}<大写名称>`；命令行选项最优先。"
    return "\n".join([f"# 设置{NOTE}", "", intro, "", "| 名称 | 默认值 | 说明 |", "|---|---|---|", *rows, ""])


def show_json() -> str:
    """The fields of the call document, part by part."""
    schema = json_schema()
    intro = "时间都是从录音开头起的毫秒数，概率和把握在 0 到 1 之间。JSON Schema：`callscore show --schema`。"
    parts = [f"# `callscore show --json` 的格式{NOTE}", intro, _part("CallDocument", schema)]
    parts += [_part(name, part) for name, part in schema["$defs"].items()]
    return "\n\n".join(parts) + "\n"


def _part(name: str, schema: dict[str, Any]) -> str:
    rows = [
        f"| `{field}` | {_type(spec)} | {spec.get('description', '')} |"
        for field, spec in schema["properties"].items()
    ]
    return "\n".join([f"## {name}", "", "| 字段 | 类型 | 说明 |", "|---|---|---|", *rows])


def _type(spec: dict[str, Any]) -> str:
    if "$ref" in spec:
        return str(spec["$ref"]).rpartition("/")[2]
    if "anyOf" in spec:
        return " 或 ".join(_type(option) for option in spec["anyOf"])
    if spec.get("type") == "array":
        return f"{_type(spec['items'])} 的列表"
    return str(spec.get("type", ""))


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
