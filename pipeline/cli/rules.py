"""`callscore rules ...`: test, check and tune the rule files."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.bar import bar
from pipeline.cli.files import Force, check_new, save
from pipeline.cli.options import Rules, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.cli.tuning import register as register_tuning
from pipeline.detect.cases import CaseFailure, failure_of, missing_cases
from pipeline.detect.lint import CHECKS, Level, Notice, lint_texts, notice_of
from pipeline.detect.load import examine_texts
from pipeline.detect.rule_schema import Kind, schema_text
from pipeline.errors import RuleError, UsageError
from pipeline.ruleset import Case, Rule
from pipeline.workflows.check_rules import Chosen, choose, prepared

RunCase = Callable[[Rule, Case], CaseFailure | None]
STYLES = {Level.ERROR: "red", Level.WARNING: "yellow", Level.ACCEPTED: "dim"}

app = typer.Typer(
    help="规则文件：跑用例、检查、试改动。", no_args_is_help=True, epilog="例：callscore rules test"
)

Files = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILE]...", help="只看这些规则文件或文件夹；不写就是全部。")
]


@app.command("test", epilog="例：callscore rules test rules/forbidden/shirking.yml")
def run(files: Files = None, rules: Rules = None) -> None:
    """跑每条规则自带的用例：该听出来的要听出来，不该报的不许报。

    没有 hit 或没有 miss 的规则也算不通过。不在规则文件夹里的文件，顶替 id 相同的规则。
    """
    settings = load(SettingsOptions(rules=rules))
    chosen = choose(settings, files or ())
    ruleset, faults = examine_texts(chosen.texts)
    if faults := (*chosen.faults, *faults):
        _list_faults(chosen, faults)
        _say(f"{len(faults)} 处写错，先改好再跑用例。")
        raise typer.Exit(1)
    tested = [rule for rule in ruleset.rules if rule.source.path in chosen]
    if not tested:
        raise UsageError("这里没有规则", hint="给出规则文件，例如 rules/forbidden/shirking.yml")
    lacking = missing_cases(tested)
    _list_faults(chosen, lacking)
    taught, prepare = prepared(settings, ruleset)
    wrong = list(_wrong_cases(chosen, tested, lambda rule, case: failure_of(taught, rule, case, prepare)))
    for line in wrong:
        _say(line)
    _say(_summary(tested, wrong=len(wrong), bare=len({fault.path for fault in lacking})))
    raise typer.Exit(1 if wrong or lacking else 0)


def _list_faults(chosen: Chosen, faults: Iterable[RuleError]) -> None:
    for fault in faults:
        _say(f"{chosen.shown(fault.path)}{fault.message.removeprefix(fault.path)}")


def _wrong_cases(chosen: Chosen, tested: list[Rule], run_case: RunCase) -> Iterator[str]:
    """Every case that does not hold, as it is told."""
    pairs = [(rule, case) for rule in tested for case in rule.cases]
    with bar("用例", len(pairs)) as advance:
        for rule, case in pairs:
            try:
                told = str(run_case(rule, case) or "")
            except RuleError as error:
                told = error.message
            if told:
                yield f"{chosen.shown(case.source.path)}{told.removeprefix(case.source.path)}"
            advance()


def _summary(tested: list[Rule], *, wrong: int, bare: int) -> str:
    cases = [case for rule in tested for case in rule.cases]
    hits = sum(case.hit for case in cases)
    faulty = [f"{wrong} 个用例不符"] if wrong else []
    faulty += [f"{bare} 条规则缺用例"] if bare else []
    counts = f"{len(tested)} 条规则，{len(cases)} 个用例（该命中 {hits}，不许误报 {len(cases) - hits}）"
    return f"{counts}：{'，'.join(faulty) or '全部通过'}。"


@app.command("lint", epilog="例：callscore rules lint rules/forbidden")
def lint(
    files: Files = None,
    strict: Annotated[bool, typer.Option("--strict", help="有警告也算不通过。")] = False,
    accepted: Annotated[bool, typer.Option("--accepted", help="也列出已说明的警告和理由。")] = False,
    rules: Rules = None,
) -> None:
    """检查规则文件，一次列出全部错误和警告，每条指明文件、行、列，写了什么，该写什么。

    错误让规则不能用或判错，退出码 1。警告供你斟酌：重复、被盖住、太短、太慢、平常话里也有的说法，过期的规则。
    斟酌过、就该这样的，在那一行后面写 # lint: 名称 理由，以后只计数；毛病没了，会提醒你删掉。
    只看一部分文件时，仍和全部规则对照。
    """
    chosen = choose(load(SettingsOptions(rules=rules)), files or ())
    notices = [notice for notice in _linted(chosen) if notice.source.path in chosen]
    for level in (*([Level.ACCEPTED] if accepted else []), Level.WARNING, Level.ERROR):
        _list(chosen, [notice for notice in notices if notice.level is level], level)
    counts = Counter(notice.level for notice in notices)
    seen = sum(path in chosen for path in chosen.texts)
    told = f"，{counts[Level.ACCEPTED]} 个已说明" if counts[Level.ACCEPTED] else ""
    _say(f"{seen} 个文件：{counts[Level.ERROR]} 个错误，{counts[Level.WARNING]} 个警告{told}。")
    raise typer.Exit(1 if counts[Level.ERROR] or (strict and counts[Level.WARNING]) else 0)


def _linted(chosen: Chosen) -> tuple[Notice, ...]:
    with bar("检查", len(CHECKS)) as advance:
        found = lint_texts(chosen.texts, date.today(), advance)
    return tuple(sorted((*map(notice_of, chosen.faults), *found), key=lambda notice: notice.order))


def _list(chosen: Chosen, notices: list[Notice], level: Level) -> None:
    if not notices:
        return
    console().print(level.chinese, style=STYLES[level])
    for notice in notices:
        source = notice.source
        why = f"：{notice.reason}" if notice.reason else ""
        place = f"{chosen.shown(source.path)}:{source.line}:{source.column}"
        _say(f"{place}: {notice.message} [{notice.check}]{why}")
    _say("")


@app.command("schema", epilog="例：callscore rules schema -o rules/.schema/rule.json")
def schema(
    kind: Annotated[Kind, typer.Option("--kind", help="规则、评分表、共用的例外，或词表。")] = Kind.RULE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="写进文件；不写就打印。")] = None,
    force: Force = False,
) -> None:
    """规则文件的 JSON Schema，编辑器据此补全和检查。

    规则文件的第一行写 # yaml-language-server: $schema=../.schema/rule.json 就能用。
    """
    text = schema_text(kind)
    if output is None:
        typer.echo(text, nl=False)
        return
    check_new(output, force=force)
    save(output, text)


def _say(text: str) -> None:
    console().print(text, markup=False, soft_wrap=True)


register_tuning(app)
