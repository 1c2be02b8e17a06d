"""What lint says about rules that can be read: each check on a rule with the fault, and on one without."""

import re
from datetime import date
from pathlib import Path

import pytest
from calls import rule_text
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.lint import CHECKS, Level, Notice, lint, lint_texts
from pipeline.detect.lints import timing
from pipeline.detect.lints.spelling import count, spelled
from pipeline.detect.ordinary import ordinary
from pipeline.detect.pattern import parse
from pipeline.resources import shipped_rules
from pipeline.timeline import Role

TODAY = date(2026, 6, 1)
TOLD = re.compile("发现.*，应为")
CASES = 'cases:\n  - hit: "坐席 3.0 {}。"\n  - miss: "客户 3.0 {}。"\n'


def rule(name: str, *phrases: str, **keys: str) -> dict[str, str]:
    """A rule file with a hit and a miss; further keys replace or follow its own."""
    listed = "phrases:\n" + "".join(f'  - "{phrase}"\n' for phrase in phrases)
    text = rule_text(f"a.{name}", listed + CASES.format(phrases[0], phrases[0]))
    for key, value in keys.items():
        old = next((line for line in text.splitlines() if line.startswith(f"{key}:")), None)
        text = text.replace(old, f"{key}: {value}") if old else f"{text}{key}: {value}\n"
    return {f"a/{name}.yml": text}


def noted(check: str, files: dict[str, str]) -> list[Notice]:
    """What a check says, which is in Chinese whatever it is."""
    notices = [notice for notice in lint_texts(files, TODAY) if notice.check == check]
    assert all(TOLD.match(notice.message) for notice in notices), notices
    return notices


def only(check: str, files: dict[str, str]) -> str:
    (notice,) = noted(check, files)
    return str(notice)


def test_the_checks_are_in_order_and_few_words_each() -> None:
    assert list(CHECKS) == sorted(CHECKS)
    assert all(check.__doc__ for check in CHECKS.values())


def test_a_sound_rule_leaves_nothing_to_say() -> None:
    assert lint_texts(rule("shirking", "这事不归我们部门管"), TODAY) == ()


def test_a_phrase_that_is_written_twice_is_told_with_the_first_place() -> None:
    told = only("duplicate", rule("shirking", "不归我们管", "你找别的部门", "不归 我们管"))
    assert told == ("a/shirking.yml:10:5: 发现说法 `不归 我们管` 写了第二遍，应为只写在第 8 行；删掉一处")


def test_a_phrase_of_another_rule_is_a_duplicate_only_if_both_conclude_the_same() -> None:
    one = rule("one", "不归我们管", category="shirking")
    assert "只写在 a/one.yml:8:5 处" in only(
        "duplicate", one | rule("two", "不归我们管", category="shirking")
    )
    assert not noted("duplicate", one | rule("two", "不归我们管", category="blunt"))
    later = rule("two", "不归我们管", category="shirking", window="{last_turns: 2}")
    assert not noted("duplicate", one | later)


def test_a_phrase_that_another_always_finds_is_told() -> None:
    files = rule("shirking", "(找|问)我也没用", "找我也没用")
    told = only("shadowed", files)
    assert told.startswith(
        "a/shirking.yml:9:5: 发现说法 `找我也没用`，第 8 行的 `(找|问)我也没用` 总能一起找到，应为"
    )


@pytest.mark.parametrize("other", ["(找|问)我也没用", "找我…也没用", "找你也没用", "找我[们]也没用"])
def test_a_phrase_with_a_wording_of_its_own_is_not_shadowed(other: str) -> None:
    told = [str(notice) for notice in noted("shadowed", rule("shirking", "找我也没用", other))]
    assert not [line for line in told if line.startswith("a/shirking.yml:9")]


@pytest.mark.parametrize(
    ("phrase", "keys", "told"),
    [
        ("滚", {}, "听到 1 个字就算，应为至少 2 个字"),
        ("神经", {"match": "exact"}, "听到 2 个字就算，应为至少 3 个字"),
        ("你…4去", {}, "听到 2 个字就算，应为至少 3 个字"),
    ],
)
def test_a_phrase_that_is_cut_out_of_other_words_is_too_short(
    phrase: str, keys: dict[str, str], told: str
) -> None:
    assert told in only("short", rule("blunt", phrase, **keys))


@pytest.mark.parametrize("keys", [{"match": "exact", "anchor": "turn"}, {"anchor": "end"}])
def test_a_short_phrase_that_must_stand_at_an_edge_is_not_too_short(keys: dict[str, str]) -> None:
    assert not noted("short", rule("mechanical", "哦", **keys))


def test_a_phrase_that_an_exception_always_cancels_is_never_found() -> None:
    files = rule("hang_up", "我先挂了", "不挂我挂", **{"except": "[不挂]"})
    assert "发现说法 `不挂我挂`，本规则永远找不到，照着说“不挂我挂”也不行" in only("never-found", files)
    (notice,) = noted("never-found", files)
    assert notice.level is Level.ERROR


def test_a_phrase_that_an_exception_cancels_in_some_wordings_is_found() -> None:
    assert not noted("never-found", rule("hang_up", "我先挂了", "(不|快)挂", **{"except": "[不挂]"}))


@pytest.mark.parametrize("phrase", ["不归…4，…6管", "不归(我们…|你)…管"])
def test_a_gap_that_meets_another_gap_is_an_error(phrase: str) -> None:
    told = only("meeting-gaps", rule("shirking", phrase))
    assert told.startswith("a/shirking.yml:8:5: 发现 `不归"), told


def test_gaps_with_words_between_them_are_fine() -> None:
    assert not noted("meeting-gaps", rule("shirking", "不归…4我们…6管", "不归(我们…|你)的[人]管"))


def test_a_forbidden_phrase_in_ordinary_speech_is_told_with_the_sentence() -> None:
    told = only("harmless-speech", rule("hang_up", "请不要挂断"))
    assert "发现说法 `请不要挂断` 平常话里也有（" in told
    assert "“我帮您转到技术部门，转接的时候请不要挂断。”" in told


def test_what_agents_should_say_may_be_ordinary() -> None:
    assert not noted("harmless-speech", rule("transfer", "请不要挂断", label="transfer"))


def test_a_forbidden_phrase_in_a_case_of_recommended_wording_is_an_error() -> None:
    files = rule("empathy", "您心里一定不好受", label="empathy") | rule("promise", "一定…2好受")
    (notice,) = noted("recommended-wording", files)
    assert notice.level is Level.ERROR
    assert str(notice).startswith("a/promise.yml:8:5: 发现禁用的说法 `一定…2好受` 在该说的话")
    assert "（a.empathy，a/empathy.yml:10:10）" in str(notice)


def test_a_forbidden_phrase_in_a_recommended_phrase_is_a_warning() -> None:
    files = rule("wait", "请您稍等", "麻烦您等一下", label="wait") | rule("blunt", "你等一下")
    (notice,) = noted("recommended-wording", files)
    assert notice.level is Level.WARNING
    assert "“麻烦你等一下”（a.wait）" in str(notice).replace("您", "你")


def test_a_forbidden_phrase_that_counts_under_two_categories_is_told() -> None:
    files = rule("blunt", "你自己看着办", category="blunt") | rule(
        "shirking", "自己看着办", category="shirking"
    )
    told = only("contradiction", files)
    assert "发现 `shirking` 的说法 `自己看着办` 也找到“你自己看着办”，a.blunt 把它归为 `blunt`" in told


def test_a_rule_without_a_hit_or_a_miss_is_an_error() -> None:
    files = {"a/bare.yml": rule("bare", "不归我们管")["a/bare.yml"].replace("  - miss", "  - hit")}
    (notice,) = noted("no-case", files)
    assert notice.level is Level.ERROR
    assert "发现 a.bare 的用例里没有 `miss`，应为 hit、miss 都至少一个" in str(notice)


def test_the_same_call_as_hit_and_miss_is_an_error() -> None:
    text = rule("both", "不归我们管")["a/both.yml"] + '  - miss: "坐席 3.0 不归我们管。"\n'
    assert "发现 miss 的用例在 a/both.yml:10:10 又是 hit" in only("opposite-cases", {"a/both.yml": text})


def test_a_malformed_case_is_an_error_at_its_place() -> None:
    text = rule("bad", "不归我们管")["a/bad.yml"].replace("坐席 3.0", "坐席")
    told = only("unreadable-case", {"a/bad.yml": text})
    assert told.startswith("a/bad.yml:10:10: 发现“坐席 不归我们管。”，应为 `坐席 3.0 说的话`")


def test_a_label_that_is_nearly_a_usual_one_is_a_slip() -> None:
    usual = rule("one", "不归我们管") | rule("two", "你找别的部门")
    told = only("slipped-label", usual | rule("three", "我也没办法", label="forbiden"))
    assert told.startswith("a/three.yml:3:8: 发现 label `forbiden` 别的规则都没有，应为")
    assert told.endswith("；是不是想写 `forbidden`？")
    assert not noted("slipped-label", usual | rule("three", "我也没办法", label="empathy"))


def test_a_phrase_with_too_many_wordings_is_slow_unless_it_allows_no_edits() -> None:
    many = "".join(f"({'|'.join(first + second for second in '东西南北中')})" for first in "甲乙丙丁戊己")
    assert "展开有 15625 种，应为最多 5000 种，或 `max_edits: 0`" in only("slow", rule("many", many))
    assert not noted("slow", rule("many", many, max_edits="0"))


def test_a_phrase_that_takes_long_over_ordinary_talk_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "MOST_MS", 0.0)
    assert "毫秒，应为最多 0 毫秒；减少选项" in only("slow", rule("any", "你找别的部门"))


def test_a_rule_that_cannot_be_read_does_not_keep_the_others_from_being_checked() -> None:
    files = rule("broken", "不归我们管", role="agnet") | rule("twice", "你找别的部门", "你找别的部门")
    assert [notice.check for notice in lint_texts(files, TODAY)] == ["file", "duplicate"]


def test_the_shipped_rules_have_no_error_and_no_warning_without_a_reason() -> None:
    notices = lint(shipped_rules(), TODAY)
    assert not [str(notice) for notice in notices if notice.level is not Level.ACCEPTED]
    assert all(notice.reason for notice in notices)


def remarked(remark: str) -> list[tuple[str, Level, str]]:
    """What lint says of a short phrase with a remark behind it."""
    text = rule("short", "撵")["a/short.yml"].replace('"撵"\n', f'"撵"  # lint: {remark}\n', 1)
    return [(n.check, n.level, n.reason) for n in lint_texts({"a/short.yml": text}, TODAY)]


def test_a_warning_with_a_reason_behind_its_line_is_accepted() -> None:
    assert remarked("short 两个字就够") == [("short", Level.ACCEPTED, "两个字就够")]


def test_a_remark_needs_a_reason_and_a_warning_that_it_is_about() -> None:
    assert [(check, level) for check, level, _ in remarked("short")] == [
        ("short", Level.WARNING),
        ("accepted", Level.WARNING),
    ]
    assert ("accepted", Level.WARNING, "") in remarked("slow 只有开头才听")
    assert ("accepted", Level.WARNING, "") in remarked("shorter 写错了")


def test_two_remarks_may_stand_behind_one_line() -> None:
    told = remarked("short 两个字就够 # lint: slow 并不慢")
    assert ("short", Level.ACCEPTED, "两个字就够") in told
    assert ("accepted", Level.WARNING, "") in told


def test_no_remark_is_one_too_many_while_a_file_cannot_be_read() -> None:
    text = rule("short", "撵")["a/short.yml"].replace(
        '"撵"\n', '"撵"  # lint: contradiction 两条规则各说各的\n', 1
    )
    broken = rule("broken", "你找别的部门", role="agnet")["a/broken.yml"]
    assert "accepted" in [notice.check for notice in lint_texts({"a/short.yml": text}, TODAY)]
    told = lint_texts({"a/short.yml": text, "a/broken.yml": broken}, TODAY)
    assert "accepted" not in [notice.check for notice in told]


def test_an_error_cannot_be_accepted() -> None:
    text = rule("twice", "你找别的部门", role="agnet")["a/twice.yml"]
    text = text.replace("role: agnet", "role: agnet  # lint: file 就要这样")
    assert Level.ERROR in [notice.level for notice in lint_texts({"a/twice.yml": text}, TODAY)]


def test_ordinary_sentences_are_many_and_of_both_sides() -> None:
    lines = ordinary()
    assert len(lines) >= 400
    assert len({line.text for line in lines}) == len(lines)
    assert {line.role for line in lines} == {Role.AGENT, Role.CUSTOMER}


words = st.text("你找他部门管不归问", min_size=1, max_size=3)
choices = st.lists(words, min_size=1, max_size=3, unique=True).map(lambda w: f"({'|'.join(w)})")
patterns = st.lists(words | choices, min_size=1, max_size=4).map("".join)


@given(patterns, st.integers(1, 30))
def test_wordings_are_different_and_as_many_as_there_are(text: str, most: int) -> None:
    pattern = parse(text)
    written = spelled(pattern, most)
    assert len(written) <= min(most, count(pattern))
    assert all(pattern.least <= len(wording) <= pattern.most for wording in written)


def test_a_pattern_is_written_out_in_all_its_wordings() -> None:
    assert set(spelled(parse("你[去|就](找|问)他"), 10)) == {
        "你找他",
        "你问他",
        "你去找他",
        "你去问他",
        "你就找他",
        "你就问他",
    }
    assert set(spelled(parse("不归…1管"), 10, gaps=True)) == {"不归管", "不归某管"}
    assert spelled(parse("像{phrase}这种"), 10) == ()


def test_every_rule_in_a_folder_is_linted_whatever_its_ending(tmp_path: Path) -> None:
    for name, text in (rule("one", "滚") | rule("two", "滚")).items():
        (tmp_path / Path(name).with_suffix(".yaml").name).write_text(text, encoding="utf-8")
    assert [n.source.path for n in lint(tmp_path, TODAY) if n.check == "short"] == ["one.yaml", "two.yaml"]


def similar(name: str, *examples: str, unlike: tuple[str, ...] = (), **keys: str) -> dict[str, str]:
    """A rule of meaning; its own keys may be replaced."""
    known = {"label": "forbidden", "category": "blunt", "role": "agent"} | keys
    head = f"id: a.{name}\ntitle: 例\nwhy: 例。\ndetector: similar\n"
    head += "".join(f"{key}: {value}\n" for key, value in known.items())
    lists = "examples:\n" + "".join(f"  - {text}\n" for text in examples)
    lists += "unlike:\n" + "".join(f"  - {text}\n" for text in unlike) if unlike else ""
    return {f"a/{name}.yml": head + lists + CASES.format(examples[0], examples[0])}


BLUNT = ("你先听我把话说完", "嚷什么嚷", "别跟我扯这些", "名字，叫什么", "照我说的做就行")


def test_a_sound_rule_of_meaning_leaves_nothing_to_say() -> None:
    assert lint_texts(similar("blunt", *BLUNT, unlike=("请您先听我说完",)), TODAY) == ()


def test_an_example_that_sounds_like_one_before_is_told() -> None:
    told = only("example-twice", similar("blunt", *BLUNT, "嚷什么让"))
    assert told.startswith("a/blunt.yml:14:5: 发现“嚷什么让”写了第二遍，应为只写在第 10 行")


def test_an_example_that_is_a_counter_example_is_an_error() -> None:
    (notice,) = noted("example-twice", similar("blunt", *BLUNT, unlike=("嚷什么嚷",)))
    assert notice.level is Level.ERROR
    assert str(notice).startswith("a/blunt.yml:15:5: 发现反例“嚷什么嚷”，在第 10 行是例句")


def test_an_example_of_two_categories_is_told() -> None:
    files = similar("blunt", *BLUNT) | similar("hurry", *BLUNT[:4], "催什么催", category="impatience")
    assert len(noted("example-contradiction", files)) == 4
    assert not noted("example-contradiction", similar("blunt", *BLUNT) | similar("other", *BLUNT))


def test_an_example_that_sounds_like_ordinary_speech_is_told_with_the_sentence() -> None:
    told = only("example-harmless", similar("blunt", *BLUNT, "转接的时候请不要挂断"))
    assert "a/blunt.yml:14:5: 发现例句“转接的时候请不要挂断”，听起来像平常话“" in told


def test_an_example_that_sounds_like_recommended_wording_is_an_error() -> None:
    files = similar("blunt", *BLUNT, "您心里一定很不好受") | rule(
        "empathy", "您心里一定很不好受", label="empathy"
    )
    (notice,) = noted("example-recommended", files)
    assert notice.level is Level.ERROR
    assert "该说的话“您心里一定很不好受。”（a.empathy，a/empathy.yml:10:10）" in str(notice)


def test_a_forbidden_phrase_in_an_example_of_recommended_wording_is_an_error() -> None:
    wanted = ("这事搁谁都难受", "换我也会着急", "听着都替您委屈", "您的难处我懂", "您心里一定不好受")
    files = similar("empathy", *wanted, label="empathy", category="empathy") | rule("promise", "一定…2好受")
    (notice,) = noted("recommended-wording", files)
    assert notice.level is Level.ERROR
    assert "“您心里一定不好受”（a.empathy，a/empathy.yml:13:5）" in str(notice)


def expression(*texts: str) -> dict[str, str]:
    lists = "regex:\n" + "".join(f"  - '{text}'\n" for text in texts)
    return {"a/number.yml": rule_text("a.number", lists + CASES.format("工号1021", "工号1021"))}


@pytest.mark.parametrize(
    ("check", "text", "told"),
    [
        ("regex-short", "[0-9]|号", "有一个字（“"),
        ("regex-unbounded", "工号.*[0-9]", "里的 `.*` 会一直管到"),
        ("regex-wide", "(您|我|的)[^。]", "句平常话里找到 "),
    ],
)
def test_an_expression_that_fits_too_much_is_told(check: str, text: str, told: str) -> None:
    assert told in only(check, expression(text))
    assert not noted(check, expression("工号[，：]?[0-9]{4}"))


def test_an_expression_that_is_written_twice_is_told() -> None:
    told = only("regex-repeated", expression("工号[0-9]{4}", "工号[0-9]{4}"))
    assert told.startswith("a/number.yml:9:5: 发现正则表达式 `工号[0-9]{4}` 写了第二遍")


def test_an_expression_that_takes_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "MOST_MS", -1.0)
    assert "毫秒，应为最多" in only("regex-slow", expression("工号[0-9]{4}"))


def test_a_longer_phrase_forgives_more_and_is_not_shadowed() -> None:
    assert not noted("shadowed", rule("name", "贵姓", "请问贵姓"))
