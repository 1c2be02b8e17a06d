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
    some = [sentence for sentence in read if sentence.group == group]
    counts = wordings().measure(some, ways=("按音", "按音加意思"))
    return {name: float(found[group].shares()[2]) for name, found in counts.items()}


@pytest.mark.parametrize(
    ("group", "least"), [("【禁语】", 0.88), ("【开场要素】", 0.84), ("【结束要素】", 0.96)]
)
def test_unseen_wordings_are_found_as_well_as_before(group: str, least: float) -> None:
    assert f1(group)["按音加意思"] >= least


def test_meaning_finds_much_that_sound_alone_does_not() -> None:
    assert f1("【禁语】")["按音加意思"] >= f1("【禁语】")["按音"] + 0.1


def test_what_recognition_damages_is_found_by_its_meaning_more_than_by_its_sound() -> None:
    read = wordings().read(ROOT / "tests/data/unseen.tsv")
    some = [sentence for sentence in read if sentence.group == "【禁语】"][::3]
    found = {name: counts["【禁语】"] for name, counts in wordings().measure(some, 101).items()}
    share = {name: float(count.shares()[2]) for name, count in found.items()}
    assert share["按音加意思"] >= 0.75
    assert share["按音加意思"] >= share["按音"] + 0.15 >= share["原字"] + 0.15
