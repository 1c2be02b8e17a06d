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

MOST_BYTES = 1 << 20
MOST_LEVELS = 20


class Refused(MarkedYAMLError):
    """YAML, but not for rule files."""


class _Composer(Composer):
    """Nodes of one document without the parts that are refused."""

    def compose_document(self) -> Any:
        start = self.parser.peek_event()
        if start.version or start.tags:
            _refuse("a line that begins with %", "none: rule files have no directives", start)
        return super().compose_document()

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent):
            _refuse(f"the alias *{event.anchor}", "the value itself, written out", event)
        if event.anchor is not None:
            _refuse(f"the anchor &{event.anchor}", "the value itself, written out where it is used", event)
        if event.tag is not None:
            _refuse(f"the tag {event.tag}", "a value without a tag; put text in quotes", event)
        if isinstance(event, CollectionStartEvent) and self.depth >= MOST_LEVELS:
            _refuse(f"more than {MOST_LEVELS} levels of nesting", f"at most {MOST_LEVELS}", event)
        if isinstance(parent, MappingNode) and index is None:
            _check_key(event)
        if isinstance(event, ScalarEvent) and event.style in (None, "'", '"'):
            _check_lines(event)
        return super().compose_node(parent, index)


class _Constructor(RoundTripConstructor):
    """Values. Days stay as they are written; what looks like a number and is none is told with its place."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            problem = f"found {_short(node.value)}, expected a number; put text in quotes"
            raise Refused(None, None, problem, node.start_mark) from error


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda maker, node: maker.construct_scalar(node))


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
        message = f"found the control character #{error.character:02x}, expected text"
        raise RuleError(message, path=path, line=line, column=column) from error
    except YAMLError as error:
        message = " ".join(str(error).split())
        raise RuleError(f"found text that is not YAML ({message}), expected YAML", path=path) from error


def too_large(path: str) -> RuleError:
    """The fault of a file over the limit."""
    message = f"found a file over {MOST_BYTES >> 20} MiB, expected a rule file; split it into several"
    return RuleError(message, path=path)


def _refuse(found: str, expected: str, event: Event) -> None:
    raise Refused(None, None, f"found {found}, expected {expected}", event.start_mark)


def _check_key(event: Event) -> None:
    if not isinstance(event, ScalarEvent):
        _refuse("a list or keys in the place of a key", "a name and a colon, as in `id: `", event)
    elif event.value == "<<" and event.style is None:
        _refuse("the merge key <<", "the keys themselves, written out", event)
    elif event.value.lower() in ("", "~", "null") and event.style is None:
        _refuse("a key without a name", "a name and a colon, as in `id: `", event)


def _check_lines(event: ScalarEvent) -> None:
    """A text that goes on in the next line mostly swallowed it."""
    if event.start_mark.line == event.end_mark.line:
        return
    if event.style is None:
        found = f"a text that goes on in line {event.start_mark.line + 2}"
        _refuse(
            found, "the next entry or key there, with the spaces of its like; `|` for several lines", event
        )
    _refuse("a quote that is not closed in its line", "its partner; `|` for several lines", event)


def _short(text: str, most: int = 40) -> str:
    return repr(text if len(text) <= most else f"{text[:most]}…")


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
    (r"(?:\s*- +)?[a-z_]+(：)", "found a full-width colon, expected `: `, a colon and a space"),
    (r"\s*-(?=[^\s-])()", "found `-` and a word together, expected a space between them"),
    (r"\s*- *([\[{])", "found a text that begins with [ or {, expected quotes around it"),
)
"""Slips by which a line, or the one before it, is no YAML; the group says where."""
_EXPLAINED = (
    (r"found another document", "found a second document after `---`, expected one rule in each file"),
    (
        r"mapping values are not allowed",
        "found a colon out of place, expected quotes around the text, or the same spaces as the line above",
    ),
    (r"unexpected end of stream", "found a quote that is never closed, expected its partner"),
    (r"could not find expected ':'", "found a line without a colon, expected `key: value`"),
    (
        r"expected <block end>, but found '-'",
        "found a list entry out of place, expected it below a key, with the spaces of the other entries",
    ),
    (
        r"expected <block end>, but found",
        "found a line that is not in line with those above, expected the same number of spaces",
    ),
    (r"cannot start any token", "found a text that begins with a special sign, expected quotes around it"),
)
"""What ruamel says about the mistakes that are made most, in plainer words."""


def _problem(error: MarkedYAMLError, written: str, column: int) -> str:
    problem = " ".join(str(error.problem or "found text that is not YAML").splitlines()[0].split())
    if written[column : column + 1] == "\t":
        return "found a tab, expected spaces"
    if duplicate := re.search(r'found duplicate key "([^"]*)"', problem):
        return f"found key `{duplicate[1]}` a second time, expected each key once"
    for pattern, explained in _EXPLAINED:
        if re.search(pattern, problem):
            return explained
    return problem if "expected" in problem else f"{problem}, expected YAML"
