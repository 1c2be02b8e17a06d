"""`rules try`: what a rule hits now."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_rules import SHIRKING
from tuning_help import rules_folder, shipped_like

from pipeline.detect.scene import Thresholds
from pipeline.errors import NotFound, RuleError, UsageError
from pipeline.storage.store import Store
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.sources import RulesFolder
from pipeline.workflows.tuning.try_rule import Order, Trial, Tried, try_rule


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, Store]]:
    rules, store = shipped_like(tmp_path)
    with store:
        yield rules, store


def tried(folder: tuple[Path, Store], trial: Trial) -> Tried:
    return try_rule(trial, RulesFolder(folder[0]), Archive(store=folder[1], thresholds=Thresholds()))


def names(found: Tried) -> list[str]:
    return [hit.recording.name for hit in found.hits]


def test_the_edited_file_is_tried_not_the_one_that_scored(folder: tuple[Path, Store]) -> None:
    file = folder[0] / "a/shirking.yml"
    assert names(tried(folder, Trial(file=file))) == ["c2", "c1"]
    file.write_text(SHIRKING.replace("不归我们管", "跟我们没关系"), encoding="utf-8")
    found = tried(folder, Trial(file=file))
    assert names(found) == ["c4"]
    assert (found.calls, found.calls_hit, found.found) == (5, 1, 1)
    (hit,) = found.hits
    assert (hit.evidence.quote, hit.evidence.role.value, hit.evidence.span.start) == (
        "跟我们没关系",
        "agent",
        3480,
    )


def test_a_file_outside_the_folder_takes_the_place_of_the_rule_with_its_id(
    folder: tuple[Path, Store], tmp_path: Path
) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(SHIRKING.replace("不归我们管", "跟我们没关系"), encoding="utf-8")
    assert names(tried(folder, Trial(file=file))) == ["c4"]


def test_a_phrase_is_added_and_what_it_brings_is_marked(folder: tuple[Path, Store]) -> None:
    trial = Trial(file=folder[0] / "a/shirking.yml", phrases=("跟我们没关系",))
    found = tried(folder, trial)
    assert {hit.recording.name: hit.added for hit in found.hits} == {"c1": False, "c2": False, "c4": True}
    assert found.added == 1
    assert (folder[0] / "a/shirking.yml").read_text(encoding="utf-8") == SHIRKING


def test_a_phrase_alone_is_tried_for_a_role(folder: tuple[Path, Store]) -> None:
    assert names(tried(folder, Trial(phrases=("我的快递",), role="customer"))) == ["c1"]
    assert names(tried(folder, Trial(phrases=("我的快递",)))) == []


def test_the_most_doubtful_comes_first(folder: tuple[Path, Store]) -> None:
    trial = Trial(phrases=("不归我们管", "跟我们没关西"), order=Order.DOUBTFUL)
    found = tried(folder, trial)
    confidences = [hit.confidence for hit in found.hits]
    assert confidences == sorted(confidences, key=lambda c: c or 0.0)
    assert names(found)[0] == "c4"


def test_the_limit_keeps_the_first_in_order_and_counts_all(folder: tuple[Path, Store]) -> None:
    found = tried(folder, Trial(file=folder[0] / "a/shirking.yml", limit=1))
    assert names(found) == ["c2"]
    assert found.found == 2


def test_near_misses_are_counted_and_listed_on_request(folder: tuple[Path, Store]) -> None:
    found = tried(folder, Trial(phrases=("你自己想跑办法",), near=True))
    assert (found.found, found.near) == (0, 1)
    assert [(hit.recording.name, hit.near, hit.evidence.quote) for hit in found.hits] == [
        ("c1", True, "你自己想想办法")
    ]
    assert tried(folder, Trial(phrases=("你自己想跑办法",))).hits == []


def test_what_is_measured_is_explained(folder: tuple[Path, Store], tmp_path: Path) -> None:
    file = tmp_path / "first.yml"
    file.write_text(
        "id: a.b\ntitle: 开口\nlabel: y\nwhy: z\ndetector: first_word\nrole: agent\n", encoding="utf-8"
    )
    assert all("开口" in hit.explanation for hit in tried(folder, Trial(file=file)).hits)


def test_a_broken_file_tells_every_fault_as_it_was_named(folder: tuple[Path, Store]) -> None:
    file = folder[0] / "a/shirking.yml"
    file.write_text(
        SHIRKING.replace("role: agent", "rolle: agent").replace("- 不", "- [不"), encoding="utf-8"
    )
    with pytest.raises(RuleError, match=rf"^{file}:9:6"):
        tried(folder, Trial(file=file))
    file.write_text(SHIRKING.replace("role: agent", "rolle: agent\nfoo: 1"), encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        tried(folder, Trial(file=file))
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [f"{file}:7:1", f"{file}:8:1"]


def test_faults_of_other_files_do_not_stand_in_the_way(tmp_path: Path, folder: tuple[Path, Store]) -> None:
    rules_folder(folder[0], thanks="id: closing.thanks\nnothing: else\n")
    assert names(tried(folder, Trial(file=folder[0] / "a/shirking.yml"))) == ["c2", "c1"]


def test_a_rule_brings_the_rules_that_it_needs(folder: tuple[Path, Store], tmp_path: Path) -> None:
    file = tmp_path / "late.yml"
    file.write_text(
        "id: care.no_thanks\ntitle: x\nlabel: y\nwhy: z\ndetector: response\nrole: agent\n"
        "after: forbidden.shirking\nexpect: closing.thanks\n",
        encoding="utf-8",
    )
    assert names(tried(folder, Trial(file=file))) == ["c1"]


def test_shared_word_lists_and_guards_are_read_along(folder: tuple[Path, Store]) -> None:
    for name, text in {
        "words/errand.yml": "title: x\nwords: [快递, 外卖]\n",
        "guards/quoted.yml": "id: quoted\ntitle: x\nwhy: y\npatterns: ['像{phrase}…话']\n",
    }.items():
        (folder[0] / name).parent.mkdir()
        (folder[0] / name).write_text(text, encoding="utf-8")
    file = folder[0] / "a/shirking.yml"
    added = SHIRKING.replace("- 不归我们管", "- 不归我们管\n  - '{errand}明天到'\nguards: [quoted]")
    file.write_text(added, encoding="utf-8")
    assert names(tried(folder, Trial(file=file))) == ["c5", "c1"]


def test_a_fault_that_comes_from_a_shared_file_names_that_file_too(folder: tuple[Path, Store]) -> None:
    (folder[0] / "words").mkdir()
    (folder[0] / "words/errand.yml").write_text("words: [快递]\n", encoding="utf-8")
    file = folder[0] / "a/shirking.yml"
    file.write_text(SHIRKING.replace("- 不归我们管", "- '{errand}明天到'"), encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        tried(folder, Trial(file=file))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [str(file), "words/errand.yml"]


def test_a_rule_of_meaning_learns_together_with_the_others(folder: tuple[Path, Store]) -> None:
    kind = "id: care.{0}\ntitle: x\nlabel: y\nwhy: z\ndetector: similar\nrole: agent\nexamples: [{1}]\n"
    examples = "我来帮您查, 我帮您看看, 马上为您处理, 这就给您办, 您稍等我去问, 我给您跟进"
    for name in ("kind", "warm"):
        (folder[0] / f"a/{name}.yml").write_text(kind.format(name, examples), encoding="utf-8")
    rules = RulesFolder(folder[0])
    assert {rule.id for rule in rules.rule("care.kind").ruleset.rules} == {"care.kind", "care.warm"}
    assert {rule.id for rule in rules.rule("closing.thanks").ruleset.rules} == {"closing.thanks"}


def test_a_rule_that_is_not_in_force_yet_is_tried_all_the_same(folder: tuple[Path, Store]) -> None:
    file = folder[0] / "a/shirking.yml"
    file.write_text(SHIRKING + "effective: {from: 2030-01-01}\n", encoding="utf-8")
    assert names(tried(folder, Trial(file=file))) == ["c2", "c1"]


def test_what_cannot_be_tried_is_told_plainly(folder: tuple[Path, Store], tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.yml"):
        tried(folder, Trial(file=tmp_path / "none.yml"))
    with pytest.raises(UsageError, match="第 1 个字"):
        tried(folder, Trial(phrases=("[好的",)))
    file = tmp_path / "first.yml"
    file.write_text(
        "id: a.b\ntitle: x\nlabel: y\nwhy: z\ndetector: first_word\nrole: agent\n", encoding="utf-8"
    )
    with pytest.raises(UsageError, match="不是 phrase"):
        tried(folder, Trial(file=file, phrases=("好的",)))
