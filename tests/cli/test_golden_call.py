"""One made-up call under three small rules, as a person sees it. The golden file is meant to be read."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from pipeline.cli.render import call_view
from pipeline.cli.wrapping import break_between_characters
from pipeline.detect.load import parse_ruleset
from pipeline.detect.script import call_of
from pipeline.settings import Settings
from pipeline.timeline import Direction
from pipeline.workflows.document import CallDocument, call_document
from pipeline.workflows.process_call import judge

GOLDEN = Path(__file__).parents[1] / "data/golden/show.txt"

CALL = """坐席 1.0 您好，工号一零二一，请问有什么可以帮您？
客户 7.0 我的快递丢了，怎么办？
坐席 10.0 这个不归我们管，你问问别人。
坐席 15.0 请稍等，我查一下。
等待音乐 18.0 30.0
客户 31.0 喂？"""

FILES = {
    "greeting/word.yml": """
id: greeting.word
title: 问候语
why: 先问好。
label: greeting_word
detector: phrase
role: agent
window: {first_turns: 1}
phrases: [您好, 你好]
cases:
  - hit: 坐席 1.0 您好。
  - miss: 坐席 1.0 什么事？
""",
    "forbidden/shirking.yml": """
id: forbidden.shirking
title: 推诿
why: 第一次来电就应有人负责到底。
label: forbidden
category: shirking
detector: phrase
role: agent
phrases: [不归我们管]
cases:
  - hit: 坐席 1.0 不归我们管。
  - miss: 客户 1.0 是不是不归你们管？
""",
    "closing/goodbye.yml": """
id: closing.goodbye
title: 道别
why: 好好说再见。
label: goodbye
detector: phrase
role: agent
phrases: [再见]
cases:
  - hit: 坐席 1.0 再见。
  - miss: 坐席 1.0 好的。
""",
    "scorecards/small.yml": """
id: small
title: 小评分表
version: 1
origin: 测试
pass_mark: 18
sections:
  - title: 开头与结尾
    items:
      - id: greeting
        title: 问候
        points: 5
        fill: auto
        levels:
          - {title: 优, points: 5, text: 有问候, when: {present: greeting.word}}
          - {title: 差, points: 0, text: 没有问候, when: {absent: greeting.word}}
      - id: goodbye
        title: 道别
        points: 5
        fill: auto
        levels:
          - {title: 优, points: 5, text: 有道别, when: {present: closing.goodbye}}
          - {title: 差, points: 0, text: 没有道别, when: {absent: closing.goodbye}}
  - title: 态度
    items:
      - id: attitude
        title: 负责
        points: 10
        fill: assist
        levels:
          - {title: 优, points: 10, text: 负责到底}
          - {title: 差, points: 0, text: 推诿, when: {present: forbidden.shirking}}
      - id: words
        title: 用语
        points: 5
        fill: auto
        accept_from: 0.95
        deductions: [{rule: forbidden.shirking, points: 2, text: 推诿每处扣 2 分}]
""",
}


def document() -> CallDocument:
    call = call_of(CALL)
    recording = replace(
        call.recording,
        call_id="c1",
        path="/录音/c1.wav",
        agent_id="1021",
        direction=Direction.INBOUND,
        business="快递查询",
        codec="pcm_alaw",
        started_at=datetime(2024, 5, 6, 1, 12, tzinfo=UTC),
        is_complaint=True,
    )
    ruleset = parse_ruleset(FILES)
    scored = judge(replace(call, recording=recording), ruleset, Settings())
    return call_document(recording, scored.transcript, tuple(scored.findings), scored.scorecard, ruleset)


def printed() -> str:
    break_between_characters()
    console = Console(width=110, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(call_view(document(), Settings()))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def test_the_page_is_the_golden_one() -> None:
    assert printed() == GOLDEN.read_text(encoding="utf-8")


def test_the_same_call_under_the_same_rules_gives_the_same_bytes() -> None:
    assert document().model_dump_json() == document().model_dump_json()


if __name__ == "__main__":
    GOLDEN.write_text(printed(), encoding="utf-8")
