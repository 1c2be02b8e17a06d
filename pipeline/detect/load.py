"""The rules folder -> RuleSet. Every fault of every file is told at once, with line and column."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.detect import engine
from pipeline.detect.detectors import DETECTORS
from pipeline.detect.document import (
    Document,
    Location,
    decode,
    keys_at,
    nearest,
    one_of_these,
    read,
    unknown_id,
    unknown_key,
)
from pipeline.detect.pattern import SLOTS
from pipeline.detect.plain_yaml import MOST_BYTES
from pipeline.detect.schema import GuardFile, RuleFile, WordsFile
from pipeline.detect.templates import Reader
from pipeline.errors import NotFound, RuleError
from pipeline.ruleset import Case, Rule, RuleSet, Severity, Status
from pipeline.template import Template
from pipeline.timeline import Role
from pipeline.wanted import quoted

SCORECARDS = "scorecards"
GUARDS = "guards"
WORDS = "words"
ID = re.compile(r"^id:[ ]*[\"']?([\w.]+)", re.MULTILINE)
"""Where a file says which id it has."""


def load_ruleset(folder: Path) -> RuleSet:
    """The rules, guards and scorecards under `folder`.

    Raises NotFound: no such folder. RuleError: its message lists every fault of every file.
    """
    ruleset, faults = examine(folder)
    _raise(faults)
    return ruleset


def parse_ruleset(files: Mapping[str, str]) -> RuleSet:
    """The same rule set from stored texts, by path relative to the rules folder. Raises RuleError."""
    ruleset, faults = _build(files)
    _raise(faults)
    return ruleset


def examine(folder: Path) -> tuple[RuleSet, tuple[RuleError, ...]]:
    """What can be read under `folder`, and every fault by path and line. Raises NotFound."""
    files, faults = read_texts(folder)
    ruleset, more = _build(files)
    return ruleset, tuple(sorted((*faults, *more), key=_place))


def examine_texts(files: Mapping[str, str]) -> tuple[RuleSet, tuple[RuleError, ...]]:
    """The same from texts, by path relative to the rules folder."""
    return _build(files)


def digest_of(files: Mapping[str, str]) -> str:
    """sha256 over the sorted paths and texts."""
    hashed = hashlib.sha256()
    for path in sorted(files):
        for part in (path, files[path]):
            data = part.encode()
            hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()


def _raise(faults: Iterable[RuleError]) -> None:
    listed = tuple(faults)
    if not listed:
        return
    first, others = listed[0], listed[1:]
    message = first.message.removeprefix(f"{first.path}:{first.line}:{first.column}: ")
    message = "\n".join((message, *(other.message for other in others)))
    raise RuleError(message, path=first.path, line=first.line, column=first.column)


def _place(fault: RuleError) -> tuple[str, int, int]:
    return fault.path, fault.line, fault.column


def read_texts(folder: Path) -> tuple[dict[str, str], list[RuleError]]:
    """The YAML files under `folder` by relative path, and those that cannot be read. Raises NotFound."""
    if not folder.is_dir():
        raise NotFound(f"{folder}：规则文件夹不存在", hint="检查设置 rules 或 --rules")
    files: dict[str, str] = {}
    faults: list[RuleError] = []
    for path in sorted((*folder.rglob("*.yml"), *folder.rglob("*.yaml"))):
        name = path.relative_to(folder).as_posix()
        try:
            with path.open("rb") as file:
                files[name] = decode(name, file.read(MOST_BYTES + 1))
        except RuleError as error:
            faults.append(error)
        except OSError as error:
            faults.append(
                RuleError(f"发现读不了的文件（{error.strerror}），应为能读的文件；检查权限", path=name)
            )
    return files, faults


@dataclass(slots=True)
class _Reading:
    """What is gathered while the files are read. `written`: every id that a file says it has, readable or
    not, so that one broken file is one fault and not one for each that names it."""

    written: frozenset[str]
    faults: list[RuleError] = field(default_factory=list)
    rules: dict[str, tuple[Rule, Document]] = field(default_factory=dict)
    guards: dict[str, tuple[tuple[str, ...], Document]] = field(default_factory=dict)
    words: dict[str, tuple[tuple[str, ...], Document]] = field(default_factory=dict)
    templates: dict[str, tuple[Template, Document]] = field(default_factory=dict)

    @property
    def context(self) -> dict[str, Any]:
        """What pydantic's validators need to know of other files."""
        return {"words": {name: words for name, (words, _) in self.words.items()}}

    def add(self, into: dict[str, Any], key: str, value: tuple[Any, Document]) -> None:
        """Keep a rule, guard or template; a second one of the same id is a fault."""
        if key in into:
            before = into[key][1].source(("id",))
            message = f"发现 id `{key}` 在 {before} 也有，应为不重复的 id；改掉一个"
            self.faults.append(value[1].error(("id",), message))
        else:
            into[key] = value


def _build(files: Mapping[str, str]) -> tuple[RuleSet, tuple[RuleError, ...]]:
    reading = _Reading(written=frozenset(id_ for text in files.values() for id_ in ID.findall(text)))
    documents = _documents(files, reading)
    for folder, read_one in ((WORDS, _words), (GUARDS, _guard), (None, _rule)):
        for document in documents:
            if _folder(document) == folder:
                read_one(document, reading)
    _link(reading)
    for document in documents:
        if _folder(document) == SCORECARDS:
            _template(document, reading)
    rules = tuple(_guarded(*reading.rules[rule_id], reading) for rule_id in sorted(reading.rules))
    _check_circles(rules, reading)
    ruleset = RuleSet(
        rules=rules,
        templates=tuple(reading.templates[key][0] for key in sorted(reading.templates)),
        files=dict(sorted(files.items())),
        digest=digest_of(files),
        words=reading.context["words"],
    )
    return ruleset, tuple(sorted(reading.faults, key=_place))


def _folder(document: Document) -> str | None:
    """The folder with a meaning of its own in which a file lies; None: it holds a rule."""
    folder = PurePosixPath(document.path).parts[0]
    return folder if folder in (WORDS, GUARDS, SCORECARDS) else None


def _documents(files: Mapping[str, str], reading: _Reading) -> list[Document]:
    documents = []
    for path in sorted(files):
        try:
            documents.append(read(path, files[path]))
        except RuleError as error:
            reading.faults.append(error)
    return documents


def _validated(
    document: Document, reading: _Reading, check: Callable[[], Any], *models: type[BaseModel]
) -> Any:
    try:
        return check()
    except ValidationError as error:
        reading.faults.extend(document.faults(error, *models))
        return None


def _rule(document: Document, reading: _Reading) -> None:
    common = {key: value for key, value in document.values.items() if key in _COMMON}
    own = {key: value for key, value in document.values.items() if key not in _COMMON}
    context = reading.context
    check = lambda: RuleFile.model_validate(common, context=context)  # noqa: E731
    file = _validated(document, reading, check, RuleFile)
    name = document.values.get("detector")
    detector = DETECTORS.get(name) if isinstance(name, str) else None
    if detector is None:
        if isinstance(name, str):
            message = f"发现{quoted(name)}，应为{one_of_these(name, DETECTORS)}"
            reading.faults.append(document.error(("detector",), message))
        elif name is None:
            reading.faults.extend(_misspelled(document, own))
        return
    make = lambda: detector.parameters.model_validate(_tuples(own), context=context)  # noqa: E731
    parameters = _validated(document, reading, make, RuleFile, detector.parameters)
    if file is not None and parameters is not None:
        cases = _cases(document, file, reading)
        reading.add(reading.rules, file.id, (_made(document, file, parameters, cases), document))


_COMMON = keys_at((RuleFile,))
_OWN = keys_at(detector.parameters for detector in DETECTORS.values())


def _misspelled(document: Document, keys: Iterable[str]) -> Iterator[RuleError]:
    """Keys close to those that every rule has and that no detector knows, where none says which it is."""
    for key in keys:
        if key not in _OWN and nearest(key, _COMMON):
            yield document.error((key,), unknown_key(key, _COMMON), key=True)


def _tuples(value: Any) -> Any:
    """Lists as tuples: pydantic's strict mode tells a list from one text that was meant as a list."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _cases(document: Document, file: RuleFile, reading: _Reading) -> tuple[Case, ...]:
    cases = []
    for i, case in enumerate(file.cases):
        if (case.hit is None) == (case.miss is None):
            found = "`hit` 和 `miss` 都没有" if case.hit is None else "`hit` 和 `miss` 都有"
            reading.faults.append(document.error(("cases", i), f"发现 {found}，应为二者之一"))
            continue
        hit = case.hit is not None
        source = document.source(("cases", i, "hit" if hit else "miss"))
        cases.append(Case(hit=hit, text=case.text, source=source))
    return tuple(cases)


def _made(document: Document, file: RuleFile, parameters: object, cases: tuple[Case, ...]) -> Rule:
    return Rule(
        id=file.id,
        title=file.title,
        why=file.why,
        label=file.label,
        category=file.category,
        severity=Severity(file.severity),
        status=Status(file.status),
        detector=file.detector,
        role=None if file.role == "any" else Role(file.role),
        window=file.window.value(),
        applies=file.applies.value(),
        parameters=parameters,
        cases=cases,
        digest=hashlib.sha256(document.text.encode()).hexdigest()[:16],
        source=document.source(("id",)),
        exceptions=tuple(e if isinstance(e, str) else e.value() for e in file.exceptions),
        effective=file.effective.value(),
    )


def _guard(document: Document, reading: _Reading) -> None:
    context = reading.context
    check = lambda: GuardFile.model_validate(document.values, context=context)  # noqa: E731
    file = _validated(document, reading, check, GuardFile)
    if file is not None:
        reading.add(reading.guards, file.id, (file.patterns, document))


def _words(document: Document, reading: _Reading) -> None:
    name = PurePosixPath(document.path).stem
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or name in SLOTS:
        slots = "、".join(SLOTS)
        message = f"发现词表的文件名{quoted(name)}，应为小写字母、数字、下划线，也不是 {slots}；改文件名"
        reading.faults.append(document.error((), message))
        return
    check = lambda: WordsFile.model_validate(document.values)  # noqa: E731
    file = _validated(document, reading, check, WordsFile)
    if file is not None:
        reading.words[name] = (file.words, document)


def _template(document: Document, reading: _Reading) -> None:
    reader = Reader(document, reading.written)
    template = reader.read()
    reading.faults.extend(reader.faults)
    if template is not None:
        reading.add(reading.templates, template.id, (template, document))


def _link(reading: _Reading) -> None:
    """Every rule and guard that a rule names exists, and what scores does not build on drafts."""
    for rule, document in reading.rules.values():
        for need in engine.needs(rule):
            if need not in reading.written:
                message = unknown_id("规则", need, reading.rules)
                reading.faults.append(document.error(_place_of(document, need), message))
            elif rule.status is Status.ACTIVE and _is_draft(reading, need):
                message = f"发现草稿规则 `{need}`，应为 `status: active` 的规则：草稿从不计分"
                reading.faults.append(document.error(_place_of(document, need), message))
        for i, named in enumerate(document.values.get("guards", ())):
            if named not in reading.written:
                message = unknown_id("共用例外", named, reading.guards)
                reading.faults.append(document.error(("guards", i), message))


def _is_draft(reading: _Reading, rule_id: str) -> bool:
    return rule_id in reading.rules and reading.rules[rule_id][0].status is Status.DRAFT


def _place_of(document: Document, named: str) -> Location:
    """Where a rule file names another rule."""
    values = {key: value for key, value in document.values.items() if key not in ("id", "cases")}
    return next(_locations(values, named), ())


def _locations(value: Any, named: str) -> Iterator[Location]:
    if value == named:
        yield ()
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from ((key, *rest) for rest in _locations(part, named))


def _guarded(rule: Rule, document: Document, reading: _Reading) -> Rule:
    """The rule with the patterns of its guards among its exceptions."""
    named = document.values.get("guards") or ()
    lists = (reading.guards[name][0] for name in named if name in reading.guards)
    return replace(rule, exceptions=(*rule.exceptions, *(text for patterns in lists for text in patterns)))


def _check_circles(rules: tuple[Rule, ...], reading: _Reading) -> None:
    try:
        engine.in_order(rules)
    except RuleError as error:
        reading.faults.append(error)
