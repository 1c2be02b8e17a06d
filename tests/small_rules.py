"""Small rules that several folders of tests share: two as they are written, and one as a value."""

from pipeline.ruleset import Rule, Severity, Status, Window
from pipeline.scope import Applies, Source
from pipeline.timeline import Role

SHIRKING = """\
id: forbidden.shirking
title: 推诿
label: forbidden
category: shirking
why: 客户第一次来电就应有人负责到底。
detector: phrase
role: agent
phrases:
  - 不归我们管
cases:
  - hit: "坐席 3.0 这个不归我们管。"
  - miss: "客户 3.0 这个不归我们管。"
"""
THANKS = """\
id: closing.thanks
title: 致谢
label: thanks
why: 通话结束时致谢。
detector: phrase
role: agent
phrases: [感谢您的来电]
cases:
  - hit: "坐席 3.0 感谢您的来电。"
  - miss: "客户 3.0 感谢您的来电。"
"""


def a_rule(rule_id: str, title: str = "推诿", category: str | None = None) -> Rule:
    """A rule as a value; its label is the area of its id."""
    return Rule(
        id=rule_id,
        title=title,
        why="",
        label=rule_id.split(".")[0],
        category=category,
        severity=Severity.MAJOR,
        status=Status.ACTIVE,
        detector="phrase",
        role=Role.AGENT,
        window=Window(),
        applies=Applies(),
        parameters=None,
        cases=(),
        digest="d",
        source=Source(path=f"{rule_id.replace('.', '/')}.yml", line=1),
    )
