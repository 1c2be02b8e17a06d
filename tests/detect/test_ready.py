"""Rule sets that were made ready are kept: used where nothing changed, made anew where anything did."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calls import phrase_rule

from pipeline.detect.archive import ready
from pipeline.detect.archive.compact import Unpacked, compact
from pipeline.detect.archive.ready import MOST_KEPT
from pipeline.detect.archive.sweep import Sweep, shows_something
from pipeline.detect.engine import run
from pipeline.detect.scene import Thresholds
from pipeline.detect.script import call_of
from pipeline.findings import Finding
from pipeline.ruleset import RuleSet

CALL = call_of("坐席 1.0 这个不龟我们馆，你找别的不门吧。\n客户 9.0 不归我们管。")
RULES = phrase_rule("不归我们管", "你找[别的|其他]部门")


def found(ruleset: RuleSet, cache: Path | None) -> list[Finding]:
    sweep, form = Sweep(ruleset, Thresholds(), cache=cache), compact(CALL.transcript)
    places = sweep.candidates([form.text])
    return sweep.judge(CALL.recording, Unpacked(form), places[0]) if places else []


def by_engine(ruleset: RuleSet) -> list[Finding]:
    return list(filter(shows_something, run(CALL, ruleset)))


def kept(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


def test_what_was_kept_is_used_and_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(RULES, tmp_path) == by_engine(RULES) != []
    monkeypatch.setattr(ready, "_made", None)
    assert found(RULES, tmp_path) == by_engine(RULES)
    assert len(kept(tmp_path)) == 1


def test_another_phrase_edit_or_way_to_match_is_made_anew(tmp_path: Path) -> None:
    sets = [
        RULES,
        phrase_rule("不归我们管", "你找[别的|其他]部"),
        phrase_rule("不归我们管", "你找[别的|其他]部门", max_edits="0"),
        phrase_rule("不归我们管", "你找[别的|其他]部门", match="text"),
    ]
    for number, ruleset in enumerate(sets, start=1):
        assert found(ruleset, tmp_path) == by_engine(ruleset)
        assert len(kept(tmp_path)) == number


def test_other_code_does_not_use_what_this_code_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found(RULES, tmp_path)
    monkeypatch.setattr(ready, "_code", lambda: "changed")
    found(RULES, tmp_path)
    assert len(kept(tmp_path)) == 2


def test_the_digest_of_the_code_is_of_every_module_and_data_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    seen = set()
    for name, text in (("a.py", "1"), ("a.py", "2"), ("data/b.txt", "3"), ("data/b.txt", "4")):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(ready, "DETECT", tmp_path)
        ready._code.cache_clear()
        seen.add(ready._code())
    ready._code.cache_clear()
    assert len(seen) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
        lambda data: b"\0" * len(data),
        lambda data: ready.packed({}),
        lambda data: ready.packed({"class_of": np.zeros(3)}),
    ],
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    found(RULES, tmp_path)
    (path,) = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert found(RULES, tmp_path) == by_engine(RULES)
    assert kept(tmp_path) == [path]
    assert path.read_bytes() == whole


def test_a_folder_that_cannot_be_written_to_keeps_nothing_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert found(RULES, tmp_path / "file") == by_engine(RULES)
    assert kept(tmp_path) == [tmp_path / "file"]


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for number in range(MOST_KEPT + 2):
        found(phrase_rule("不归我们管" + "一二三四五六七八九十"[number]), tmp_path)
        newest = max(kept(tmp_path), key=lambda path: path.stat().st_mtime_ns)
    assert len(kept(tmp_path)) == MOST_KEPT
    assert newest in kept(tmp_path)
