"""A form that two inspectors fill in, and calls to fill it in for."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from small_rules import SHIRKING, THANKS

from pipeline.detect.load import load_ruleset
from pipeline.detect.script import call_of
from pipeline.scorecard import Scorecard, ScoredItem
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import judge
from pipeline.workflows.rescore import Scorer
from pipeline.workflows.review.decide import review
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.sheet import Sheet

NOON = datetime(2024, 5, 6, 4, tzinfo=UTC)
DAY = timedelta(days=1)
SETTINGS = Settings()

FORM = """\
id: form
title: 评分表
version: 1
reviews: {{blind: {blind}, combine: {combine}}}
appeal: {{days: 3}}
fatal:
  - id: rude
    title: 辱骂客户
    when: {{present: forbidden.shirking}}
    zero: card
sections:
  - title: 全部
    items:
      - id: shirking
        title: 不推诿
        points: 10
        fill: auto
        deductions:
          - {{rule: forbidden.shirking, points: 4, per: finding, text: 推诿一次扣 4 分}}
      - id: thanks
        title: 致谢
        points: 5
        fill: auto
        levels:
          - {{title: 优, points: 5, text: 致谢, when: {{present: closing.thanks}}}}
          - {{title: 差, points: 0, text: 没有, when: always}}
      - id: tone
        title: 语气
        points: 5
        fill: manual
        manual_because: 语气只能由人听
        levels:
          - {{title: 优, points: 5, text: 亲切}}
          - {{title: 良, points: 4, lowest: 3, text: 平稳}}
          - {{title: 差, points: 0, text: 生硬}}
"""

CALLS = {
    "c1": "坐席 1.0 您好。\n客户 3.0 我的快递呢？\n坐席 5.0 这个不归我们管，你自己想想办法。",
    "c2": "坐席 1.0 您好。\n客户 3.0 好的。\n坐席 9.0 感谢您的来电。",
}


def archive(folder: Path, url: str = "", *, blind: bool = False, combine: str = "final") -> Store:
    """The calls above, scored at noon, without `url` in a database in the folder; their agents are 101 and
    102."""
    texts = {"a/shirking.yml": SHIRKING, "a/thanks.yml": THANKS}
    texts["scorecards/form.yml"] = FORM.format(blind=str(blind).lower(), combine=combine)
    for name, text in texts.items():
        path = folder / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    ruleset = load_ruleset(folder / "rules")
    store = Store.open(url or f"sqlite:///{folder}/calls.db")
    for number, (name, script) in enumerate(CALLS.items()):
        call, sha256 = call_of(script), hashlib.sha256(name.encode()).hexdigest()
        recording = replace(
            call.recording,
            id=sha256[:16],
            sha256=sha256,
            path=f"archive/{name}.wav",
            call_id=name,
            started_at=NOON,
            agent_id=f"10{number + 1}",
        )
        scored = judge(replace(call, recording=recording), ruleset, SETTINGS)
        store.save_night_result(scored, at=NOON, reason="nightly")
    return store


def decide(store: Store, who: str, call: str = "c1", *, at: datetime = NOON, **marks: object) -> Sheet:
    """What the inspector sees afterwards. `decide(store, "王", values=(("tone", "良"),))`"""
    return review(store, call, Marks(who=who, **marks), at=at)[1]  # type: ignore[arg-type]


def latest(store: Store, call: str = "c1") -> Scorecard:
    card = store.latest(store.find_call(call).id).scorecard
    assert card is not None
    return card


def item(card: Scorecard, name: str) -> ScoredItem:
    return next(found for found in card.items if found.id == name)


def points(store: Store, name: str, call: str = "c1") -> str:
    return str(item(latest(store, call), name).points)


def scorer(store: Store, folder: Path) -> Scorer:
    """What scores with the rules of the folder as they are now."""
    return Scorer(store=store, ruleset=load_ruleset(folder / "rules"), understanding=Understanding(SETTINGS))
