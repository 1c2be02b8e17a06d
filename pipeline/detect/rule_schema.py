"""JSON Schemas of the files in the rules folder, made from the models that check them, for editors."""

import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pipeline.detect.detectors import DETECTORS
from pipeline.detect.detectors.metadata import MetadataParameters
from pipeline.detect.detectors.response import ResponseParameters
from pipeline.detect.load import GUARDS, SCORECARDS, WORDS
from pipeline.detect.schema import (
    AppliesFile,
    CaseFile,
    GuardFile,
    RuleFile,
    WordsFile,
)
from pipeline.detect.template_schema import FatalFile, ItemFile, LevelFile, TemplateAppliesFile, TemplateFile

FOLDER = ".schema"
"""Inside the rules folder; nothing in it is read as a rule."""
DIALECT = "http://json-schema.org/draft-07/schema#"
REF = "#/definitions/{model}"
Schema = dict[str, Any]


class Kind(StrEnum):
    """What a file of the rules folder may be."""

    RULE = "rule"
    SCORECARD = "scorecard"
    GUARD = "guard"
    WORDS = "words"


_FOLDERS = {GUARDS: Kind.GUARD, SCORECARDS: Kind.SCORECARD, WORDS: Kind.WORDS}


def schema_text(kind: Kind) -> str:
    """The schema of one kind of file as JSON."""
    return json.dumps(_MAKERS[kind](), ensure_ascii=False, indent=1) + "\n"


def modeline(path: str) -> str:
    """The first line that a file at `path`, relative to the rules folder, has for editors."""
    folders = PurePosixPath(path).parts[:-1]
    kind = _FOLDERS.get(folders[0] if folders else "", Kind.RULE)
    up = "../" * len(folders) or "./"
    return f"# yaml-language-server: $schema={up}{FOLDER}/{kind}.json"


def stamped(path: str, text: str) -> str:
    """The text with its modeline first."""
    lines = text.splitlines(keepends=True)
    rest = lines[1:] if lines and lines[0].startswith("# yaml-language-server:") else lines
    return "".join((modeline(path) + "\n", *rest))


def _rule() -> Schema:
    """Keys that all rules have; which others there are, and which of all must be, the detector says."""
    parameters = {name: detector.parameters for name, detector in DETECTORS.items()}
    definitions = _definitions((RuleFile, *parameters.values()))
    common = definitions.pop(RuleFile.__name__)
    own = {name: definitions[model.__name__] for name, model in parameters.items()}
    for model in parameters.values():
        definitions.pop(model.__name__, None)
    choices = [_choice(name) for name in own]
    named = {f"detector_{name}": _together(common, own[name], name) for name in own}
    properties = common["properties"] | {"detector": _detector(common, enum=list(own))}
    head = {"title": "callscore 规则", "type": "object", "required": common["required"]}
    body = {"properties": properties, "allOf": choices}
    return {"$schema": DIALECT, **head, **body, "definitions": definitions | named}


def _choice(name: str) -> Schema:
    chosen = {"properties": {"detector": {"const": name}}, "required": ["detector"]}
    return {"if": chosen, "then": {"$ref": REF.format(model=f"detector_{name}")}}


def _together(common: Schema, own: Schema, name: str) -> Schema:
    shared = {key: {"$ref": f"#/properties/{key}"} for key in common["properties"]}
    properties = {**shared, **own.get("properties", {})}
    return {
        "type": "object",
        "properties": properties | {"detector": _detector(common, const=name)},
        "required": [*common["required"], *own.get("required", ())],
        "additionalProperties": False,
    }


def _detector(common: Schema, **values: Any) -> Schema:
    return {**common["properties"]["detector"], **values}


def _scorecard() -> Schema:
    return _single(TemplateFile, "callscore 评分表")


def _guard() -> Schema:
    return _single(GuardFile, "callscore 共用的例外")


def _words() -> Schema:
    return _single(WordsFile, "callscore 词表")


def _single(model: type[BaseModel], title: str) -> Schema:
    definitions = _definitions((model,))
    return {"$schema": DIALECT, **definitions.pop(model.__name__), "title": title, "definitions": definitions}


def _definitions(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    listed = [(model, "validation") for model in dict.fromkeys(models)]
    _, made = models_json_schema(listed, by_alias=True, ref_template=REF)  # type: ignore[arg-type]
    definitions: dict[str, Any] = made["$defs"]
    for name, adjust in _ADJUSTED.items():
        if name in definitions:
            adjust(definitions, definitions[name])
    bare: dict[str, Any] = _bare(definitions)
    return bare


def _one_or_several(_: dict[str, Any], part: Schema) -> None:
    """One text stands for a list of one."""
    for name, spec in part["properties"].items():
        if spec.get("type") == "array":
            told = {"description": spec.pop("description", "")}
            part["properties"][name] = {"anyOf": [spec["items"], spec], **told}


def _hit_or_miss(_: dict[str, Any], case: Schema) -> None:
    case["oneOf"] = [{"required": ["hit"]}, {"required": ["miss"]}]


def _conditions(definitions: dict[str, Any], _: Schema) -> None:
    """What the conditions of a scorecard look like."""
    condition = {"$ref": REF.format(model="Condition")}
    leaf = {"type": "string", "description": "一条规则的 id"}
    node = {"type": "array", "items": condition, "minItems": 1}
    leaves = {"present": leaf, "absent": leaf, "all": node, "any": node, "none": node}
    tree = {"type": "object", "properties": leaves, "additionalProperties": False}
    one = {**tree, "minProperties": 1, "maxProperties": 1}
    definitions["Condition"] = {"anyOf": [{"const": "always"}, one, {"type": "null"}]}
    for model, key in ((LevelFile, "when"), (ItemFile, "applicable"), (FatalFile, "when")):
        told = definitions[model.__name__]["properties"][key].get("description", "")
        definitions[model.__name__]["properties"][key] = {"allOf": [condition], "description": told}


def _bare(value: Any) -> Any:
    """Without what pydantic adds and no editor needs: titles, docstrings, defaults that say nothing."""
    if isinstance(value, list):
        return [_bare(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {key: _bare(inner) for key, inner in value.items() if not _is_noise(key, inner, value)}


def _is_noise(key: str, inner: Any, around: dict[str, Any]) -> bool:
    if key == "default":
        return inner is None or isinstance(inner, dict | list)
    hidden = ("title", "description") if "properties" in around else ("title",)
    return key in hidden and not isinstance(inner, dict)


_ADJUSTED: Mapping[str, Callable[[dict[str, Any], Schema], None]] = {
    AppliesFile.__name__: _one_or_several,
    TemplateAppliesFile.__name__: _one_or_several,
    MetadataParameters.__name__: _one_or_several,
    ResponseParameters.__name__: _one_or_several,
    CaseFile.__name__: _hit_or_miss,
    LevelFile.__name__: _conditions,
}
_MAKERS: Mapping[Kind, Callable[[], Schema]] = {
    Kind.RULE: _rule,
    Kind.SCORECARD: _scorecard,
    Kind.GUARD: _guard,
    Kind.WORDS: _words,
}
