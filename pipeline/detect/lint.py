"""All mistakes of a rules folder, for people: files, references, circles and cases."""

from pathlib import Path

from pipeline.detect.load import faults_of
from pipeline.errors import RuleError


def lint(folder: Path) -> tuple[RuleError, ...]:
    """Every fault by path and line; none when the folder loads. Raises NotFound: no such folder."""
    return faults_of(folder)
