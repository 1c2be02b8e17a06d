"""One YAML file of the rules folder with the line and column of everything in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from rapidfuzz import fuzz, process
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.errors import RuleError
from pipeline.ruleset import Source

Location = tuple[str | int, ...]
LIKELY = 60
_KINDS = {str: "text", bool: "yes or no", int: "a number", float: "a number", list: "a list", dict: "keys"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`values` is plain data (dict, list, str, int, float, bool, None); `root` knows the positions."""

    path: str
    text: str
    root: CommentedMap
    values: dict[str, Any]

    def source(self, location: Location = (), *, key: bool = False) -> Source:
        """Where a value (or its key) was written; the nearest enclosing place for what is missing."""
        line, column = _position(self.root, location, key=key)
        return Source(path=self.path, line=line + 1, column=column + 1)

    def error(self, location: Location, message: str, *, key: bool = False, offset: int = 0) -> RuleError:
        """A fault at a place in this file; `offset` counts characters into a text value."""
        source = self.source(location, key=key)
        column = source.column
        if offset:
            line = self.text.splitlines()[source.line - 1]
            column += offset + (line[column - 1 : column] in ("'", '"'))
        return RuleError(message, path=self.path, line=source.line, column=column)

    def faults(self, error: ValidationError, known: Iterable[str] = ()) -> tuple[RuleError, ...]:
        """Every fault that pydantic found, in the words of the rule files."""
        details = error.errors()
        inner = {detail["loc"][:i] for detail in details for i in range(1, len(detail["loc"]))}
        shown = (d for d in details if not (d["type"] == "too_short" and d["loc"] in inner))
        return tuple(self._fault(detail, tuple(known)) for detail in shown)

    def _fault(self, detail: Any, known: tuple[str, ...]) -> RuleError:
        location = self._real(detail["loc"])
        name, found = (str(location[-1]) if location else ""), detail["input"]
        match detail["type"]:
            case "extra_forbidden":
                return self.error(location, f"found key `{name}`, expected {_one_of(known, name)}", key=True)
            case "missing":
                return self.error(location, f"found no `{name}`, expected `{name}:` here")
            case "enum" | "literal_error":
                allowed = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
                return self.error(location, f"found {_shown(found)}, expected {_one_of(allowed, str(found))}")
            case "pattern":
                context = detail["ctx"]
                return self.error(location, context["message"], offset=context["column"])
            case "too_short":
                return self.error(location, f"found an empty `{name}`, expected at least one entry")
            case "tuple_type":
                return self.error(location, f"found {_shown(found)}, expected a list, `- ` before each entry")
            case "string_pattern_mismatch":
                message = f"found {_shown(found)}, expected small letters as in `area.name`"
                return self.error(location, message)
            case "string_type":
                return self.error(location, f"found {_shown(found)}, expected text; put it in quotes")
        return self.error(location, f"found {_shown(found)}, expected: {detail['msg']}")

    def _real(self, location: Location) -> Location:
        """The location without the parts that pydantic adds for unions."""
        node: Any = self.values
        kept: list[str | int] = []
        for i, part in enumerate(location):
            inside = isinstance(node, dict) and part in node
            if inside or (isinstance(node, list) and isinstance(part, int) and part < len(node)):
                node = node[part]
            elif i < len(location) - 1:
                continue
            kept.append(part)
        return tuple(kept)


def read(path: str, text: str) -> Document:
    """Parse one file. Raises RuleError: not YAML, empty, duplicate keys, or not keys and values."""
    try:
        root = _yaml().load(text)
    except MarkedYAMLError as error:
        raise _syntax(path, text, error) from error
    except YAMLError as error:
        message = " ".join(str(error).split())
        raise RuleError(f"found text that is not YAML ({message}), expected YAML", path=path) from error
    if root is None:
        raise RuleError("found an empty file, expected `id:` and the other keys", path=path)
    if not isinstance(root, CommentedMap):
        raise RuleError(f"found {_shown(_plain(root))}, expected keys such as `id:`", path=path)
    return Document(path=path, text=text, root=root, values=_plain(root))


class _Texts(RoundTripConstructor):
    """Days stay as they are written; whoever expects a day checks it."""


_Texts.add_constructor("tag:yaml.org,2002:timestamp", lambda maker, node: maker.construct_scalar(node))


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.Constructor = _Texts
    return yaml


def decode(path: str, data: bytes) -> str:
    """The text of a rule file. Raises RuleError: not UTF-8."""
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        guess = "GBK/GB18030" if _is_gb(data) else "another encoding"
        message = f"found text in {guess}, expected UTF-8; save the file as UTF-8"
        raise RuleError(message, path=path, line=line, column=column) from error


def _is_gb(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _syntax(path: str, text: str, error: MarkedYAMLError) -> RuleError:
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    if mark and mark.line >= len(lines) and error.context_mark:
        mark = error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    problem = " ".join(str(error.problem or "found text that is not YAML").splitlines()[0].split())
    if line < len(lines) and lines[line][column : column + 1] == "\t":
        problem = "found a tab, expected spaces"
    elif line < len(lines) and re.match(r"\s*- *[\[{]", lines[line]):
        problem = "found a text that begins with [ or {, expected quotes around it"
    elif duplicate := re.search(r'found duplicate key "([^"]*)"', problem):
        problem = f"found key `{duplicate[1]}` a second time, expected each key once"
    elif "expected" not in problem:
        problem += ", expected YAML"
    return RuleError(problem, path=path, line=line + 1, column=column + 1)


def _position(node: Any, location: Location, *, key: bool) -> tuple[int, int]:
    at = (node.lc.line, node.lc.col)
    for i, part in enumerate(location):
        if isinstance(node, CommentedMap) and part in node:
            last = key and i == len(location) - 1
            at = node.lc.key(part) if last else node.lc.value(part)
            node = node[part]
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            at = node.lc.item(part)
            node = node[part]
        else:
            break
    return at[0], at[1]


def _plain(node: Any) -> Any:
    """ruamel's values as plain Python ones."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return None if node is None else str(node)


def _shown(value: Any) -> str:
    kind = _KINDS.get(type(value), "nothing")
    return (
        f"{value!r} ({kind})"
        if isinstance(value, bool | int | float)
        else (repr(value) if isinstance(value, str) else kind)
    )


def _one_of(allowed: Iterable[str], found: str) -> str:
    listed = sorted(allowed)
    return f"one of {', '.join(listed)}{did_you_mean(found, listed)}"


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """`; did you mean `phrases`?` when something known is spelled alike, else nothing."""
    nearest = process.extractOne(found, sorted(known), scorer=fuzz.ratio, score_cutoff=LIKELY)
    return f"; did you mean `{nearest[0]}`?" if nearest else ""
