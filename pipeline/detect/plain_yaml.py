"""The part of YAML that rule files use: keys, lists and plain values, nothing that can grow or run.

Refused, each with its place: aliases and anchors, tags, merge keys, directives, a second document, keys
that are not text, files over 1 MiB, and nesting over 20 levels.
"""

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionStartEvent, Event, ScalarEvent
from ruamel.yaml.nodes import MappingNode
from ruamel.yaml.reader import ReaderError

from pipeline.errors import RuleError
from pipeline.wanted import quoted, spaced

MOST_BYTES = 1 << 20
MOST_LEVELS = 20
STANDARD = "tag:yaml.org,2002:"
"""What a tag begins with that is written as `!!`."""


class Refused(MarkedYAMLError):
    """YAML, but not for rule files."""


class _Composer(Composer):
    """Nodes of one document without the parts that are refused."""

    def compose_document(self) -> Any:
        start = self.parser.peek_event()
        if start.version or start.tags:
            _refuse("以 % 开头的一行", "规则的键；删掉这一行，或给文字加引号", start)
        return super().compose_document()

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent):
            _refuse(f"别名 *{event.anchor}", "值本身；照写一遍，以 * 开头的文字加引号", event)
        if event.anchor is not None:
            _refuse(f"锚点 &{event.anchor}", "值本身；用到它的地方照写一遍，以 & 开头的文字加引号", event)
        if event.tag is not None:
            tag = event.tag.replace(STANDARD, "!!")
            _refuse(f"标签 {tag}", "不带标签的值；以 ! 开头的文字加引号", event)
        if isinstance(event, CollectionStartEvent) and self.depth >= MOST_LEVELS:
            _refuse(f"超过 {MOST_LEVELS} 层的嵌套", f"最多 {MOST_LEVELS} 层", event)
        if isinstance(parent, MappingNode) and index is None:
            _check_key(event)
        if isinstance(event, ScalarEvent) and event.style in (None, "'", '"'):
            _check_lines(event, in_brackets=bool(parent and parent.flow_style))
        return super().compose_node(parent, index)


class _Constructor(RoundTripConstructor):
    """Values. Days stay as they are written; what looks like a number and is none is told with its place."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            problem = f"发现{quoted(node.value)}，应为数；是文字就加引号"
            raise Refused(None, None, problem, node.start_mark) from error


_Constructor.add_constructor(f"{STANDARD}timestamp", lambda maker, node: maker.construct_scalar(node))


def load_plain(path: str, text: str) -> Any:
    """The document with ruamel's positions, None for an empty one. Raises RuleError."""
    if len(text.encode()) > MOST_BYTES:
        raise too_large(path)
    yaml = YAML(typ="rt")
    yaml.Composer, yaml.Constructor = _Composer, _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        raise _syntax(path, text, error) from error
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1
        message = f"发现控制字符 #{error.character:02x}，应为文字；删掉它"
        raise RuleError(message, path=path, line=line, column=column) from error
    except YAMLError as error:
        raise RuleError(NO_YAML, path=path) from error


def too_large(path: str) -> RuleError:
    """The fault of a file over the limit."""
    message = f"发现超过 {MOST_BYTES >> 20} MiB 的文件，应为规则文件；分成几个文件"
    return RuleError(message, path=path)


def _refuse(found: str, expected: str, event: Event) -> None:
    raise Refused(None, None, f"发现{spaced(found)}，应为{spaced(expected)}", event.start_mark)


_NAMED = "名称加冒号，如 `id: `"


def _check_key(event: Event) -> None:
    if not isinstance(event, ScalarEvent):
        _refuse("列表或键写在键的位置上", _NAMED, event)
    elif event.value == "<<" and event.style is None:
        _refuse("合并键 <<", "键本身；照写一遍", event)
    elif event.value.lower() in ("", "~", "null") and event.style is None:
        _refuse("没有名称的键", _NAMED, event)


_OPEN = ("没有写完的括号", "成对的括号、逗号隔开，如 `[甲, 乙]`；项多就一行一项")


def _check_lines(event: ScalarEvent, *, in_brackets: bool) -> None:
    """A text that goes on in the next line mostly swallowed it."""
    if event.start_mark.line == event.end_mark.line:
        return
    if event.style is None and in_brackets:
        _refuse(*_OPEN, event)
    if event.style is None:
        found = f"文字连到了第 {event.start_mark.line + 2} 行"
        _refuse(found, "下一项或下一个键；和同类的缩进对齐，文字真有几行就用 `|`", event)
    _refuse("引号在本行没有另一半", "成对的引号；文字真有几行就用 `|`", event)


def _syntax(path: str, text: str, error: MarkedYAMLError) -> RuleError:
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    begun = "could not find expected ':'" in str(error.problem)
    if mark and error.context_mark and (begun or mark.line >= len(lines)):
        mark = error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if isinstance(error, Refused):
        return RuleError(str(error.problem), path=path, line=line + 1, column=column + 1)
    for number in (line, line - 1):
        for pattern, explained in _SLIPS if 0 <= number < len(lines) else ():
            if slip := re.match(pattern, lines[number]):
                return RuleError(explained, path=path, line=number + 1, column=slip.start(1) + 1)
    problem = _problem(error, lines[line] if line < len(lines) else "", column)
    return RuleError(problem, path=path, line=line + 1, column=column + 1)


_SLIPS = (
    (r"\s*(?:- +)?[a-z_]+(：)", "发现全角冒号，应为半角冒号加一个空格 `: `"),
    (r"\s*(?:- +)?[a-z_]+(:)(?=\S)", "发现冒号和文字连在一起，应为中间有一个空格"),
    (r"\s*-(?=[^\s-])()", "发现 `-` 和文字连在一起，应为中间有一个空格"),
    (r"\s*- *([\[{])", "发现以 [ 或 { 开头的文字，应为引号里的文字；给整句加引号"),
)
"""Slips by which a line, or the one before it, is no YAML; the group says where."""
NO_YAML = "发现不合 YAML 的写法，应为 `键: 值` 或 `- 一项`；对照上下几行的缩进、引号和冒号"
_EXPLAINED = (
    (r"found another document", "发现 `---` 之后还有一份，应为一个文件一条规则；分成两个文件"),
    (
        r"mapping values are not allowed",
        "发现位置不对的冒号，应为引号里的文字，或与上一行一样的缩进；给整句加引号，或对齐",
    ),
    (r"unexpected (end of stream|document separator)", "发现引号一直没有另一半，应为成对的引号"),
    (r"could not find expected ':'", "发现没有冒号的一行，应为 `键: 值` 或 `- 一项`"),
    (r"expected <block end>, but found '-'", "发现位置不对的一项，应为写在键的下面、和别的项对齐"),
    (r"expected <block end>, but found", "发现没有和上面对齐的一行，应为和同级的键一样多的空格"),
    (r"cannot start any token", "发现以特殊符号开头的文字，应为引号里的文字；给整句加引号"),
    (r"unknown escape|hexdecimal", "发现双引号里的反斜杠，应为单引号里的文字；把双引号换成单引号"),
    (r"expected ',' or", f"发现{_OPEN[0]}，应为{_OPEN[1]}"),
    (r"(entries|keys) are not allowed", "发现位置不对的一项，应为另起一行，和同级的对齐"),
    (r"chomping|a comment or a line break", "发现 `|` 或 `>` 后面还有字，应为另起一行、多缩进几格的文字"),
    (r"more indented follow up", "发现 `|` 或 `>` 下面的文字缩进不一，应为同样多的空格"),
)
"""What ruamel says about the mistakes that are made most, in plainer words."""


def _problem(error: MarkedYAMLError, written: str, column: int) -> str:
    problem = str(error.problem or error.context)
    if written[column : column + 1] == "\t":
        return "发现制表符，应为空格；用空格缩进"
    if duplicate := re.search(r'found duplicate key "([^"]*)"', problem):
        return f"发现键 `{duplicate[1]}` 写了第二遍，应为每个键只写一次"
    if problem.startswith("mapping values") and re.fullmatch(r"\s+[a-z_]+", written[:column]):
        return "发现往右多缩进的键，应为和上面的键一样多的空格"
    for pattern, explained in _EXPLAINED:
        if re.search(pattern, problem):
            return explained
    return NO_YAML
