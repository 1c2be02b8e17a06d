"""A database with one scored call, and the rules that scored it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.detect.load import parse_ruleset
from pipeline.detect.script import call_of
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.storage.mapping import storable
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.timeline import AgentChannel, Call, Direction, Provenance
from pipeline.workflows.dispute.correct import Signed
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import BY_RULE, judge
from pipeline.workflows.rescore import Scorer

NOON = datetime(2024, 5, 6, 4, tzinfo=UTC)
"""Noon in Shanghai."""
MADE_BY = Provenance(pipeline="2", model="fake", model_sha256="0" * 64, settings_digest="0" * 16)
SAID = """\
坐席 1.0 您好，宫号一零二一。
客户 4.0 我的快递丢了。
坐席 7.0 这个不归我们管。
客户 10.0 那再见。
坐席 12.0 再见。
"""
GREETING = """\
id: greeting.word
title: 问候语
label: greeting_word
why: w
detector: phrase
role: agent
phrases: [您好]
"""
NUMBER = """\
id: greeting.number
title: 报工号
label: agent_id
why: w
detector: phrase
role: agent
match: exact
phrases: [工号]
"""
SHIRKING = """\
id: forbidden.shirking
title: 推诿
label: forbidden
why: w
detector: phrase
role: agent
phrases: [不归我们管]
"""
CARD = """\
id: small
title: 小评分表
version: 1
origin: 测试
sections:
  - title: 开头
    items:
      - id: greeting
        title: 问候
        points: 5
        fill: auto
        levels:
          - {title: 优, points: 5, text: 有, when: {present: greeting.word}}
          - {title: 差, points: 0, text: 没有, when: {absent: greeting.word}}
      - id: number
        title: 报工号
        points: 5
        fill: auto
        levels:
          - {title: 优, points: 5, text: 有, when: {present: greeting.number}}
          - {title: 差, points: 0, text: 没有, when: {absent: greeting.number}}
  - title: 态度
    items:
      - id: attitude
        title: 负责
        points: 10
        fill: auto
        levels:
          - {title: 差, points: 0, text: 推诿, when: {present: forbidden.shirking}}
          - {title: 优, points: 10, text: 负责, when: {absent: forbidden.shirking}}
"""
FILES = {
    "a/greeting.yml": GREETING,
    "a/number.yml": NUMBER,
    "a/shirking.yml": SHIRKING,
    "scorecards/small.yml": CARD,
}


def a_call() -> Call:
    call = call_of(SAID)
    about = replace(
        call.recording,
        id="a" * 16,
        sha256="a" * 64,
        call_id="c1",
        path="/nowhere/c1.wav",
        agent_id="1021",
        direction=Direction.INBOUND,
        agent_channel=AgentChannel.LEFT,
        started_at=NOON - timedelta(hours=3),
    )
    return Call(recording=about, transcript=storable(replace(call.transcript, provenance=MADE_BY)))


def rules(files: Mapping[str, str] = FILES) -> RuleSet:
    return parse_ruleset(files)


def filled(folder: Path, settings: Settings | None = None) -> Store:
    """A database in which the call was scored at noon."""
    store = Store.open(f"sqlite:///{folder}/calls.db")
    store.save_night_result(judge(a_call(), rules(), settings or Settings()), at=NOON, reason="nightly")
    return store


def scorer(store: Store, ruleset: RuleSet | None = None) -> Scorer:
    return Scorer(store=store, ruleset=ruleset or rules(), understanding=Understanding(Settings()))


def rescored(store: Store, ruleset: RuleSet, *, days: int = 1) -> StoredCall:
    """The call scored again so many days later."""
    making = scorer(store, ruleset)
    added = making.add("a" * 16, making.again(BY_RULE, "rescore"), at=NOON + timedelta(days=days))
    return store.scoring(added.scorecard_id)


def signed(reason: str = "申诉", days: int = 1) -> Signed:
    return Signed(who="王组长", at=NOON + timedelta(days=days), reason=reason)
