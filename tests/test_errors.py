"""What people are told when something is wrong is in Chinese, with what to do next."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pipeline

ROOT = Path(pipeline.__file__).parent
TOLD = {"UsageError", "SettingsError", "NotFound", "MetadataError", "Exhausted", "ModelError", "StorageError"}
TOLD |= {"UnreadableRecording", "BadInput", "RuleError", "PatternError"}
HAN, WORDS = re.compile("[\u4e00-\u9fff]"), re.compile("^(?!callscore|pip install)[A-Za-z]{2,} [A-Za-z]{2,}")


def literals(node: ast.expr) -> str:
    found = (part for part in ast.walk(node) if isinstance(part, ast.Constant))
    return "".join(part.value for part in found if isinstance(part.value, str))


def told(call: ast.Call) -> Iterator[str]:
    yield from (literals(argument) for argument in call.args[:1])
    yield from (literals(keyword.value) for keyword in call.keywords if keyword.arg == "hint")


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TOLD:
            yield node


def test_every_error_that_people_read_is_in_chinese() -> None:
    english = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {text}"
        for path in sorted(ROOT.rglob("*.py"))
        for call in calls(path)
        for text in told(call)
        if WORDS.search(text) and not HAN.search(text)
    ]
    assert english == []
