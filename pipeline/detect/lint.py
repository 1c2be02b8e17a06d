"""All mistakes of a rules folder, for people: files, references, circles and malformed cases."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.detect.load import examine
from pipeline.detect.script import ScriptError, call_of
from pipeline.errors import RuleError
from pipeline.ruleset import RuleSet


def lint(folder: Path) -> tuple[RuleError, ...]:
    """Every fault by path and line; none when all is well. Raises NotFound: no such folder."""
    ruleset, faults = examine(folder)
    return tuple(sorted((*faults, *_malformed_cases(ruleset)), key=lambda f: (f.path, f.line, f.column)))


def _malformed_cases(ruleset: RuleSet) -> Iterator[RuleError]:
    for rule in ruleset.rules:
        for case in rule.cases:
            try:
                call_of(case.text)
            except ScriptError as error:
                source = case.source
                yield RuleError(str(error), path=source.path, line=source.line, column=source.column)
