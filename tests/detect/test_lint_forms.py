"""What lint says about scorecards: each check on a form with the fault, and none on a sound one."""

from datetime import date

import pytest

from pipeline.detect.lint import lint_texts

TODAY = date(2026, 3, 1)
RULE = """id: a.{name}
title: {name}
label: x
why: x
detector: phrase
role: agent
phrases: [{phrase}]
cases:
  - hit: "坐席 1.0 {phrase}。"
  - miss: "坐席 1.0 订单已经发出。"
"""
RULES = {
    "a/thanks.yml": RULE.format(name="thanks", phrase="感谢您的来电"),
    "a/help.yml": RULE.format(name="help", phrase="请问有什么可以帮您"),
}
FORM = """id: small
title: 小表
version: 1
points: 10
sections:
  - title: 开头
    weight: 40
    points: 4
    items:
      - id: help
        title: 询问
        points: 4
        fill: auto
        levels:
          - {title: 优, points: 4, when: {present: a.help}}
          - {title: 良, points: 3, lowest: 2}
          - {title: 差, points: 0, when: {absent: a.help}}
  - title: 结尾
    weight: 60
    points: 6
    items:
      - id: thanks
        title: 致谢
        points: 6
        fill: auto
        deductions: [{rule: a.thanks, points: 1}]
"""


def notices(text: str, **others: str) -> list[str]:
    files = RULES | {"scorecards/small.yml": text} | {f"scorecards/{k}.yml": v for k, v in others.items()}
    return [f"{n} [{n.check}]" for n in lint_texts(files, TODAY)]


def test_a_sound_form_has_nothing_to_say() -> None:
    assert notices(FORM) == []


HELP_MISSING = "{absent: a.help}"
THANKS = "        deductions: [{rule: a.thanks, points: 1}]\n"
FATAL = "\nfatal: [{id: f, title: 泄密, zero: section, section: s3}]"


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        (
            "    points: 4\n    i",
            "    points: 5\n    i",
            "8:13",
            "各项相加是 4，应为本维度印的 5",
        ),
        ("points: 10", "points: 100", "4:9", "各项相加是 10，应为印的总分 100；要折合就写 `full: 100`"),
        ("weight: 60", "weight: 50", "7:13", "权重相加是 90，应为 100"),
        (
            "优, points: 4,",
            "优, points: 3.5,",
            "12:17",
            "最高一级是 3.5 分，应为本项目的满分 4 分",
        ),
        ("lowest: 2", "lowest: 0", "17:32", "发现 0 分，应为低于上一级“良”的 0 分"),
        (
            "version: 1",
            "version: 1\npass_mark: 11",
            "4:12",
            "合格线 11 分，应为不高于满分 10 分",
        ),
        (HELP_MISSING, "{present: a.help}", "17:41", "发现只有“优”也成立时才成立的条件"),
        (HELP_MISSING, "{all: [{present: a.help}, {present: a.thanks}]}", "17:41", "只有“优”也成立时才成立"),
        (
            HELP_MISSING,
            "{all: [{present: a.thanks}, {absent: a.thanks}]}",
            "17:41",
            "发现永远不成立的条件，应为能成立的",
        ),
        (THANKS, "", "25:15", "发现 `auto` 而 `when`、`deductions` 都没有"),
        (
            "fill: auto\n" + THANKS,
            "fill: manual\n",
            "25:15",
            "发现 `manual` 而没有理由，应为写 `manual_because:`",
        ),
        ("rule: a.thanks", "rule: a.thank", "26:29", "；是不是想写 `a.thanks`？"),
        ("version: 1", "version: 1" + FATAL, "4:52", "发现维度 `s3` 不存在，应为已有维度的 id"),
    ],
)
def test_a_fault_is_told_with_its_place(old: str, new: str, place: str, said: str) -> None:
    assert old in FORM
    found = notices(FORM.replace(old, new, 1))
    assert any(line.startswith(f"scorecards/small.yml:{place}: ") and said in line for line in found), found


def test_a_printed_total_that_is_normalised_is_no_fault() -> None:
    assert notices(FORM.replace("points: 10", "points: 100\nfull: 100", 1)) == []


OTHER = FORM.replace("id: small", "id: other")
PLACE = "applies: {direction: [inbound], from: 2026-01-01, until: 2026-06-30}\n"


@pytest.mark.parametrize(
    ("first", "second", "is_ambiguous"),
    [
        ("", "", True),
        ("", "use: on_request\n", False),
        ("", "applies: {direction: [inbound]}\n", False),
        (PLACE, PLACE, True),
        (PLACE, PLACE.replace("inbound", "outbound"), False),
        (PLACE, PLACE.replace("2026-01-01", "2026-07-01").replace("06-30", "12-31"), False),
        ("applies: {business: [宽带, 话费]}\n", "applies: {business: [话费]}\n", True),
        ("applies: {business: [宽带]}\n", "applies: {business: [话费]}\n", False),
    ],
)
def test_two_forms_for_the_same_calls_are_ambiguous(first: str, second: str, is_ambiguous: bool) -> None:
    found = [line for line in notices(OTHER + second, another=FORM + first) if "ambiguous-choice" in line]
    assert bool(found) is is_ambiguous
