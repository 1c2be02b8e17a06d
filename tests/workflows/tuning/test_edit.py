"""Changing a rule file's text and nothing else."""

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.detect.document import read
from pipeline.workflows.tuning.edit import patch, with_entries

BLOCK = """\
id: a.b   # the name
phrases:
  # 第一组
  - 不归我们管
  - "[先|得]自己去"

cases:
  - hit: "坐席 1.0 好"
"""


def entries(text: str, key: str) -> list[str]:
    return list(read("x.yml", text).values[key])


def test_entries_go_to_the_end_of_a_list_and_the_rest_stays() -> None:
    after = with_entries(read("x.yml", BLOCK), "phrases", ["找别人"])
    assert entries(after, "phrases") == ["不归我们管", "[先|得]自己去", "找别人"]
    assert after.replace("  - 找别人\n", "") == BLOCK


def test_a_list_on_one_line_stays_on_one_line() -> None:
    text = 'id: a.b\nphrases: [哦, "哦]", 嗯]  # short\nrole: agent\n'
    after = with_entries(read("x.yml", text), "phrases", ["啊"])
    assert entries(after, "phrases") == ["哦", "哦]", "嗯", "啊"]
    assert after.endswith("]  # short\nrole: agent\n")


def test_a_missing_list_is_made_before_the_cases() -> None:
    after = with_entries(read("x.yml", BLOCK), "except", ["他说{phrase}"])
    assert entries(after, "except") == ["他说{phrase}"]
    assert list(read("x.yml", after).values) == ["id", "phrases", "except", "cases"]


def test_nothing_to_add_changes_nothing() -> None:
    assert with_entries(read("x.yml", BLOCK), "phrases", []) == BLOCK
    assert patch("x.yml", BLOCK, BLOCK) == ""


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
@example("是")
@example("no")
@example("\x85")
@example("a: b # c")
def test_every_text_reads_back_as_it_was_written(text: str) -> None:
    for written in (BLOCK, "phrases: [哦]\n"):
        after = with_entries(read("x.yml", written), "phrases", [text])
        assert entries(after, "phrases")[-1] == text
