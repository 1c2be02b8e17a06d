"""What labels say about items: a literal table over three-valued facts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.load import load_ruleset
from pipeline.resources import shipped_rules
from pipeline.template import Fill
from pipeline.workflows.evaluate import _EVENTS
from pipeline.workflows.item_truth import ITEM_TRUTH, NOT_APPLICABLE, TrueLevel, true_level

RULESET = load_ruleset(shipped_rules())
ELEMENTS = {
    *("greeting_word", "agent_id_or_name", "company", "offer_help"),
    *("problem_resolved_confirm", "anything_else", "satisfaction_invite", "thanks", "goodbye"),
    *("asks_name", "uses_surname"),
}
"""What the checklist of a labelled call may hold."""
COUNTED = {
    *("late_greeting", "hold", "hold_without_music", "hold_over_120s", "rings_over_3"),
    *("queue_over_10s", "queue_over_15s", "queue_over_30s"),
}
LABELS = {*ELEMENTS, *COUNTED, *_EVENTS}
FACTS = st.fixed_dictionaries({label: st.integers(0, 2) for label in sorted(LABELS)})
ITEMS = sorted((template, item) for template, items in ITEM_TRUTH.items() for item in items)


def test_every_automatic_item_has_a_truth() -> None:
    auto = {(t.id, item.id) for t in RULESET.templates for item in t.items if item.fill is Fill.AUTO}
    assert auto == set(ITEMS)


@pytest.mark.parametrize(("template", "item"), ITEMS)
def test_the_levels_of_the_table_are_the_printed_ones(template: str, item: str) -> None:
    form = RULESET.template(template)
    assert form is not None
    (printed,) = (one for one in form.items if one.id == item)
    decided = {level.title for level in printed.levels if level.when}
    table = {level for level, _ in ITEM_TRUTH[template][item]} - {NOT_APPLICABLE}
    assert table == decided


def test_the_table_names_labels_only() -> None:
    named = {
        label
        for items in ITEM_TRUTH.values()
        for levels in items.values()
        for _, terms in levels
        for term in terms.split()
        for label in term.removeprefix("-").split("|")
    }
    assert named <= LABELS


@pytest.mark.parametrize(("template", "item"), ITEMS)
@given(facts=FACTS, hidden=st.sets(st.sampled_from(sorted(LABELS)), max_size=3))
def test_what_is_not_labelled_never_changes_the_truth_but_only_hides_it(
    template: str, item: str, facts: dict[str, int], hidden: set[str]
) -> None:
    known = {label: count for label, count in facts.items() if label not in hidden}
    assert true_level(template, item, known) in (None, true_level(template, item, facts))


def test_a_call_without_the_label_has_not_the_level() -> None:
    facts = {"greeting_word": 1, "company": 1, "agent_id_or_name": 0, "late_greeting": 0}
    assert true_level("inbound_100", "standard_greeting", facts) == TrueLevel(level="合格")


def test_what_nobody_looked_for_leaves_the_truth_open() -> None:
    assert true_level("satisfaction_5", "first_response", {}) is None


def test_a_level_that_only_a_person_can_choose_is_no_level() -> None:
    facts = {"asks_name": 0, "uses_surname": 1}
    assert true_level("inbound_100", "asks_name", facts) == TrueLevel(level=None)
