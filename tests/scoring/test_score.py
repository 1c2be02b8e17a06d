from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Rule, RuleSet, Severity, Status, Window
from pipeline.scope import Applies, Source
from pipeline.scorecard import Verdict
from pipeline.scoring.conditions import answer, by_rule
from pipeline.scoring.items import score_item
from pipeline.scoring.score import score
from pipeline.template import Condition, Fill, Item, Level, Section, Template
from pipeline.timeline import Provenance, Recording, Role, Span

HERE = Source(path="t.yml", line=1)
MADE_BY = Provenance(pipeline="0", model="base", model_sha256="0", settings_digest="0")
RECORDING = Recording(
    id="a" * 16, sha256="a" * 64, path="a.wav", duration=60_000, sample_rate=8000, channels=1, codec="pcm"
)


def finding(rule: str, outcome: Outcome, confidence: float = 0.9) -> Finding:
    span = Span(1000, 2000)
    seen = Evidence(span=span, role=Role.AGENT, quote="您好", phrase="您好")
    return Finding(
        recording_id=RECORDING.id,
        rule_id=rule,
        outcome=outcome,
        confidence=confidence,
        role=Role.AGENT,
        span=span,
        evidence=(seen,),
        explanation=f"{rule} {outcome}",
    )


def leaf(kind: str, rule: str) -> Condition:
    return Condition(kind=kind, rule=rule)


def item(**changes: object) -> Item:
    base: dict[str, object] = {
        "id": "i",
        "title": "招呼语",
        "section": "开始语",
        "points": Decimal(3),
        "fill": Fill.AUTO,
        "levels": (
            Level(title="优秀", points=Decimal(3), text="有", when=leaf("present", "a.a")),
            Level(title="差", points=Decimal(0), text="没有", when=leaf("absent", "a.a")),
        ),
    }
    return Item(**(base | changes))  # type: ignore[arg-type]


def rule(rule_id: str, **changes: object) -> Rule:
    base: dict[str, object] = {
        "id": rule_id,
        "title": rule_id,
        "why": "",
        "label": "x",
        "category": None,
        "severity": Severity.MAJOR,
        "status": Status.ACTIVE,
        "detector": "phrase",
        "role": Role.AGENT,
        "window": Window(),
        "applies": Applies(),
        "parameters": None,
        "cases": (),
        "digest": "0",
        "source": HERE,
    }
    return Rule(**(base | changes))  # type: ignore[arg-type]


def card(items: tuple[Item, ...], rules: tuple[Rule, ...], findings: list[Finding]):  # type: ignore[no-untyped-def]
    template = Template(
        id="t",
        title="t",
        version=1,
        origin="",
        applies=Applies(),
        sections=(Section(id="s1", title="开始语", items=items),),
        digest="0",
        source=HERE,
    )
    ruleset = RuleSet(rules=rules, templates=(template,), files={}, digest="d")
    return score(RECORDING, findings, template, ruleset, MADE_BY)


def test_a_present_finding_gives_the_points_and_names_the_finding() -> None:
    found = finding("a.a", Outcome.PRESENT)
    scored = score_item(item(), by_rule([found]))
    assert (scored.verdict, scored.level, scored.points) == (Verdict.PASS, "优秀", Decimal("3.0"))
    assert scored.findings == (found.id,)
    assert scored.confidence == 0.9


def test_an_absence_takes_the_points() -> None:
    scored = score_item(item(), by_rule([finding("a.a", Outcome.ABSENT)]))
    assert (scored.verdict, scored.points) == (Verdict.FAIL, Decimal("0.0"))


def test_what_cannot_be_known_is_neither_passed_nor_failed() -> None:
    scored = score_item(item(), by_rule([finding("a.a", Outcome.CANNOT_TELL)]))
    assert (scored.verdict, scored.points) == (Verdict.NEEDS_REVIEW, None)
    assert "a.a cannot_tell" in scored.reason


def test_an_item_whose_rules_are_for_other_calls_does_not_apply() -> None:
    scored = score_item(item(), by_rule([]))
    assert scored.verdict is Verdict.NOT_APPLICABLE


def test_not_applicable_leaves_the_denominator() -> None:
    hold = item(id="h", applicable=leaf("present", "h.h"))
    result = card(
        (item(), hold),
        (rule("a.a"), rule("h.h")),
        [finding("a.a", Outcome.PRESENT), finding("h.h", Outcome.ABSENT)],
    )
    assert (result.total, result.open_points, result.points_possible) == (
        Decimal("3.0"),
        Decimal("0.0"),
        Decimal("3.0"),
    )


def test_open_items_are_counted_apart_and_never_silently() -> None:
    manual = item(id="m", fill=Fill.MANUAL, points=Decimal(10))
    result = card((item(), manual), (rule("a.a"),), [finding("a.a", Outcome.CANNOT_TELL)])
    assert (result.total, result.open_points, result.points_possible) == (
        Decimal("0.0"),
        Decimal("13.0"),
        Decimal("13.0"),
    )


def test_draft_rules_never_score() -> None:
    result = card(
        (item(applicable=Condition(kind="always")),),
        (rule("a.a", status=Status.DRAFT),),
        [finding("a.a", Outcome.PRESENT)],
    )
    assert result.items[0].verdict is Verdict.NEEDS_REVIEW


@pytest.mark.parametrize("outcome", list(Outcome))
def test_an_item_that_only_a_draft_could_decide_stays_open(outcome: Outcome) -> None:
    draft = rule("a.a", status=Status.DRAFT, severity=Severity.FATAL)
    result = card((item(),), (draft,), [finding("a.a", outcome)])
    assert result.items[0].verdict is Verdict.NEEDS_REVIEW
    assert result.items[0].findings == ()
    assert (result.total, result.open_points, result.fatal) == (Decimal("0.0"), Decimal("3.0"), False)


@pytest.mark.parametrize("kind", ["present", "absent"])
def test_a_draft_beside_an_active_rule_does_not_move_the_points(kind: str) -> None:
    levels = (
        Level(title="优秀", points=Decimal(3), text="有", when=leaf("present", "a.a")),
        Level(title="差", points=Decimal(0), text="", when=leaf(kind, "d.d")),
    )
    rules = (rule("a.a"), rule("d.d", status=Status.DRAFT))
    findings = [finding("a.a", Outcome.PRESENT), finding("d.d", Outcome.PRESENT)]
    assert card((item(levels=levels),), rules, findings).total == Decimal("3.0")


def test_assist_brings_evidence_and_leaves_the_decision_to_a_person() -> None:
    scored = score_item(item(fill=Fill.ASSIST), by_rule([finding("a.a", Outcome.PRESENT)]))
    assert (scored.verdict, scored.points) == (Verdict.MANUAL, None)
    assert scored.reason.startswith("建议优秀")


def test_a_better_level_that_cannot_be_known_blocks_the_worse_one() -> None:
    levels = (
        Level(title="优秀", points=Decimal(3), text="", when=leaf("present", "b.b")),
        Level(title="良好", points=Decimal(2), text="", when=leaf("present", "a.a")),
    )
    findings = [finding("a.a", Outcome.PRESENT), finding("b.b", Outcome.CANNOT_TELL)]
    assert score_item(item(levels=levels), by_rule(findings)).verdict is Verdict.NEEDS_REVIEW


def test_a_fatal_finding_marks_the_card() -> None:
    fatal = rule("f.f", severity=Severity.FATAL)
    assert card((item(),), (rule("a.a"), fatal), [finding("f.f", Outcome.PRESENT)]).fatal
    assert not card((item(),), (rule("a.a"), fatal), [finding("f.f", Outcome.ABSENT)]).fatal


outcomes = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(list(Outcome)))
conditions = st.recursive(
    st.builds(Condition, kind=st.sampled_from(["present", "absent"]), rule=st.sampled_from(["a", "b", "c"])),
    lambda inner: st.builds(
        Condition,
        kind=st.sampled_from(["all", "any", "none"]),
        parts=st.lists(inner, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=8,
)


@given(conditions, outcomes)
def test_an_answer_never_changes_when_an_unknown_becomes_known(
    condition: Condition, known: dict[str, Outcome]
) -> None:
    def held(given_outcomes: dict[str, Outcome]) -> bool | None:
        return answer(condition, by_rule(finding(r, o) for r, o in given_outcomes.items())).holds

    before = held(known)
    if before is None:
        return
    for name in ("a", "b", "c"):
        if known.get(name, Outcome.CANNOT_TELL) is Outcome.CANNOT_TELL:
            assert held(known | {name: Outcome.PRESENT}) == before
            assert held(known | {name: Outcome.ABSENT}) == before


@pytest.mark.parametrize("kind", ["all", "any"])
def test_unknown_parts_do_not_hide_a_deciding_one(kind: str) -> None:
    parts = (leaf("present", "a"), leaf("present", "b"))
    deciding = Outcome.ABSENT if kind == "all" else Outcome.PRESENT
    given_outcomes = by_rule([finding("a", Outcome.CANNOT_TELL), finding("b", deciding)])
    assert answer(Condition(kind=kind, parts=parts), given_outcomes).holds is (kind == "any")
