"""Writes what is generated: the pages of docs/, and the JSON Schemas and modelines of rules/. `make docs`."""

import inspect
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from pipeline.account import Role
from pipeline.cli.app import app
from pipeline.detect.detectors import DETECTORS
from pipeline.detect.load import load_ruleset
from pipeline.detect.rule_schema import FOLDER, Kind, schema_text, stamped
from pipeline.detect.schema import RuleFile
from pipeline.settings import ENV_PREFIX, FILE_NAME, Settings
from pipeline.workflows import requirements
from pipeline.workflows.accounts.policy import Action, scope
from pipeline.workflows.document import json_schema

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "pipeline" / "detect" / "detectors" / "examples"
KINDS = {"boolean": "true、false", "integer": "整数", "number": "数字", "string": "文字"}
LIMITS = {"exclusiveMinimum": "大于", "minimum": "至少", "exclusiveMaximum": "小于", "maximum": "最多"}
NOTE = "（由 `make docs` 生成，请勿手改）"


def pages() -> dict[str, str]:
    """Text of every generated page by file name."""
    return {
        "commands.md": commands(),
        "detectors.md": detectors(),
        "requirements.md": required(),
        "roles.md": roles(),
        "scorecards.md": scorecards(),
        "settings.md": settings(),
        "show-json.md": show_json(),
    }


def required() -> str:
    """Every requirement of the written standards with its scorecard item."""
    standards = (HERE / "standards.md").read_text(encoding="utf-8")
    return requirements.page(standards, load_ruleset(HERE.parent / "rules"), NOTE)


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
    intro = (
        f"写在当前目录的 `{FILE_NAME}` 里，或设环境变量 `{ENV_PREFIX}<大写名称>`；命令行选项最优先。"
        "写错的名字不收，并给出最接近的。"
    )
    return "\n".join([f"# 设置{NOTE}", "", intro, "", "| 名称 | 默认值 | 说明 |", "|---|---|---|", *rows, ""])


ROLES = """每个用户有一个角色。网页的每一个地址都问同一个函数：这个人可以对这件东西做这件事吗？
表里没有的一律不可以。

- **全部**：不管是谁的。
- **本组的**：坐席和自己同一个班组的通话；也包括分给自己的。没有班组的人没有“本组的”。
- **自己的**：质检员是分给自己的；坐席是自己的通话（工号相同），而且评分表已经公布。
- 列出许多东西的页面只列出自己看得到的那些。

还有几条，角色再大也不例外：

- 自己接的通话（工号相同），不能自己复核、采信、更正、公布，也不能答复它的申诉；自己提的申诉不能自己答复。
- 第二份复核由没有评过这通的人来做。
- 规则由没有改过这份草稿的人发布。
- 停用的用户什么也不能做；换了密码、角色或停用，登录着的立即退出。"""


def roles() -> str:
    """Who may do what, as a table of actions and roles."""
    heading = ["", *(f"{role.chinese} `{role}`" for role in Role)]
    rows = [[f"{action.chinese} `{action}`", *(_scope(role, action) for role in Role)] for action in Action]
    lines = ["| " + " | ".join(row) + " |" for row in (heading, ["---"] * len(heading), *rows)]
    return "\n".join([f"# 角色和权限{NOTE}", "", ROLES, "", *lines, ""])


def _scope(role: Role, action: Action) -> str:
    found = scope(role, action)
    return found.chinese if found else "—"


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


def detectors() -> str:
    """One section a detector: what it listens for, its own keys, a rule that works."""
    intro = (
        "每条规则用一个 `detector`，就是听的方法；下面是每种方法自己的键和一条能用的规则。"
        "所有规则都有的键在最后。怎么写规则、说法怎么写，见 [rules.md](rules.md)。"
    )
    rule = json.loads(schema_text(Kind.RULE))
    parts = [f"# 听的方法{NOTE}", intro, *(_detector(name, rule) for name in DETECTORS)]
    parts += ["## 所有规则都有的键", _keys(rule, rule["properties"])]
    return "\n\n".join(parts) + "\n"


def _detector(name: str, rule: dict[str, Any]) -> str:
    told = inspect.getdoc(DETECTORS[name].parameters) or ""
    own = rule["definitions"][f"detector_{name}"]
    common = {info.alias or key for key, info in RuleFile.model_fields.items()}
    keys = [key for key in own["properties"] if key not in common]
    parts = [f"## {name}", told, *([_keys({**rule, **own}, keys)] if keys else [])]
    example = (EXAMPLES / f"{name}.yml").read_text(encoding="utf-8")
    return "\n\n".join((*parts, f"```yaml\n{example}```"))


def _keys(schema: dict[str, Any], names: Iterable[str]) -> str:
    rows = [_key(name, schema) for name in names if name in schema["properties"]]
    return "\n".join(["| 键 | 写什么 | 不写时 | 意思 |", "|---|---|---|---|", *rows])


def _key(name: str, schema: dict[str, Any]) -> str:
    spec = schema["properties"][name]
    unset = f"`{_plain(spec['default'])}`" if spec.get("default", "") != "" else ""
    unset = "**必须写**" if name in schema["required"] else unset
    return f"| `{name}` | {_value(spec, schema)} | {unset} | {spec.get('description', '')} |"


def _plain(value: Any) -> str:
    """A value as a rule file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _value(spec: dict[str, Any], schema: dict[str, Any]) -> str:
    """What may be written, for people."""
    if "$ref" in spec:
        part = schema["definitions"][spec["$ref"].rpartition("/")[2]]
        return "、".join(f"`{key}`" for key in part["properties"]) if "properties" in part else "见上"
    if "anyOf" in spec:
        options = (option for option in spec["anyOf"] if option.get("type") != "null")
        return " 或 ".join(dict.fromkeys(_value(option, schema) for option in options))
    if "allOf" in spec:
        return "条件"
    if "enum" in spec:
        return " ".join(f"`{value}`" for value in spec["enum"])
    if spec.get("type") == "array":
        inner = _value(spec["items"], schema) if isinstance(spec.get("items"), dict) else "值"
        return f"列表：{inner}"
    return f"{KINDS.get(spec.get('type', ''), '值')}{_limits(spec)}"


def _limits(spec: dict[str, Any]) -> str:
    found = [f"{words} {spec[key]:g}" for key, words in LIMITS.items() if key in spec]
    return f"（{'，'.join(found)}）" if found else ""


SCORECARDS = """评分表是 `rules/scorecards/` 里的一个 YAML 文件，照原文印：维度、项目、分值、等级。
从表格开始：`callscore templates new 评分表.xlsx -o rules/scorecards/my_form.yml`；
看现有的：`callscore templates list`、`callscore templates show inbound_100`；
写完检查：`callscore rules lint`。

## 怎么算

- **等级**：从上往下，第一个 `when` 成立的等级算。前面的等级无法判断时，本项待复核，不往下看。
  条件是 `present`、`absent`（规则的 id）和 `all`、`any`、`none`；
  不用于这通电话的规则（方向、业务、日期不合）从条件里去掉。
- **扣分**：从满分往下扣，`per: finding` 每处都扣，`per: call` 只扣一次，`cap` 封顶，扣完为止。
  几条规则听到的是同一处（时间重叠）时只扣一次，按扣得多的那条算；同分的按先说完的算。
  有拿不准的扣分时本项待复核。
- **不适用**的项目不进满分；**加分**（`bonus`）加在总分上，不进满分。
- **待复核、待人工**的项目不给分也不扣分：评分表写明已得、待定，和总分还可能落在的范围。
- **总分**：`total: points` 各项相加；`total: weighted` 各维度平均分乘权重相加。折合到 `full`
  （印的 101 分折合成 100），一位小数，四舍五入。
- **一票否决**：成立时全表或一个维度零分；听不准时不扣，范围的下限为 0。
- **可直接采信**：每个自动项的把握都不低于 `accept_from`，没有待复核，也没有拿不准的一票否决。
- **复核**：质检员改的等级或分数、判为不实的发现、认定的一票否决，都算进重评的评分表；
  `reviews.combine` 决定几个人的决定取平均还是以最后的为准。
- **选哪张**：`use: always` 里适用的、写得最具体的那张（业务先于方向，方向先于日期）。"""


def scorecards() -> str:
    """How scorecards are written and added up, and every key."""
    schema = json.loads(schema_text(Kind.SCORECARD))
    parts = [f"# 评分表怎么写{NOTE}", SCORECARDS, "## 整张表的键", _keys(schema, schema["properties"])]
    for title, model in SCORECARD_PARTS.items():
        part = schema["definitions"][model]
        parts += [f"## {title}", _keys({**schema, **part}, part["properties"])]
    return "\n\n".join(parts) + "\n"


SCORECARD_PARTS = {
    "`applies` 的键": "TemplateAppliesFile",
    "`sections` 的键": "SectionFile",
    "`items` 的键": "ItemFile",
    "`levels` 的键": "LevelFile",
    "`deductions` 的键": "DeductionFile",
    "`fatal` 的键": "FatalFile",
    "`target` 的键": "TargetFile",
    "`reviews` 的键": "ReviewsFile",
}


def rule_files() -> dict[Path, str]:
    """The schemas of the rules folder, and its files with their modelines."""
    rules = HERE.parent / "rules"
    schemas = {rules / FOLDER / f"{kind}.json": schema_text(kind) for kind in Kind}
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(rules.rglob("*.y*ml"))}
    return schemas | {path: stamped(str(path.relative_to(rules)), text) for path, text in texts.items()}


if __name__ == "__main__":
    written = {HERE / name: text for name, text in pages().items()} | rule_files()
    for path, text in written.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
