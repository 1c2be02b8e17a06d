"""What may be accepted as it is: an absence has to be surer than a presence."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.findings import Evidence, Finding, Outcome
from pipeline.scoring.conditions import by_rule
from pipeline.scoring.items import score_item
from pipeline.template import ACCEPT_ABSENT_FROM, ACCEPT_FROM, Condition, Fill, Item, Level
from pipeline.timeline import Role, Span

SURE = st.floats(0, 1)


def leaf(kind: str, rule: str) -> Condition:
    return Condition(kind=kind, rule=rule)


BOTH = Condition(kind="all", parts=(leaf("present", "a.a"), leaf("absent", "b.b")))
ITEM = Item(
    id="i",
    title="称呼",
    section="开始语",
    points=Decimal(2),
    fill=Fill.AUTO,
    levels=(
        Level(title="一样", points=Decimal(1), text="", when=BOTH),
        Level(title="优秀", points=Decimal(2), text="", when=leaf("present", "a.a")),
        Level(title="差", points=Decimal(0), text="", when=leaf("absent", "a.a")),
    ),
)


def finding(rule: str, outcome: Outcome, confidence: float) -> Finding:
    span = Span(0, 1000)
    seen = Evidence(span=span, role=Role.AGENT, quote="您好", phrase="您好")
    return Finding(
        recording_id="a" * 16,
        rule_id=rule,
        outcome=outcome,
        confidence=confidence,
        role=Role.AGENT,
        span=span,
        evidence=(seen,),
        explanation=rule,
    )


def accepted(*findings: Finding, item: Item = ITEM) -> bool:
    return score_item(item, by_rule(findings)).acceptable


def test_an_absence_that_would_do_as_a_presence_is_not_accepted() -> None:
    between = (ACCEPT_FROM + ACCEPT_ABSENT_FROM) / 2
    only = replace(ITEM, levels=ITEM.levels[1:])
    assert accepted(finding("a.a", Outcome.PRESENT, between), item=only)
    assert not accepted(finding("a.a", Outcome.ABSENT, between), item=only)
    assert accepted(finding("a.a", Outcome.ABSENT, ACCEPT_ABSENT_FROM), item=only)


@given(SURE, SURE)
def test_each_thing_is_held_against_its_own_bound(heard: float, unheard: float) -> None:
    findings = (finding("a.a", Outcome.PRESENT, heard), finding("b.b", Outcome.ABSENT, unheard))
    assert accepted(*findings) == (heard >= ACCEPT_FROM and unheard >= ACCEPT_ABSENT_FROM)


@given(SURE, SURE)
def test_the_bound_that_is_shown_is_the_one_that_decided(heard: float, unheard: float) -> None:
    findings = (finding("a.a", Outcome.PRESENT, heard), finding("b.b", Outcome.ABSENT, unheard))
    scored = score_item(ITEM, by_rule(findings))
    assert scored.accept_from is not None
    assert scored.acceptable == (scored.confidence >= scored.accept_from)


@given(SURE, SURE, SURE)
def test_a_lower_bound_accepts_no_less(confidence: float, one: float, other: float) -> None:
    absent = finding("a.a", Outcome.ABSENT, confidence)
    low, high = (replace(ITEM, accept_absent_from=bound) for bound in sorted((one, other)))
    assert accepted(absent, item=low) >= accepted(absent, item=high)
