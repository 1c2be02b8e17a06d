"""The JSON Schemas for editors say what the models say, and every shipped file names its own."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from pipeline.detect.detectors import DETECTORS
from pipeline.detect.document import read
from pipeline.detect.load import load_ruleset
from pipeline.detect.rule_schema import FOLDER, Kind, modeline, schema_text, stamped
from pipeline.resources import shipped_rules

FILES = load_ruleset(shipped_rules()).files
RULE = """id: a.rule
title: 标题
label: forbidden
why: 因为
detector: phrase
phrases: [不归我们管]
"""


def validator(kind: Kind) -> Draft7Validator:
    return Draft7Validator(json.loads(schema_text(kind)))


def complaints(text: str, kind: Kind = Kind.RULE) -> list[str]:
    return [error.message for error in validator(kind).iter_errors(read("a.yml", text).values)]


@pytest.mark.parametrize("kind", Kind)
def test_the_shipped_schema_is_up_to_date(kind: Kind) -> None:
    shipped = (shipped_rules() / FOLDER / f"{kind}.json").read_text(encoding="utf-8")
    assert shipped == schema_text(kind), "run `make docs`"
    Draft7Validator.check_schema(json.loads(shipped))


def test_every_shipped_file_begins_with_a_modeline_that_leads_to_its_schema() -> None:
    for path, text in FILES.items():
        assert text == stamped(path, text), f"{path}: run `make docs`"
        target = text.splitlines()[0].partition("$schema=")[2]
        assert ((shipped_rules() / path).parent / target).resolve().is_file(), path


def test_every_shipped_file_fits_its_schema() -> None:
    validators = {kind: validator(kind) for kind in Kind}
    for path, text in FILES.items():
        kind = Kind(Path(text.splitlines()[0].partition("$schema=")[2]).stem)
        errors = validators[kind].iter_errors(read(path, text).values)
        assert [error.message for error in errors] == [], path


@pytest.mark.parametrize(
    ("found", "written"),
    [
        ("phrases:", "phrase:"),
        ("title:", "titel:"),
        ("[不归我们管]", "不归我们管"),
        ("[不归我们管]", "[]"),
        ("detector: phrase", "detector: phrases"),
        ("a.rule", "A.Rule"),
        ("why: 因为\n", ""),
        ("why: 因为", "why: 因为\nseverity: mayor"),
        ("why: 因为", "why: 因为\nwindow: {first_turn: 3}"),
        ("why: 因为", "why: 因为\napplies: {direction: inbond}"),
        ("why: 因为", "why: 因为\ncases: [{}]"),
        ("why: 因为", "why: 因为\nmusic: true"),
    ],
)
def test_a_slip_in_a_rule_does_not_fit(found: str, written: str) -> None:
    assert complaints(RULE) == []
    assert found in RULE
    assert complaints(RULE.replace(found, written))


def test_one_direction_and_a_list_of_them_both_fit() -> None:
    for written in ("inbound", "[inbound, outbound]"):
        assert complaints(f"{RULE}applies: {{direction: {written}, business: 银行}}\n") == []


@pytest.mark.parametrize(
    "condition", ["always", "{present: a.rule}", "{all: [{absent: a.b}, {any: [always]}]}"]
)
def test_conditions_of_a_scorecard_fit(condition: str) -> None:
    assert complaints(scorecard(condition), Kind.SCORECARD) == []


@pytest.mark.parametrize("condition", ["never", "{presnt: a.rule}", "{all: []}", "{present: a, absent: b}"])
def test_slips_in_the_conditions_of_a_scorecard_do_not_fit(condition: str) -> None:
    assert complaints(scorecard(condition), Kind.SCORECARD)


def scorecard(condition: str) -> str:
    level = f"{{title: 好, points: 1, when: {condition}}}"
    item = f"{{id: a, title: 项, points: 1, fill: auto, levels: [{level}]}}"
    return f"id: form\ntitle: 表\nversion: 1\nsections: [{{title: 段, items: [{item}]}}]\n"


def test_every_key_of_every_detector_is_explained_to_the_editor() -> None:
    definitions: dict[str, Any] = json.loads(schema_text(Kind.RULE))["definitions"]
    for name, detector in DETECTORS.items():
        for key, info in detector.parameters.model_fields.items():
            spec = definitions[f"detector_{name}"]["properties"][info.alias or key]
            assert spec.get("description"), f"{name}: {key}"


def test_a_modeline_is_put_first_once() -> None:
    once = stamped("a/b/c.yml", "id: a.rule\n")
    assert once == f"{modeline('a/b/c.yml')}\nid: a.rule\n"
    assert modeline("a/b/c.yml") == "# yaml-language-server: $schema=../../.schema/rule.json"
    assert modeline("guards/c.yml").endswith("../.schema/guard.json")
    assert modeline("c.yml").endswith("$schema=./.schema/rule.json")
    assert stamped("a/b/c.yml", once) == once
