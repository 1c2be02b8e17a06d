"""Excerpts of compact texts: what some rules look at."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.archive.compact import CLOSING, HEAD_UNITS, ROLES, compact, packed
from pipeline.detect.archive.excerpts import Excerpts, View
from pipeline.detect.load import parse_ruleset
from pipeline.detect.scene import counted
from pipeline.detect.script import call_of
from pipeline.ruleset import Rule, Window

SCRIPT = "坐席 1.0 您好。\n客户 3.0 我的快递呢？\n坐席 5.0 不归我们管。\n客户 8.0 那找谁？\n坐席 10.0 再见。"
FILE = "id: x.y\ntitle: x\nlabel: y\nwhy: z\ndetector: phrase\nphrases: [不归我们管]\n"


def rule(more: str = "") -> Rule:
    return parse_ruleset({"a/y.yml": FILE + more}).rules[0]


def excerpts(*rules: Rule, confidence: float = 1.0) -> Excerpts:
    heard = call_of(SCRIPT).transcript
    heard = replace(heard, roles=replace(heard.roles, confidence=confidence))
    return Excerpts([compact(heard).text], rules, 0.7)


def said(found: Excerpts) -> str:
    return found.texts[0].decode("utf-16-le", "replace")


def test_only_what_the_role_says_is_left() -> None:
    found = excerpts(rule("role: agent\n"))
    assert "不归我们管" in said(found)
    assert "快递" not in said(found)
    assert [found.number(0, stretch) for stretch in range(3)] == [0, 2, 4]


def test_of_a_window_of_turns_only_these_are_left() -> None:
    assert "不归我们管" not in said(excerpts(rule("role: agent\nwindow: {first_turns: 1}\n")))
    last = excerpts(rule("role: agent\nwindow: {last_turns: 1}\n"))
    assert "再见" in said(last)
    assert last.number(0, 0) == 4


def test_a_call_is_left_whole_where_nobody_knows_who_speaks() -> None:
    one = rule("role: agent\nwindow: {first_turns: 1}\n")
    found = excerpts(one, confidence=0.3)
    assert "快递" in said(found)
    assert found.looks(one, 0, 3)


def test_each_rule_looks_at_its_own_part_of_what_is_left() -> None:
    agent, customer = rule("role: agent\nwindow: {first_turns: 2}\n"), rule("role: customer\n")
    found = excerpts(agent, customer)
    assert "再见" not in said(found)
    assert [n for n in range(5) if found.looks(agent, 0, n)] == [0, 2]
    assert [n for n in range(5) if found.looks(customer, 0, n)] == [1, 3]


def test_batches_hold_so_many_bytes_and_one_call_at_least() -> None:
    one = compact(call_of(SCRIPT).transcript).text
    found = Excerpts([one, one, one], [rule()], 0.7)
    assert list(found.batches(range(3), 2 * len(one))) == [[0, 1], [2]]
    assert list(found.batches(range(3), 1)) == [[0], [1], [2]]


def text_of(stretches: Sequence[tuple[int, int]], sure: bool) -> bytes:
    """The compact text of some stretches: their roles, and how many characters each has."""
    units = [unit for n, (role, size) in enumerate(stretches) for unit in (role, *[0x4E00 + n] * size)]
    return packed(1.0 if sure else 0.0, np.array(units, "<u2"), ()).text


def looked_at(rule: Rule, roles: Sequence[int]) -> list[int]:
    """The plain definition, for one call."""
    own = [n for n, role in enumerate(roles) if rule.role in (None, ROLES[role])]
    window = Window(first_turns=rule.window.first_turns, last_turns=rule.window.last_turns)
    return counted(own, window)


SOME_RULES = [
    rule(),
    rule("role: agent\n"),
    rule("role: customer\nwindow: {last_turns: 2}\n"),
    rule("window: {first_turns: 1}\n"),
    rule("role: agent\nwindow: {first_turns: 3, last_turns: 3}\n"),
]
CALLS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, len(ROLES) - 1), st.integers(0, 3)), max_size=7), st.booleans()
    ),
    min_size=1,
    max_size=5,
)


@given(calls=CALLS, chosen=st.sets(st.sampled_from(range(len(SOME_RULES))), min_size=1))
def test_many_calls_at_once_give_what_the_plain_definition_gives_for_each(
    calls: list[tuple[list[tuple[int, int]], bool]], chosen: set[int]
) -> None:
    rules = [SOME_RULES[n] for n in sorted(chosen)]
    found = Excerpts([text_of(*call) for call in calls], rules, 0.7)
    for number, (stretches, sure) in enumerate(calls):
        roles = [role for role, _ in stretches]
        everything = range(len(roles))
        wanted = [looked_at(one, roles) if sure else list(everything) for one in rules]
        kept = sorted(set().union(*wanted))
        units = np.frombuffer(found.texts[number], "<u2")[HEAD_UNITS:]
        assert units.tolist() == [*_units(stretches, kept), CLOSING]
        assert [found.number(number, at) for at in range(len(kept))] == kept
        for one, looked in zip(rules, wanted, strict=True):
            assert [n for n in everything if found.looks(one, number, n)] == looked
            assert not sure or View.of(one).stretches([ROLES[role] for role in roles]) == set(looked)


def _units(stretches: Sequence[tuple[int, int]], kept: Sequence[int]) -> list[int]:
    return [unit for n in kept for unit in (stretches[n][0], *[0x4E00 + n] * stretches[n][1])]
