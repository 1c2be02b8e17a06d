"""The rules that ship: what they find in wordings that nobody wrote into them, and what they leave alone."""

from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.detect import engine
from pipeline.detect.load import load_ruleset
from pipeline.detect.script import call_of
from pipeline.findings import Finding, Outcome
from pipeline.resources import shipped_rules
from pipeline.ruleset import Rule, RuleSet

DATA = Path(__file__).parents[1] / "data"
CUSTOMER = "客户："
FORBIDDEN = (
    "blunt",
    "disparage_competitor",
    "hang_up_hint",
    "impatience",
    "over_authority_promise",
    "questioning_customer",
    "shirking",
    "vague_promise",
)
OUTBOUND = ("callback_appointment", "contact_left", "permission_asked", "purpose_stated")
OPENING = ("agent_id_or_name", "company", "greeting_word", "offer_help", "permission_asked", "purpose_stated")
APART = 20
"""Seconds between sentences laid into one call, so that each is a turn of its own."""


class Wording(NamedTuple):
    label: str
    category: str
    expected: str
    sentence: str

    @property
    def line(self) -> str:
        """The sentence after its speaker's name and `{}` for the time, as a case is written."""
        if self.sentence.startswith(CUSTOMER):
            return "客户 {} " + self.sentence.removeprefix(CUSTOMER)
        return "坐席 {} " + self.sentence


def lines(name: str) -> list[str]:
    text = (DATA / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def wordings() -> tuple[Wording, ...]:
    return tuple(Wording(*line.split("\t")) for line in lines("wordings.tsv"))


@cache
def shipped() -> RuleSet:
    return load_ruleset(shipped_rules())


def rules_for(label: str) -> RuleSet:
    rules = tuple(rule for rule in shipped().rules if rule.label == label)
    return RuleSet(rules=rules, templates=(), files={}, digest="")


def present(findings: tuple[Finding, ...]) -> list[tuple[Rule, Finding]]:
    found = [(shipped().rule(f.rule_id), f) for f in findings if f.outcome is Outcome.PRESENT]
    return [(rule, finding) for rule, finding in found if rule]


def forbidden_in(written: list[str]) -> list[set[str]]:
    """Categories found in each line; the other side says 嗯 between them, so that none runs into the next."""
    spoken = "\n".join(
        f"{line.format(i * APART + 1)}\n{'坐席' if line.startswith('客户') else '客户'} {i * APART + 15} 嗯嗯"
        for i, line in enumerate(written)
    )
    found: list[set[str]] = [set() for _ in written]
    for rule, finding in present(engine.run(call_of(spoken), rules_for("forbidden"))):
        found[finding.span.start // (APART * 1000)].add(rule.category or "")
    return found


def found_alone(wording: Wording) -> bool:
    """Whether the sentence, as the only turn of a call, is given its label and category."""
    direction = "outbound" if wording.label in OUTBOUND else "inbound"
    start = 2 if wording.label in OPENING else 20
    text = f"# direction {direction}\n# duration 60\n{wording.line.format(start)}"
    findings = present(engine.run(call_of(text), rules_for(wording.label)))
    return any((rule.category or "") == wording.category for rule, _ in findings)


@cache
def forbidden_found() -> tuple[tuple[Wording, frozenset[str]], ...]:
    listed = [w for w in wordings() if w.label == "forbidden"]
    found = forbidden_in([w.line for w in listed])
    return tuple((wording, frozenset(categories)) for wording, categories in zip(listed, found, strict=True))


@pytest.mark.parametrize("category", FORBIDDEN)
def test_most_wordings_of_a_forbidden_category_are_found(category: str) -> None:
    listed = [(w, found) for w, found in forbidden_found() if w.category == category]
    missed = [w.sentence for w, found in listed if category not in found]
    assert len(missed) <= 0.1 * len(listed), missed


@pytest.mark.parametrize("category", FORBIDDEN)
def test_few_wordings_of_other_categories_are_taken_for_this_one(category: str) -> None:
    named = [w for w, found in forbidden_found() if category in found]
    wrong = [w.sentence for w in named if w.category != category]
    assert len(wrong) <= 0.15 * len(named), wrong


def test_what_sounds_forbidden_and_is_not_stays_unfound() -> None:
    wrong = [(w.sentence, sorted(found)) for w, found in forbidden_found() if w.expected == "miss" and found]
    assert not wrong


def test_ordinary_service_talk_holds_nothing_forbidden() -> None:
    sentences = lines("ordinary.txt")
    found = forbidden_in(["坐席 {} " + sentence for sentence in sentences])
    wrong = {sentence: sorted(c) for sentence, c in zip(sentences, found, strict=True) if c}
    assert len(sentences) >= 150
    assert not wrong


def test_the_customer_may_say_every_forbidden_phrase() -> None:
    said = [w.sentence for w in wordings() if w.label == "forbidden" and not w.sentence.startswith(CUSTOMER)]
    assert not any(forbidden_in(["客户 {} " + sentence for sentence in said]))


def test_most_wordings_of_the_other_labels_are_told_from_their_near_misses() -> None:
    wrong: dict[str, list[str]] = defaultdict(list)
    others = [w for w in wordings() if w.label != "forbidden"]
    for wording in others:
        if found_alone(wording) != (wording.expected == "hit"):
            wrong[wording.label].append(wording.sentence)
    listed = Counter(w.label for w in others)
    assert not {label: missed for label, missed in wrong.items() if len(missed) > 0.1 * listed[label]}


def test_every_shipped_phrase_rule_proves_itself_with_cases() -> None:
    bare = {}
    for rule in shipped().rules:
        wanted = 10 if rule.label == "forbidden" else 4
        hits = sum(case.hit for case in rule.cases)
        if rule.detector == "phrase" and min(hits, len(rule.cases) - hits) < wanted:
            bare[rule.id] = (hits, len(rule.cases) - hits)
    assert not bare


def test_every_forbidden_category_has_a_rule_that_scores() -> None:
    assert {rule.category for rule in rules_for("forbidden").rules} == set(FORBIDDEN)


@pytest.mark.parametrize(("start", "expected"), [(2.5, []), (3.6, ["gt3"]), (5.8, ["gt5"])])
def test_only_the_larger_delay_of_a_late_greeting_is_told(start: float, expected: list[str]) -> None:
    findings = engine.run(call_of(f"坐席 {start} 您好，请讲。"), rules_for("late_greeting"))
    assert [rule.category for rule, _ in present(findings)] == expected


def test_elements_of_the_greeting_count_only_at_the_start() -> None:
    opening = (
        "坐席 1.0 喂。\n客户 2.0 嗯。\n坐席 4.0 说。\n客户 5.0 我要报修。\n坐席 8.0 地址。\n客户 9.0 西街。"
    )
    late = f"{opening}\n坐席 12.0 您好，这里是锦华物业，工号三零八，请问有什么可以帮您？"
    labels = {rule.label for rule, _ in present(engine.run(call_of(late), shipped()))}
    assert not labels & {"greeting_word", "agent_id_or_name", "company", "offer_help"}


def test_thanks_in_the_middle_of_a_call_do_not_close_it() -> None:
    turns = [f"坐席 {i * 10 + 5}.0 好的，我查一下。\n客户 {i * 10 + 9}.0 嗯。" for i in range(4)]
    call = call_of("坐席 1.0 谢谢您的来电，请讲。\n客户 4.0 我查话费。\n" + "\n".join(turns))
    assert not present(engine.run(call, rules_for("thanks")))
