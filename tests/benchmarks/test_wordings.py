"""Sentences that no rule was written against are found at least as well as when they were measured."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@cache
def wordings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wordings", ROOT / "benchmarks/wordings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wordings"] = module
    spec.loader.exec_module(module)
    return module


@cache
def f1(group: str) -> dict[str, float]:
    """By way of matching; the plain ones are what people would use instead."""
    read = wordings().read(ROOT / "tests/data/unseen.tsv")
    counts = wordings().measure([sentence for sentence in read if sentence.group == group])
    return {name: float(found[group].shares()[2]) for name, found in counts.items()}


@pytest.mark.parametrize(
    ("group", "least"), [("【禁语】", 0.88), ("【开场要素】", 0.84), ("【结束要素】", 0.96)]
)
def test_unseen_wordings_are_found_as_well_as_before(group: str, least: float) -> None:
    assert f1(group)["按音加意思"] >= least


def test_meaning_finds_much_that_sound_alone_does_not() -> None:
    assert f1("【禁语】")["按音加意思"] >= f1("【禁语】")["按音"] + 0.1
