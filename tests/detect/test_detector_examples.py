"""The example rule of each detector, printed on the page docs/detectors.md, works."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.detect import detectors
from pipeline.detect.cases import missing_cases, run_cases
from pipeline.detect.detectors import DETECTORS
from pipeline.detect.engine import with_needs
from pipeline.detect.load import load_ruleset, parse_ruleset
from pipeline.resources import shipped_rules
from pipeline.settings import Settings
from pipeline.workflows.check_rules import prepared

EXAMPLES = Path(detectors.__file__).parent / "examples"


def test_every_detector_has_an_example() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yml")} >= set(DETECTORS)


def test_every_detector_says_in_chinese_what_it_listens_for() -> None:
    told = {name: detector.parameters.__doc__ or "" for name, detector in DETECTORS.items()}
    assert [name for name, text in told.items() if not re.search("[\u4e00-\u9fff]{3}", text)] == []


@pytest.mark.parametrize("name", DETECTORS)
def test_the_example_of_a_detector_works(name: str, tmp_path: Path) -> None:
    text = (EXAMPLES / f"{name}.yml").read_text(encoding="utf-8")
    shipped = load_ruleset(shipped_rules()).files
    bare = {path: re.sub(r"(?ms)^cases:.*", "", kept) for path, kept in shipped.items()}
    ruleset = parse_ruleset({**bare, f"example/{name}.yml": text})
    (rule,) = (rule for rule in ruleset.rules if rule.source.path.startswith("example/"))
    assert rule.detector == name
    assert not missing_cases([rule])
    only = replace(ruleset, rules=with_needs(ruleset, rule))
    assert not run_cases(*prepared(Settings(cache=str(tmp_path)), only))
