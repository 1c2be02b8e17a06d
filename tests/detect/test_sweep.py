"""The sweep against the one-call engine: whatever that finds, the sweep finds, to the last character."""

import gc
import random
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import pytest
from calls import phrase_rule, rule_text, ruleset_of, with_roles
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect import engine
from pipeline.detect.archive import classes
from pipeline.detect.archive.compact import Unpacked, compact
from pipeline.detect.archive.sweep import Sweep, shows_something
from pipeline.detect.load import load_ruleset
from pipeline.detect.pattern import Char, Choice, Sequence, parse
from pipeline.detect.scene import Thresholds
from pipeline.detect.script import call_of
from pipeline.detect.sound import LIGHT, UNRELATED, char_cost, neighbours, readings, syllables
from pipeline.findings import Finding
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet
from pipeline.timeline import Call

PHRASES = (
    "不归我们管",
    "你找[别的|其他]部门",
    "(打|拨)这个电话",
    "你…3不懂",
    "不是我[们]的(职责|责任|事)",
    "工号{number:2}为您服务",
    "他妈的",
    "哪儿来的回哪儿去",
    "这个(事情|问题)我们[这边]真的(处理|解决)不了",
    "(哎|唉)烦死了",
    "没空",
    "爱(投诉|告)[就|你就]…4投诉",
    "我很快就会帮您的忙",
)
SPOILT = "的了呢嘛啊嗯不我这那是，。"
COMMON = "您好请问有什么可以帮您的我不知道这个事情怎么办"


def found_by_engine(call: Call, ruleset: RuleSet) -> list[Finding]:
    return [finding for finding in engine.run(call, ruleset) if shows_something(finding)]


def found_by_sweep(calls: Iterable[Call], sweep: Sweep) -> list[list[Finding]]:
    made = [(call, compact(call.transcript)) for call in calls]
    places = sweep.candidates([form.text for _, form in made])
    return [
        sweep.judge(call.recording, Unpacked(form), places[number]) if number in places else []
        for number, (call, form) in enumerate(made)
    ]


def test_costs_are_lower_bounds() -> None:
    table, rng = classes.table(), random.Random(3)
    han = [chr(code) for code in range(0x4E00, 0x9FA5) if readings(chr(code))]
    for meant in [*"不没我你他零一的地得哪那吗妈啊a7", *rng.sample(han, 40)]:
        alike = [char for char in rng.sample(han, 1500) if set(syllables(char)) & near(meant)]
        for heard in [*alike, *"不没我你他零一得哪那吗妈幺两a7", meant]:
            cost = char_cost(meant, heard)
            if cost < UNRELATED and heard not in LIGHT:
                assert classes.costs(meant)[table[ord(heard)]] <= 70 * cost, (meant, heard)


def near(char: str) -> set[str]:
    return {like for syllable in syllables(char) for like in neighbours(syllable)}


@cache
def alike() -> dict[str, list[str]]:
    """Characters by syllable, near sounds included."""
    found: dict[str, list[str]] = {}
    for code in range(0x4E00, 0x9FA5, 3):
        for syllable in syllables(chr(code)):
            for like in neighbours(syllable):
                found.setdefault(like, []).append(chr(code))
    return found


@st.composite
def spoken(draw: st.DrawFn) -> str:
    """A phrase as it may be heard: other characters, of a near sound for the most, missing and extra ones."""
    text = said(draw, parse(draw(st.sampled_from(PHRASES))).nodes)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(text) - 1)))
        same = [c for s in syllables(text[at : at + 1] or "我") for c in alike().get(s, ())] or ["啊"]
        change = draw(st.sampled_from(("alike", "alike", "alike", "drop", "add")))
        new = {"alike": draw(st.sampled_from(same)), "drop": "", "add": text[at : at + 1] + draw(extra)}
        text = text[:at] + new[change] + text[at + 1 :]
    before, after = (
        draw(st.text(st.sampled_from(COMMON), max_size=4)),
        draw(st.text(st.sampled_from(COMMON), max_size=4)),
    )
    return before + text + after or "我"


extra = st.sampled_from(SPOILT)


def said(draw: st.DrawFn, nodes: Sequence) -> str:
    text = ""
    for node in nodes:
        match node:
            case Char(char):
                text += char
            case Choice(options):
                text += said(draw, draw(st.sampled_from(options)))
            case _:
                text += draw(st.sampled_from(("", "一零二", "这个", "王")))
    return text


@st.composite
def calls(draw: st.DrawFn) -> Call:
    roles = draw(st.lists(st.sampled_from(("坐席", "客户")), min_size=1, max_size=3))
    lines = [f"{role} {3 + 8 * i} {draw(spoken())}" for i, role in enumerate(roles)]
    call = call_of("\n".join(lines), probability=draw(st.sampled_from((0.1, 0.3, 0.5, 0.7, 0.95))))
    return with_roles(call, draw(st.sampled_from((1.0, 1.0, 0.5))))


@cache
def sweep_of(match: str, max_edits: str) -> tuple[RuleSet, Sweep]:
    keys = {"match": match} | ({"max_edits": max_edits} if max_edits else {})
    texts = [
        rule_text(f"a.r{i}", f'phrases: ["{phrase}"]\n' + "".join(f"{k}: {v}\n" for k, v in keys.items()))
        for i, phrase in enumerate(PHRASES)
    ]
    ruleset = ruleset_of(*texts)
    return ruleset, Sweep(ruleset, Thresholds())


@pytest.mark.parametrize(
    ("fit", "edits"), [("sound", ""), ("sound", "0"), ("sound", "1"), ("text", ""), ("exact", "")]
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nothing_that_matches_is_lost(fit: str, edits: str, data: st.DataObject) -> None:
    ruleset, sweep = sweep_of(fit, edits)
    said_calls = [data.draw(calls()) for _ in range(4)]
    assert found_by_sweep(said_calls, sweep) == [found_by_engine(call, ruleset) for call in said_calls]


def test_the_shipped_rules_find_in_their_own_cases_what_the_engine_finds() -> None:
    shipped = load_ruleset(shipped_rules())
    phrases = [rule for rule in shipped.rules if rule.detector == "phrase"]
    ruleset = replace(shipped, rules=tuple(phrases))
    sweep = Sweep(ruleset, Thresholds())
    texts = [case.text for rule in phrases for case in rule.cases[:1] + rule.cases[-1:]]
    made = [call_of(text) for text in texts]
    swept = found_by_sweep(made, sweep)
    whole = [[f for f in found_by_engine(call, ruleset) if f.rule_id not in other(sweep)] for call in made]
    assert sum(map(len, swept)) > len(phrases) / 2
    assert swept == whole


def other(sweep: Sweep) -> set[str]:
    return {rule.id for rule in sweep.rest.rules}


def test_a_rule_that_must_see_the_whole_call_is_left_to_the_engine() -> None:
    ruleset = ruleset_of(
        rule_text("a.first", "phrases: [您好]"),
        rule_text("a.both", "phrases: [您好, 再见]\nrequire: all"),
        rule_text("a.reply", "after: a.first\nexpect: a.both", detector="response"),
    )
    sweep = Sweep(ruleset, Thresholds())
    assert {rule.id for rule in sweep.rest.rules} == {"a.first", "a.both", "a.reply"}
    call = call_of("坐席 1.0 您好。\n客户 3.0 喂？\n坐席 5.0 再见。")
    together = sorted([*found_by_sweep([call], sweep)[0], *sweep.judge_rest(call)], key=lambda f: f.rule_id)
    assert together == sorted(found_by_engine(call, ruleset), key=lambda f: f.rule_id)


def test_a_rule_set_without_phrases_has_nothing_to_sieve() -> None:
    ruleset = ruleset_of(rule_text("a.slow", "longer_than_seconds: 1", detector="silence", role="any"))
    sweep, call = Sweep(ruleset, Thresholds()), call_of("坐席 1.0 您好。\n客户 30.0 喂？")
    assert found_by_sweep([call], sweep) == [[]]
    assert sweep.judge_rest(call) == found_by_engine(call, ruleset)


def test_the_sample_changes_the_way_and_not_the_findings() -> None:
    ruleset = phrase_rule("不归我们管", "你找[别的|其他]部门")
    call = call_of("坐席 1.0 这个不归我们管，你找别的不门吧。")
    text = compact(call.transcript).text
    plain, sampled = Sweep(ruleset, Thresholds()), Sweep(ruleset, Thresholds(), [text] * 50)
    assert (
        found_by_sweep([call], plain) == found_by_sweep([call], sampled) == [found_by_engine(call, ruleset)]
    )


def test_a_piece_before_a_gap_is_no_candidate_without_the_piece_behind_it() -> None:
    ruleset = phrase_rule("你们公司…4怎么这样")
    sweep = Sweep(ruleset, Thresholds())
    alone, both = call_of("坐席 1.0 你们公司在哪里？"), call_of("坐席 1.0 你们公司今天怎么这洋？")
    texts = [compact(call.transcript).text for call in (alone, both)]
    assert list(sweep.candidates(texts)) == [1]
    assert found_by_sweep([alone, both], sweep) == [found_by_engine(call, ruleset) for call in (alone, both)]


def test_the_piece_behind_a_gap_may_be_damaged_as_the_engine_allows() -> None:
    ruleset = phrase_rule("(投诉|告)…6没有用的", "我[们]…处理不了")
    sweep, rng = Sweep(ruleset, Thresholds()), random.Random(8)
    said = [
        "你去投诉也没有用的",
        "你告到哪儿都每有用的",
        "偷诉这个没又用",
        "我现在处理不料",
        "我们真的处里不了",
    ]
    made = [call_of(f"坐席 1.0 {text}。", probability=rng.choice((0.3, 0.6, 0.9))) for text in said * 3]
    assert found_by_sweep(made, sweep) == [found_by_engine(call, ruleset) for call in made]


def test_a_sweep_leaves_the_search_for_garbage_as_it_was() -> None:
    for collects in (True, False):
        (gc.enable if collects else gc.disable)()
        Sweep(phrase_rule("不归我们管"), Thresholds())
        kept = gc.isenabled()
        gc.enable()
        assert kept is collects
