"""A rules folder and an archive of scripted calls, with decisions of an inspector."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
from small_rules import SHIRKING, THANKS

from pipeline.detect.load import load_ruleset
from pipeline.detect.script import call_of
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import RuleSet
from pipeline.scorecard import Decision, Review
from pipeline.settings import Settings
from pipeline.speech.sentences import SentenceEncoder
from pipeline.storage.mapping import storable
from pipeline.storage.store import Store
from pipeline.timeline import Direction
from pipeline.vectors import Vectors
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import judge

NOON = datetime(2024, 5, 6, 4, tzinfo=UTC)
SETTINGS = Settings()
PROBABILITY = 0.75
"""Heard so that one wrong character in seven is just over the budget."""

MEANT = """\
id: forbidden.shirking_meaning
title: 推诿（按意思）
label: forbidden
category: shirking
why: 客户第一次来电就应有人负责到底。
detector: similar
role: agent
examples:
  - 这不归我们管
  - 这事不归我管
  - 不是我们负责的
  - 您找其他部门问吧
  - 我们管不了这个
  - 跟我们没有关系
  - 你自己想想办法
  - 您自己想办法
unlike:
  - 我帮您转到负责的部门
  - 这个归我们负责
  - 我来想办法
cases:
  - hit: "坐席 3.0 这事跟我们没有关系。"
  - miss: "坐席 3.0 我来想办法。"
"""
TEMPLATE = """\
id: form
title: 评分表
version: 1
sections:
  - title: 全部
    items:
      - id: shirking
        title: 不推诿
        points: 10
        fill: auto
        levels:
          - {title: 推诿, points: 0, when: {present: forbidden.shirking}}
          - {title: 优秀, points: 10, when: always}
      - id: thanks
        title: 致谢
        points: 5
        fill: auto
        levels:
          - {title: 优秀, points: 5, when: {present: closing.thanks}}
          - {title: 没有, points: 0, when: always}
"""

CALLS = {
    "c1": "坐席 1.0 您好。\n客户 3.0 我的快递呢？\n坐席 5.0 这个不归我们管，你自己想想办法。",
    "c2": "坐席 1.0 您好。\n坐席 4.0 像不归我们管这样的话，我们绝对不说。\n坐席 9.0 感谢您的来电。",
    "c3": "坐席 1.0 您好。\n客户 3.0 是不是不归你们管？\n坐席 5.0 您放心，我来查。\n坐席 9.0 感谢您的来电。",
    "c4": "坐席 1.0 您好。\n坐席 3.0 这事跟我们没关系。\n坐席 9.0 感谢您的来电。",
    "c5": "坐席 1.0 您好。\n坐席 3.0 快递明天到。",
}


def rules_folder(folder: Path, **changed: str) -> Path:
    """The rules above; `shirking=...` and so on replace a file's text."""
    texts = {"shirking": SHIRKING, "thanks": THANKS, "form": TEMPLATE} | changed
    places = {"form": "scorecards/form.yml"}
    for name, text in texts.items():
        path = folder / places.get(name, f"a/{name}.yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class Characters:
    """A sentence encoder: sentences that share characters have vectors that are alike."""

    name = "characters:1"

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), 64))
        for i, text in enumerate(texts):
            for char in text:
                rows[i, zlib.crc32(char.encode()) % 64] += 1
        lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return np.rint(rows / lengths * 127).astype(np.int8)


class Plain(Understanding):
    """Understands by characters alone."""

    encoder = cast(SentenceEncoder, Characters())
    name = Characters.name


def archive(
    folder: Path,
    ruleset: RuleSet,
    calls: dict[str, str] | None = None,
    understanding: Understanding | None = None,
    url: str = "",
) -> Store:
    """The scripted calls, scored and stored, each a minute after the one before; without `url` in a database
    in the folder."""
    ruleset = understanding.taught(ruleset) if understanding else ruleset
    store = Store.open(url or f"sqlite:///{folder}/calls.db")
    for number, (name, script) in enumerate((calls or CALLS).items()):
        call = call_of(script, probability=PROBABILITY)
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        recording = replace(
            call.recording,
            id=sha256[:16],
            sha256=sha256,
            path=f"archive/{name}.wav",
            call_id=name,
            started_at=NOON + timedelta(minutes=number),
            agent_id=f"10{number % 2}",
            business=("快递", "话费")[number % 2],
            direction=Direction.INBOUND,
        )
        call = replace(call, recording=recording, transcript=storable(call.transcript))
        call = understanding.with_sentences(call) if understanding else call
        scored = judge(call, ruleset, SETTINGS)
        store.save_night_result(scored, at=NOON, reason="nightly")
    return store


def shipped_like(folder: Path, calls: dict[str, str] | None = None, url: str = "") -> tuple[Path, Store]:
    """The rules in `folder/rules` and the archive beside them, or in the database of the URL."""
    rules = rules_folder(folder / "rules")
    return rules, archive(folder, load_ruleset(rules), calls, url=url)


def meant_like(folder: Path, calls: dict[str, str] | None = None) -> tuple[Path, Store, Plain]:
    """The same with a rule of meaning, and what understands it."""
    understanding = Plain(Settings(cache=str(folder / "cache")))
    rules = rules_folder(folder / "rules", meant=MEANT)
    return rules, archive(folder, load_ruleset(rules), calls, understanding), understanding


def finding_of(store: Store, name: str, rule_id: str) -> Finding:
    """What the stored scoring of a call says for a rule."""
    stored = store.latest(store.find_call(name).id)
    return next(finding for finding in stored.findings if finding.rule_id == rule_id)


def decide(store: Store, name: str, rule_id: str, *, right: bool, minute: int = 0) -> Finding:
    """An inspector says that the finding is right or wrong."""
    finding = finding_of(store, name, rule_id)
    store.add_review(
        Review(
            recording_id=finding.recording_id,
            who="质检员",
            at=NOON + timedelta(days=1, minutes=minute),
            decision=Decision.FINDING_TRUE if right else Decision.FINDING_FALSE,
            target=finding.id,
            value="",
            reason="",
        )
    )
    return finding


def is_present(finding: Finding) -> bool:
    return finding.outcome is Outcome.PRESENT
