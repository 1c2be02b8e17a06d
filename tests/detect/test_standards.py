"""docs/standards.md: every demand of the written standards has a rule that hears it, or a reason why not."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.detect import engine
from pipeline.detect.detectors import DETECTORS
from pipeline.detect.load import load_ruleset
from pipeline.detect.script import call_of
from pipeline.findings import Outcome
from pipeline.resources import shipped_rules
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Direction, Role

DOCUMENT = (Path(__file__).parents[2] / "docs" / "standards.md").read_text(encoding="utf-8")
BY_HAND = "需人工"
STANDARDS = ("评分标准", "百分制", "监控管理办法", "服务标准", "质量标准", "监控模板")
HARMFUL = ("forbidden", "security", "taboo")
"""Labels of what an agent should not say."""


class Demand(NamedTuple):
    """A row: where it is written, what it asks for, the rules that hear it, how an agent says it."""

    place: str
    wanted: str
    rules: tuple[str, ...]
    by_hand: bool
    said: tuple[str, ...]
    told: str


def demand(line: str) -> Demand:
    place, wanted, rules, last = (cell.strip() for cell in line.strip("| ").split("|"))
    named = tuple(re.findall(r"`([^`]+)`", rules))
    return Demand(place, wanted, named, rules == BY_HAND, tuple(re.findall(r"“([^”]+)”", last)), last)


@cache
def demands() -> tuple[Demand, ...]:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("|")]
    return tuple(demand(line) for line in rows if not line.startswith(("|---", "| 出处")))


@cache
def shipped() -> RuleSet:
    return load_ruleset(shipped_rules())


def spoken_rules(row: Demand) -> tuple[Rule, ...]:
    """The rules of a row that hear words of the agent."""
    rules = [rule for rule in map(shipped().rule, row.rules) if rule]
    return tuple(rule for rule in rules if rule.detector == "phrase" and rule.role is Role.AGENT)


def found(said: str, rules: tuple[Rule, ...], *, role: str = "坐席") -> set[str]:
    """Ids of the rules that find something when the sentence is all that is said in a call."""
    outbound = any(rule.applies.directions == (Direction.OUTBOUND,) for rule in rules)
    text = f"# direction {'outbound' if outbound else 'inbound'}\n# duration 60\n{role} 20.0 {said}"
    some = RuleSet(rules=rules, templates=(), files={}, digest="")
    return {f.rule_id for f in engine.run(call_of(text), some) if f.outcome is Outcome.PRESENT}


SPOKEN = [row for row in demands() if row.said and not row.by_hand]


@pytest.mark.parametrize("row", SPOKEN, ids=lambda row: f"{row.place}:{row.wanted}")
def test_what_a_standard_names_is_found_in_the_agents_words_alone(row: Demand) -> None:
    rules = spoken_rules(row)
    heard = {said: found(said, rules) for said in row.said}
    assert all(heard.values()), heard
    assert {rule.id for rule in rules} == {rule_id for ids in heard.values() for rule_id in ids}
    assert not any(found(said, rules, role="客户") for said in row.said)


def test_recommended_words_are_no_taboo() -> None:
    harmful = tuple(rule for rule in shipped().rules if rule.label in HARMFUL and rule.detector == "phrase")
    wanted = [row for row in SPOKEN if not any(r.label in (*HARMFUL, "argument") for r in spoken_rules(row))]
    assert len(wanted) > 50
    assert not {said: ids for row in wanted for said in row.said if (ids := found(said, harmful))}


def test_ordinary_service_talk_is_no_taboo() -> None:
    lines = (Path(__file__).parents[1] / "data" / "ordinary.txt").read_text(encoding="utf-8").splitlines()
    labels = ("security", "taboo", "argument")
    harmful = tuple(r for r in shipped().rules if r.label in labels and r.detector == "phrase")
    said = [line for line in lines if line and not line.startswith("#")]
    assert len(said) > 250
    assert not {line: ids for line in said if (ids := found(line, harmful))}


def test_every_rule_named_by_the_table_is_shipped() -> None:
    named = set(re.findall(r"`([a-z0-9_]+\.[a-z0-9_]+)`", DOCUMENT))
    assert len(named) > 60
    assert not {rule_id for rule_id in named if shipped().rule(rule_id) is None}


def test_every_demand_has_a_rule_or_a_reason() -> None:
    assert not [row for row in demands() if bool(row.rules) == row.by_hand or not row.told]


def test_what_a_detector_can_measure_is_not_left_to_the_inspector() -> None:
    left = [row for row in demands() if row.by_hand]
    assert left
    assert not [row for row in left if "检测器" in row.told or any(name in row.told for name in DETECTORS)]


def test_a_rule_that_hears_the_agents_words_comes_with_such_words() -> None:
    silent = [row for row in demands() if row.rules and not row.said]
    assert silent
    assert not [row for row in silent if spoken_rules(row)]


def test_every_rule_of_the_table_says_which_standard_asks_for_it() -> None:
    rules = [shipped().rule(rule_id) for row in demands() for rule_id in row.rules]
    assert not {rule.id for rule in rules if rule and not any(name in rule.why for name in STANDARDS)}
