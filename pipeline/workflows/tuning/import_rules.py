"""A word list -> rule files with cases, and rule files -> a word list."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pypinyin import lazy_pinyin

from pipeline.detect import engine
from pipeline.detect.cases import run_cases
from pipeline.detect.load import examine_texts
from pipeline.detect.pattern import Char, Choice, Gap, Node, Pause, Slot, parse
from pipeline.detect.script import call_of
from pipeline.errors import UsageError
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Call
from pipeline.workflows.tuning.edit import written
from pipeline.workflows.tuning.sources import by_itself
from pipeline.workflows.tuning.wordlist import Entry, RowFault, WordList

SLOT_SAMPLES = {
    "amount": "三百块钱",
    "name": "小刘",
    "number": "一零二一",
    "org": "恒通",
    "surname": "王",
    "time": "明天",
}
_LABEL = re.compile(r"[a-z][a-z0-9_]*")
_SLUG = re.compile(r"[^a-z0-9_]+")
_TITLES = {"minor": "轻微", "major": "严重", "fatal": "致命"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How rules are made of a list. `role`: whose words count, `label`: what the rules say about a call."""

    label: str = "forbidden"
    role: str = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Rule files by path in the rules folder, and what could not be used."""

    files: Mapping[str, str]
    entries: int
    faults: tuple[RowFault, ...]


def import_rules(words: WordList, plan: Plan) -> Imported:
    """One rule for each category (and severity, where a category has several), every phrase with a case that
    it passes. Status draft: nothing scores before somebody has looked. Raises UsageError: a label that cannot
    be part of an id."""
    if not _LABEL.fullmatch(plan.label):
        raise UsageError(
            f"--label：发现“{plan.label}”，应为小写字母、数字和下划线", hint="例：--label forbidden"
        )
    tested = [_tested(entry, plan) for entry in words.entries]
    faults = [fault for _, fault in tested if fault]
    kept = [entry for entry, fault in tested if not fault]
    files: dict[str, str] = {}
    for (category, severity), entries in _grouped(kept).items():
        alone = len({e.severity for e in kept if e.category == category}) == 1
        name = _unique(_slug(category) + ("" if alone else f"_{severity}"), files, plan)
        title = category if alone else f"{category}（{_TITLES[severity]}）"
        why = f"词表“{words.path.name}”里的“{category}”。"
        files[f"{plan.label}/{name}.yml"] = rule_file(f"{plan.label}.{name}", title, why, entries, plan)
    return Imported(
        files=files,
        entries=len(kept),
        faults=tuple(sorted((*words.faults, *faults), key=lambda fault: fault.row)),
    )


def write_rules(imported: Imported, folder: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Write the files. Raises UsageError: one is there already, and `force` was not said."""
    paths = tuple(folder / name for name in imported.files)
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise UsageError(f"已经有 {'、'.join(there)}", hint="换一个文件夹，或加 --force 覆盖")
    for path, text in zip(paths, imported.files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths


def _grouped(entries: Iterable[Entry]) -> dict[tuple[str, str], list[Entry]]:
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.category, entry.severity), []).append(entry)
    return groups


def _slug(category: str) -> str:
    """A category as part of an id: letters stay, characters become pinyin. `推诿` -> `tuiwei`."""
    plain = _SLUG.sub("_", "".join(lazy_pinyin(category.lower()))).strip("_")
    return plain if plain and plain[0].isalpha() else f"c_{plain}".rstrip("_")


def _unique(name: str, files: Mapping[str, str], plan: Plan) -> str:
    number, unique = 2, name
    while f"{plan.label}/{unique}.yml" in files:
        unique, number = f"{name}_{number}", number + 1
    return unique


# cases


def _tested(entry: Entry, plan: Plan) -> tuple[Entry, RowFault | None]:
    """The entry with the sentence that its case says, and why that case would fail, if it would."""
    sentence = entry.example or spoken(entry.phrase)
    heard = replace(entry, example=sentence)
    text = rule_file("list.phrase", "x", "x", [heard], plan)
    ruleset, faults = examine_texts({"list/phrase.yml": text})
    if faults:
        return heard, RowFault(row=entry.row, message=f"“{entry.phrase}”：{faults[0].message}")
    if run_cases(ruleset):
        what = f"例句“{entry.example}”里听不到" if entry.example else "照着念也听不到"
        return heard, RowFault(row=entry.row, message=f"{what}“{entry.phrase}”")
    return heard, None


def spoken(phrase: str) -> str:
    """One way to say a pattern: the first of every choice, nothing in a gap."""
    return _said(parse(phrase).nodes)


def _said(nodes: Sequence[Node]) -> str:
    return "".join(_node(node) for node in nodes)


def _node(node: Node) -> str:
    match node:
        case Char(char):
            return char
        case Pause():
            return "，"
        case Slot(name):
            return SLOT_SAMPLES.get(name, "")
        case Choice(options):
            return _said(options[0])
        case Gap():
            return ""
    return ""


def rule_file(rule_id: str, title: str, why: str, entries: Sequence[Entry], plan: Plan) -> str:
    first = entries[0]
    hits = [f'  - hit: "{_role(plan)} 3.0 {_sentence(entry.example)}"' for entry in entries]
    miss = f'  - miss: "{_other(plan)} 3.0 {_sentence(spoken(first.phrase))}"'
    lines = [
        f"id: {rule_id}",
        f"title: {written(title)}",
        f"label: {plan.label}",
        f"category: {rule_id.partition('.')[2]}",
        f"why: {written(why)}",
        f"severity: {first.severity}",
        "status: draft",
        "detector: phrase",
        f"role: {plan.role}",
        "phrases:",
        *(f"  - {written(entry.phrase)}" for entry in entries),
        "cases:",
        *hits,
        miss,
    ]
    return "\n".join(lines) + "\n"


def _role(plan: Plan) -> str:
    return {"agent": "坐席", "customer": "客户"}[plan.role]


def _other(plan: Plan) -> str:
    return {"agent": "客户", "customer": "坐席"}[plan.role]


def _sentence(text: str) -> str:
    clean = " ".join(text.replace("\\", " ").replace('"', "”").split())
    return clean if clean[-1:] in "。！？!?" else f"{clean.rstrip('，,')}。"


# export


def export_entries(ruleset: RuleSet, *, label: str | None = None) -> Iterator[Entry]:
    """Every phrase of the phrase rules as a row, with the first case of its rule that it finds by itself."""
    row = 1
    for rule in ruleset.rules:
        if label not in (None, rule.label):
            continue
        cases = tuple(_sentences(rule))
        for phrase in getattr(rule.parameters, "phrases", ()):
            row += 1
            yield Entry(
                row=row,
                category=rule.title,
                phrase=phrase,
                severity=rule.severity.value,
                example=_example(by_itself(rule, ruleset), phrase, cases),
            )


def _sentences(rule: Rule) -> Iterator[tuple[str, Call]]:
    """The cases that are one turn: their words, and the call."""
    for case in rule.cases:
        words = case.text.split(maxsplit=2)
        if case.hit and len(case.text.splitlines()) == 1 and len(words) == 3:
            yield words[2], call_of(case.text)


def _example(alone: RuleSet, phrase: str, cases: Iterable[tuple[str, Call]]) -> str:
    (rule,) = alone.rules
    parameters: Any = rule.parameters
    only = {"phrases": (phrase,), "regex": (), "require": "any", "none_of": ()}
    changed = replace(rule, parameters=parameters.model_copy(update=only), exceptions=())
    ruleset = replace(alone, rules=(changed,))
    hits = (words for words, call in cases if _present(engine.run(call, ruleset)))
    return next(hits, "")


def _present(findings: Iterable[Finding]) -> bool:
    return any(finding.outcome is Outcome.PRESENT for finding in findings)
