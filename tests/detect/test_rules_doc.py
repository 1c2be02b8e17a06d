"""docs/rules.md holds rules that work as printed."""

import re
from pathlib import Path

import pytest

from pipeline.detect.cases import run_cases
from pipeline.detect.detectors import DETECTORS
from pipeline.detect.load import load_ruleset, parse_ruleset
from pipeline.detect.schema import CaseFile, EffectiveFile, RuleFile, WindowFile, WindowNearFile, WordsFile
from pipeline.resources import shipped_rules

DOCUMENT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
RULES = [text for text in EXAMPLES if "detector:" in text]


@pytest.mark.parametrize("text", RULES, ids=lambda text: str(text).splitlines()[0])
def test_every_rule_in_the_documentation_works(text: str) -> None:
    files = {
        path: kept for path, kept in load_ruleset(shipped_rules()).files.items() if "scorecards" not in path
    }
    shipped = {path: re.sub(r"(?ms)^cases:.*", "", kept) for path, kept in files.items()}
    assert not run_cases(parse_ruleset({**shipped, "doc/example.yml": text}))
    assert "hit:" in text
    assert "miss:" in text


def test_every_key_is_documented() -> None:
    own = (detector.parameters for detector in DETECTORS.values())
    models = (RuleFile, WindowFile, WindowNearFile, EffectiveFile, CaseFile, WordsFile, *own)
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert {key for key in keys if f"`{key}`" not in DOCUMENT and f"{key}:" not in DOCUMENT} == set()
    assert [name for name in DETECTORS if name not in DOCUMENT] == []
