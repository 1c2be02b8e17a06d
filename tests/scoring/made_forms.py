"""Forms, findings and reviews made up for the tests of the scorer, by hand and by hypothesis."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import RuleSet
from pipeline.scope import Applies, Source
from pipeline.scorecard import Decision, Review, Scorecard
from pipeline.scoring.score import score
from pipeline.template import (
    Condition,
    Deduction,
    Fatal,
    Fill,
    Item,
    Level,
    Per,
    Reviewing,
    Section,
    Template,
    Total,
    Zero,
)
from pipeline.timeline import Provenance, Recording, Role, Span

HERE = Source(path="t.yml", line=1)
MADE_BY = Provenance(pipeline="0", model="base", model_sha256="0", settings_digest="0")
RECORDING = Recording(
    id="a" * 16, sha256="a" * 64, path="a.wav", duration=60_000, sample_rate=8000, channels=1, codec="pcm"
)
RULES = ("a.a", "b.b", "c.c", "d.d")
NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)


def finding(rule: str, outcome: Outcome, confidence: float = 0.9, at: int = 1000) -> Finding:
    span = Span(at, at + 1000)
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


def present(rule: str, at: int = 1000) -> Finding:
    return finding(rule, Outcome.PRESENT, at=at)


def absent(rule: str) -> Finding:
    return finding(rule, Outcome.ABSENT)


def cannot_tell(rule: str) -> Finding:
    return finding(rule, Outcome.CANNOT_TELL)


def leaf(kind: str, rule: str) -> Condition:
    return Condition(kind=kind, rule=rule)


def level(title: str, points: str, when: Condition | None = None, lowest: str | None = None) -> Level:
    least = None if lowest is None else Decimal(lowest)
    return Level(title=title, points=Decimal(points), text=title, when=when, lowest=least)


def item(item_id: str, points: str = "5", **changes: object) -> Item:
    """优 when a.a is present, 差 when it is absent."""
    levels = (level("优", points, leaf("present", "a.a")), level("差", "0", leaf("absent", "a.a")))
    base: dict[str, object] = {"id": item_id, "title": item_id, "section": "s", "points": Decimal(points)}
    return Item(**(base | {"fill": Fill.AUTO, "levels": levels} | changes))  # type: ignore[arg-type]


def deducting(item_id: str, points: str, *deductions: Deduction) -> Item:
    return item(item_id, points, levels=(), deductions=deductions)


def deduction(rule: str, points: str, per: Per = Per.FINDING, cap: str | None = None) -> Deduction:
    most = None if cap is None else Decimal(cap)
    return Deduction(rule=rule, points=Decimal(points), text="", per=per, cap=most)


def section(section_id: str, *items: Item, weight: str | None = None) -> Section:
    percent = None if weight is None else Decimal(weight)
    return Section(id=section_id, title=section_id, items=items, weight=percent)


def form(*sections: Section, **changes: object) -> Template:
    base: dict[str, object] = {"id": "t", "title": "t", "version": 1, "origin": "", "applies": Applies()}
    base |= {"sections": sections, "digest": "0", "source": HERE}
    return Template(**(base | changes))  # type: ignore[arg-type]


def card(
    template: Template, findings: Sequence[Finding], reviews: Sequence[Review] = (), rules: tuple = ()
) -> Scorecard:
    ruleset = RuleSet(rules=rules, templates=(template,), files={}, digest="d")
    return score(RECORDING, findings, template, ruleset, MADE_BY, reviews)


def review(target: str, value: str = "", who: str = "张三", **changes: object) -> Review:
    base: dict[str, object] = {"recording_id": RECORDING.id, "who": who, "at": NOON, "reason": ""}
    base |= {"decision": Decision.OVERRIDE, "target": target, "value": value}
    return Review(**(base | changes))  # type: ignore[arg-type]


def later(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


# by hypothesis

tenths = st.integers(1, 100).map(lambda n: str(Decimal(n) / 10))
leaves = st.builds(leaf, st.sampled_from(["present", "absent"]), st.sampled_from(RULES))
conditions = st.recursive(
    leaves,
    lambda inner: st.builds(
        Condition,
        kind=st.sampled_from(["all", "any", "none"]),
        parts=st.lists(inner, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=4,
)


@st.composite
def items(draw: st.DrawFn, item_id: str, points: str | None = None) -> Item:
    points = points or draw(tenths)
    full = Decimal(points)
    steps = sorted(
        {*draw(st.lists(st.integers(0, int(full * 10)), max_size=3)), int(full * 10)}, reverse=True
    )
    levels = tuple(
        level(f"L{n}", str(Decimal(step) / 10), draw(st.none() | conditions)) for n, step in enumerate(steps)
    )
    taken = st.builds(
        deduction, st.sampled_from(RULES), tenths, st.sampled_from(list(Per)), st.none() | tenths
    )
    deductions = draw(st.just(()) | st.lists(taken, max_size=3).map(tuple))
    return item(
        item_id,
        points,
        fill=draw(st.sampled_from(list(Fill))),
        levels=() if deductions else levels,
        deductions=deductions,
        applicable=draw(st.none() | conditions),
        bonus=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def forms(draw: st.DrawFn) -> Template:
    weighted = draw(st.booleans())
    sections = []
    for number in range(draw(st.integers(1, 3))):
        names = [f"i{number}{n}" for n in range(draw(st.integers(1, 3)))]
        made = [draw(items(name, "5" if weighted else None)) for name in names]
        percent = str(draw(st.integers(0, 60))) if weighted else None
        sections.append(section(f"s{number}", *made, weight=percent))
    fatal = draw(st.lists(st.builds(_fatal, conditions, st.sampled_from([None, "s0"])), max_size=1))
    return form(
        *sections,
        total=Total.WEIGHTED if weighted else Total.POINTS,
        full=draw(st.none() | st.just(Decimal(100))),
        fatal=tuple(fatal),
        reviews=draw(st.builds(Reviewing)),
    )


def _fatal(when: Condition, section_id: str | None) -> Fatal:
    zero = Zero.CARD if section_id is None else Zero.SECTION
    return Fatal(id="f", title="f", when=when, zero=zero, section=section_id)


@st.composite
def heard(draw: st.DrawFn) -> list[Finding]:
    """Findings of some of the rules: places where it was said, or that it was not, or that nobody knows."""
    made = []
    for rule in RULES:
        kind = draw(st.sampled_from(["none", "present", "absent", "cannot_tell", "both"]))
        if kind in ("present", "both"):
            made += [present(rule, 1000 * n) for n in range(1, draw(st.integers(2, 4)))]
        if kind in ("cannot_tell", "both"):
            made.append(finding(rule, Outcome.CANNOT_TELL, 0.0))
        if kind == "absent":
            made.append(absent(rule))
    return made
