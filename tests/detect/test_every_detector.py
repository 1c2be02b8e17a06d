"""What holds for every detector, whatever the call."""

from dataclasses import replace
from math import isfinite

import pytest
from calls import found, rule_text, ruleset_of
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect.detectors import DETECTORS
from pipeline.detect.script import call_of
from pipeline.errors import RuleError
from pipeline.findings import Outcome
from pipeline.timeline import Call, Role, RoleAssignment, Span

PARAMETERS: dict[str, dict[str, object]] = {
    "backchannel": {"longer_than_seconds": 2, "given": False},
    "duration": {"longer_than_seconds": 20},
    "entity": {"kinds": ("phone", "id_card", "bank_card"), "unless_given": True},
    "hold": {"longer_than_seconds": 2, "joined": True, "not_preceded_by": ("a.none",)},
    "interruption": {"longer_than_seconds": 0.3},
    "pace": {"faster_than": 240, "least_characters": 3},
    "repeat": {"least_characters": 4, "similarity": 0.6},
    "silence": {"longer_than_seconds": 2},
    "talk_share": {"more_than_percent": 50},
    "voice": {"louder_by_db": 2, "least_turns": 3},
}
WORDS = (
    "嗯",
    "好的好的",
    "请稍等我查一下",
    "一三八零零零零",
    "一零二一",
    "我家的宽带断了",
    "幺三八零零零零幺零二幺",
)
ROLES = (None, Role.AGENT, Role.CUSTOMER)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """A call of a few turns that may overlap, with waits, doubt about the roles and unclear parts."""
    lines = ["# duration 60"]
    for start in draw(st.lists(st.integers(0, 40), max_size=7, unique=True)):
        who = draw(st.sampled_from(("坐席", "客户")))
        voice = draw(st.sampled_from(("", "[2.0s -20dB 200Hz] ", "[1.0s -10dB 300Hz] ")))
        lines.append(f"{who} {start} {voice}{draw(st.sampled_from(WORDS))}")
    if draw(st.booleans()):
        lines.append("等待音乐 20 28")
    call = call_of("\n".join(lines), probability=draw(st.sampled_from((0.2, 0.9))))
    audible = draw(st.booleans())
    transcript = replace(
        call.transcript,
        unclear=draw(st.sampled_from(((), (Span(10_000, 13_000),)))),
        roles=RoleAssignment(confidence=draw(st.sampled_from((0.3, 1.0))), reason=""),
        overlaps_audible=audible,
        overlaps=call.transcript.overlaps if audible else (),
    )
    return replace(call, transcript=transcript)


@pytest.mark.parametrize("detector", sorted(PARAMETERS))
@given(call=calls(), role=st.sampled_from(ROLES))
@settings(max_examples=60, deadline=None)
def test_the_answer_is_what_was_found_or_one_reason_for_nothing(
    detector: str, call: Call, role: Role | None
) -> None:
    findings = found(detector, call, role, **PARAMETERS[detector])
    outcomes = [finding.outcome for finding in findings]
    assert set(outcomes) == {Outcome.PRESENT} or len(outcomes) == 1
    for finding in findings:
        assert isfinite(finding.confidence)
        assert 0 <= finding.confidence <= 1
        assert finding.explanation.endswith("。")
        assert all(0 <= e.span.start <= e.span.end <= call.span.end for e in finding.evidence)
    assert len({finding.id for finding in findings}) == len(findings)
    assert findings == found(detector, call, role, **PARAMETERS[detector])


@pytest.mark.parametrize("detector", sorted(PARAMETERS.keys() - {"duration", "hold"}))
@given(call=calls())
@settings(max_examples=30, deadline=None)
def test_nothing_is_said_of_the_agent_while_roles_are_uncertain(detector: str, call: Call) -> None:
    unsure = replace(call.transcript, roles=RoleAssignment(confidence=0.3, reason=""))
    (finding,) = found(detector, replace(call, transcript=unsure), Role.AGENT, **PARAMETERS[detector])
    assert finding.outcome is Outcome.CANNOT_TELL


@pytest.mark.parametrize("detector", sorted(PARAMETERS))
def test_every_key_says_in_chinese_what_it_means(detector: str) -> None:
    model = DETECTORS[detector].parameters
    assert model.__doc__
    for name, field in model.model_fields.items():
        assert field.description, name
        assert any("\u4e00" <= char <= "\u9fff" for char in field.description), name


@pytest.mark.parametrize("detector", ["duration", "pace", "talk_share", "voice"])
def test_a_measure_without_a_bound_is_a_fault(detector: str) -> None:
    with pytest.raises(RuleError, match=r"a/0\.yml:1:1: .*，应为 `\w+`、`\w+` 至少写一个"):
        ruleset_of(rule_text("a.rule", "", detector))
