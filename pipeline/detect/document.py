"""One YAML file of the rules folder with the line and column of everything in it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from pipeline.detect.plain_yaml import MOST_BYTES, load_plain, too_large
from pipeline.errors import RuleError
from pipeline.scope import Source
from pipeline.wanted import KINDS, choices, one_of, quoted, wanted

Location = tuple[str | int, ...]
LIKELY = 60
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
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
_KEYS_AND_VALUES = "键和值，如 `first_seconds: 10`；冒号用半角的，后面空一格"
_EXPECTED = KINDS | {
    "dict_type": _KEYS_AND_VALUES,
    "finite_number": "有限的数",
    "model_type": _KEYS_AND_VALUES,
    "string_too_short": "文字",
    "string_type": "文字；用引号括起来",
    "too_short": "至少一项",
    "tuple_type": "列表；每项前面写 `- `",
}
_ID = "小写字母、数字、下划线，如 "
MOST_KEYS = 5
"""Keys that are named of those that stand where a value should."""


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
        by_place: dict[Location, list[ErrorDetails]] = {}
        for detail in details:
            if not (detail["type"] == "too_short" and detail["loc"] in inner):
                by_place.setdefault(self._real(detail["loc"]), []).append(detail)
        return tuple(self._fault(place, found, models) for place, found in by_place.items())

    def _fault(
        self, location: Location, details: list[ErrorDetails], models: tuple[type[BaseModel], ...]
    ) -> RuleError:
        """What is wrong in one place; more than one detail: it is none of what may stand there."""
        first, name = details[0], str(location[-1]) if location else ""
        match first["type"]:
            case "extra_forbidden":
                known = keys_at(models, location[:-1])
                return self.error(location, unknown_key(name, known), key=True)
            case "missing":
                return self.error(location, f"发现少了 `{name}`，应为必写的键；在这里补上 `{name}:`")
            case "pattern":
                context = first["ctx"]
                return self.error(location, context["message"], offset=context["column"])
            case "too_short" if first["ctx"]["min_length"] > 1:
                has, least = first["ctx"]["actual_length"], first["ctx"]["min_length"]
                message = f"发现 `{name}` 只有 {has} 项，应为至少 {least} 项；再补 {least - has} 项"
                return self.error(location, message)
        if first["input"] in ("", None, [], ()):
            empty = f"空的 `{name}`" if isinstance(location[-1], str) else "空的一项"
            return self.error(location, f"发现{empty}，应为{_expected(details).partition('；')[0]}")
        return self.error(location, f"发现{shown(first['input'])}，应为{_expected(details)}")

    def _real(self, location: Location) -> Location:
        """The location without the parts that pydantic adds for unions."""
        node: Any = self.values
        kept: list[str | int] = []
        for i, part in enumerate(location):
            inside = isinstance(node, dict) and part in node
            if inside or (isinstance(node, list) and isinstance(part, int) and part < len(node)):
                node = node[part]
            elif i < len(location) - 1 or not isinstance(node, dict):
                continue
            kept.append(part)
        return tuple(kept)


@lru_cache(maxsize=512)
def read(path: str, text: str) -> Document:
    """Parse one file; those that were read last stay in memory, for a folder is read anew with every save.
    Raises RuleError: not YAML, a part of YAML that is refused, or not keys and values."""
    root = load_plain(path, text)
    if root is None:
        raise RuleError("发现空的文件，应为 `id:` 等键；照同一文件夹里别的文件写", path=path)
    if not isinstance(root, CommentedMap):
        raise RuleError(f"发现{shown(_plain(root))}，应为 `id:` 这样的键", path=path)
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
        guess = " UTF-16 " if data[:2] in _UTF_16 else " GBK/GB18030 " if _is_gb(data) else "别的"
        message = f"发现{guess}编码的文字，应为 UTF-8；把文件另存为 UTF-8"
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


def shown(value: Any) -> str:
    """A value as it was found, to stand behind “发现”."""
    match value:
        case bool():
            return f" {str(value).lower()}（是非值）"
        case int() | float():
            return f" {value}（数字）"
        case str():
            return quoted(value)
        case list() | tuple():
            return "列表"
        case dict():
            return _shown_keys(tuple(value))
    return "空白"


def _shown_keys(keys: tuple[str, ...]) -> str:
    named = "、".join(f"`{key}`" for key in keys[:MOST_KEYS]) + ("……" if len(keys) > MOST_KEYS else "")
    return f"键 {named}" if named else "一个键也没有"


def _expected(details: list[ErrorDetails]) -> str:
    """What was expected, to stand behind “应为”."""
    first = details[0]
    if first["type"] == "string_pattern_mismatch":
        return _ID + ("`area.name`" if "." in first["ctx"]["pattern"] else "`my_form`")
    listed = "，或".join(wanted(detail, _EXPECTED) for detail in details)
    known = [choice for detail in details for choice in choices(detail)]
    return listed + did_you_mean(str(first["input"]), known)


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


def unknown_key(found: str, known: Iterable[str]) -> str:
    """What is told of a key that may not stand where it does."""
    return f"发现键 `{found}`，应为{one_of_these(found, known)}"


def unknown_id(kind: str, found: str, known: Iterable[str]) -> str:
    """What is told of an id that nothing of a kind has: “规则”, for one."""
    slip = "；逗号要用半角的" if set(found) & set("，、") else ""
    return f"发现{kind} `{found}` 不存在，应为已有{kind}的 id{slip or did_you_mean(found, known)}"


def one_of_these(found: str, known: Iterable[str]) -> str:
    """What may stand in a place, and which of it is meant; to stand behind “应为”."""
    listed = sorted(known)
    return f"{one_of(listed)}{did_you_mean(found, listed)}"


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """`；是不是想写 `phrases`？` when something known is meant."""
    meant = nearest(found, known)
    return suggestion(meant) if meant else ""


def suggestion(meant: str) -> str:
    """What is meant, perhaps; to stand at the end."""
    return f"；是不是想写 `{meant}`？"


def nearest(found: str, known: Iterable[str]) -> str:
    """What is known and spelled alike, or what the Chinese word says; empty: nothing."""
    if (meant := _CHINESE.get(found)) and meant in (known := tuple(known)):
        return meant
    near = process.extractOne(found, sorted(known), scorer=fuzz.ratio, score_cutoff=LIKELY)
    return near[0] if near else ""
