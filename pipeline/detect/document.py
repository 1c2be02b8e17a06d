"""One YAML file of the rules folder with the line and column of everything in it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from rapidfuzz import fuzz, process
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from pipeline.detect.plain_yaml import MOST_BYTES, load_plain, too_large
from pipeline.errors import RuleError
from pipeline.scope import Source

Location = tuple[str | int, ...]
LIKELY = 60
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_KINDS = {str: "text", bool: "yes or no", int: "a number", float: "a number", list: "a list", dict: "keys"}
_CHINESE = {
    "坐席": "agent",
    "客服": "agent",
    "客户": "customer",
    "呼入": "inbound",
    "呼出": "outbound",
    "轻微": "minor",
    "一般": "minor",
    "严重": "major",
    "致命": "fatal",
    "草稿": "draft",
}
_LIMITS = {"gt": "greater than", "ge": "of at least", "lt": "less than", "le": "of at most"}
_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "keys and values, as in `first_seconds: 10`",
    "finite_number": "a number that ends",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "model_type": "keys and values, as in `first_seconds: 10`",
    "string_pattern_mismatch": "small letters as in `area.name`",
    "string_too_short": "text",
    "string_type": "text; put it in quotes",
    "too_short": "at least one entry",
    "tuple_type": "a list, `- ` before each entry",
}


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

    def faults(self, error: ValidationError, *models: type[BaseModel]) -> tuple[RuleError, ...]:
        """Every fault that pydantic found, in the words of the rule files; `models` say which keys exist."""
        details = error.errors()
        inner = {detail["loc"][:i] for detail in details for i in range(1, len(detail["loc"]))}
        shown = (d for d in details if not (d["type"] == "too_short" and d["loc"] in inner))
        faults = (self._fault(detail, models) for detail in shown)
        return tuple({fault.message: fault for fault in faults}.values())

    def _fault(self, detail: Any, models: tuple[type[BaseModel], ...]) -> RuleError:
        location = self._real(detail["loc"])
        name, found = (str(location[-1]) if location else ""), detail["input"]
        match detail["type"]:
            case "extra_forbidden":
                known = keys_at(models, location[:-1])
                return self.error(location, f"found key `{name}`, expected {one_of(known, name)}", key=True)
            case "missing":
                return self.error(location, f"found no `{name}`, expected `{name}:` here")
            case "pattern":
                context = detail["ctx"]
                return self.error(location, context["message"], offset=context["column"])
        if detail["type"] == "too_short" and detail["ctx"]["min_length"] > 1:
            counts = detail["ctx"]
            message = f"found {counts['actual_length']} entries in `{name}`, expected at least "
            return self.error(location, message + str(counts["min_length"]))
        if found in ("", None, [], ()):
            empty = f"`{name}`" if isinstance(location[-1], str) else "entry"
            expected = _expected(detail).partition(";")[0]
            return self.error(location, f"found an empty {empty}, expected{expected}")
        return self.error(location, f"found {_shown(found)}, expected{_expected(detail)}")

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


@lru_cache(maxsize=512)
def read(path: str, text: str) -> Document:
    """Parse one file; those that were read last stay in memory, for a folder is read anew with every save.
    Raises RuleError: not YAML, a part of YAML that is refused, or not keys and values."""
    root = load_plain(path, text)
    if root is None:
        raise RuleError("found an empty file, expected `id:` and the other keys", path=path)
    if not isinstance(root, CommentedMap):
        raise RuleError(f"found {_shown(_plain(root))}, expected keys such as `id:`", path=path)
    return Document(path=path, text=text, root=root, values=_plain(root))


def decode(path: str, data: bytes) -> str:
    """The text of a rule file. Raises RuleError: too large, or not UTF-8."""
    if len(data) > MOST_BYTES:
        raise too_large(path)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        guess = "UTF-16" if data[:2] in _UTF_16 else "GBK/GB18030" if _is_gb(data) else "another encoding"
        message = f"found text in {guess}, expected UTF-8; save the file as UTF-8"
        raise RuleError(message, path=path, line=line, column=column) from error


def _is_gb(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _position(node: Any, location: Location, *, key: bool) -> tuple[int, int]:
    at = (node.lc.line, node.lc.col)
    for i, part in enumerate(location):
        if isinstance(node, CommentedMap) and part in node:
            last = key and i == len(location) - 1
            at = node.lc.key(part) if last or node[part] is None else node.lc.value(part)
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


def _expected(detail: Any) -> str:
    """What was expected, after a blank; what a model says of its own comes after a colon."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in ("enum", "literal_error"):
        allowed = re.findall(r"'([^']*)'", context["expected"])
        return f" {one_of(allowed, str(detail['input'])) if allowed else context['expected']}"
    for key, words in _LIMITS.items():
        if key in context:
            return f" a number {words} {context[key]:g}"
    return f" {_EXPECTED[kind]}" if kind in _EXPECTED else f": {detail['msg']}"


def keys_at(models: Iterable[type[BaseModel]], location: Location = ()) -> tuple[str, ...]:
    """The keys that may stand at a place of a file which `models` describe."""
    here = tuple(models)
    for part in location:
        inner = [m for model in here for m in _inner_models(_fields(model).get(str(part)))]
        here = tuple(inner) or here
    return tuple(dict.fromkeys(name for model in here for name in _fields(model)))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _inner_models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _inner_models(inner)


def one_of(allowed: Iterable[str], found: str) -> str:
    """`one of a, b; did you mean `a`?`: what may stand in a place."""
    listed = sorted(allowed)
    return f"one of {', '.join(listed)}{did_you_mean(found, listed)}"


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """`; did you mean `phrases`?` when something known is spelled alike or is what the Chinese word says."""
    if _CHINESE.get(found) in (known := tuple(known)):
        return f"; did you mean `{_CHINESE[found]}`?"
    nearest = process.extractOne(found, sorted(known), scorer=fuzz.ratio, score_cutoff=LIKELY)
    return f"; did you mean `{nearest[0]}`?" if nearest else ""
