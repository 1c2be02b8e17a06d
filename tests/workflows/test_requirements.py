"""Every requirement of the written standards is an item of a scorecard, or says why not."""

from dataclasses import replace
from pathlib import Path

from pipeline.detect.load import load_ruleset
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet
from pipeline.template import Fill
from pipeline.workflows.requirements import (
    DOCUMENTS,
    demands,
    page,
    requirements,
    unasked,
    unfilled,
    unmet,
)

TEXT = (Path(__file__).parents[2] / "docs" / "standards.md").read_text(encoding="utf-8")
RULESET = load_ruleset(shipped_rules())
FOUND = requirements(TEXT, RULESET)


def without(**changes: object) -> RuleSet:
    """The shipped rules, every item changed."""
    return replace(
        RULESET,
        templates=tuple(
            replace(
                form,
                sections=tuple(
                    replace(part, items=tuple(replace(item, **changes) for item in part.items))  # type: ignore[arg-type]
                    for part in form.sections
                ),
            )
            for form in RULESET.templates
        ),
    )


def test_every_document_has_its_scorecards() -> None:
    assert {row.document for row in demands(TEXT)} == set(DOCUMENTS)
    shipped = {form.id for form in RULESET.templates}
    assert shipped == {name for names in DOCUMENTS.values() for name in names}


def test_every_item_is_filled_by_rules_or_says_why_a_person_must() -> None:
    assert unfilled(RULESET) == []
    assert len(unfilled(without(manual_because=""))) == sum(
        item.fill is not Fill.AUTO for form in RULESET.templates for item in form.items
    )


def test_every_requirement_has_an_item_or_a_reason() -> None:
    assert unmet(FOUND) == []
    assert len(unmet(requirements(TEXT, without(places=())))) > 80


def test_every_item_comes_from_a_requirement_or_is_marked_as_ours() -> None:
    assert unasked(FOUND, RULESET) == []
    assert len(unasked((), RULESET)) > 50


def test_a_row_finds_its_item_by_place_and_rule() -> None:
    (row,) = (one for one in FOUND if one.demand.wanted == "感谢客户的致电")
    assert [(form.id, item.id) for form, item in row.items] == [("inbound_100", "thanks")]


def test_a_row_without_rules_finds_its_item_by_a_word() -> None:
    (row,) = (one for one in FOUND if one.demand.wanted == "正确、灵活地处理异议")
    assert [item.id for _, item in row.items] == ["objections"]


def test_the_page_has_a_line_for_every_row() -> None:
    text = page(TEXT, RULESET, "")
    assert all(f"| {row.place} | {row.wanted} |" in text for row in demands(TEXT))
