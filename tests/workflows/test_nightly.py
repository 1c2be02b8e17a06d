from dataclasses import replace
from pathlib import Path

import pytest
from night_help import NOON, FakeListener, Notes, archive, beep, tools, write_metadata

from pipeline.errors import MetadataError, NotFound
from pipeline.media.values import moment, time_zone
from pipeline.ruleset import RuleSet
from pipeline.storage.store import Store
from pipeline.workflows.night.jobs import Walk
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night


def night(store: Store, folder: Path, listener: FakeListener | None = None, **plan: object) -> Summary:
    return run_night(NightPlan(folder=folder, **plan), tools(store, listener), Notes())  # type: ignore[arg-type]


def names(store: Store) -> list[str]:
    return sorted(call.recording.name for call in store.calls())


def test_every_call_gets_a_scorecard(store: Store, tmp_path: Path) -> None:
    summary = night(store, archive(tmp_path / "in"))
    assert (summary.scored, summary.quarantined) == (3, [])
    assert names(store) == ["c1", "c2", "c3"]
    assert all(call.points_possible for call in store.calls())


def test_a_second_run_does_nothing(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    night(store, folder)
    listener = FakeListener()
    summary = night(store, folder, listener)
    assert (summary.scored, summary.already_done, listener.heard) == (0, 3, 0)


def test_an_interrupted_night_goes_on_where_it_stopped(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=5)
    with pytest.raises(KeyboardInterrupt):
        night(store, folder, FakeListener(fail_after=2))
    assert len(names(store)) == 2
    rest = FakeListener()
    assert night(store, folder, rest).scored == rest.heard == 3
    assert names(store) == ["c1", "c2", "c3", "c4", "c5"]


def test_a_broken_recording_is_quarantined_with_its_cause_and_the_rest_goes_on(
    store: Store, tmp_path: Path
) -> None:
    folder = archive(tmp_path / "in")
    (folder / "audio/c2.wav").write_bytes(b"")
    summary = night(store, folder)
    (fault,) = summary.quarantined
    assert "c2.wav" in fault.reason
    assert "0 字节" in fault.reason
    assert names(store) == ["c1", "c3"]
    assert [kept.path for kept in store.quarantined()] == [fault.path]


def test_a_mended_recording_leaves_the_quarantine(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    (folder / "audio/c2.wav").write_bytes(b"")
    night(store, folder)
    beep(folder / "audio/c2.wav", 700)
    assert night(store, folder).scored == 1
    assert store.quarantined() == ()


def test_a_file_without_a_row_and_a_row_without_a_file_are_named(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    beep(folder / "audio/extra.wav", 900)
    (folder / "audio/c3.wav").unlink()
    reasons = sorted(fault.reason for fault in night(store, folder).quarantined)
    assert len(reasons) == 2
    assert any("extra.wav" in reason and "metadata.csv" in reason for reason in reasons)
    assert any("c3.wav" in reason and "第 4 行" in reason for reason in reasons)
    assert names(store) == ["c1", "c2"]


def test_the_second_of_two_rows_with_one_call_id_is_quarantined(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=2)
    rows = [["c1", "audio/c1.wav", "1", "inbound", "", ""], ["c1", "audio/c2.wav", "1", "inbound", "", ""]]
    write_metadata(folder / "metadata.csv", rows)
    summary = night(store, folder)
    assert summary.scored == 1
    assert ["重复" in fault.reason for fault in summary.quarantined] == [True]


def test_a_pbx_export_in_gb18030_is_read(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=1)
    write_metadata(folder / "metadata.csv", [["通话一", "audio/c1.wav", "1", "呼入", "", ""]], "gb18030")
    assert night(store, folder).scored == 1
    assert names(store) == ["通话一"]


def test_missing_columns_stop_the_night_with_what_was_found(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    (folder / "metadata.csv").write_text("流水号,文件\n1,a.wav\n", encoding="utf-8")
    with pytest.raises(MetadataError, match="call_id"):
        night(store, folder)


def test_a_folder_without_metadata_is_scored_by_file(store: Store, tmp_path: Path) -> None:
    beep(tmp_path / "in/a.wav", 500)
    assert night(store, tmp_path / "in").scored == 1


def test_a_dry_run_writes_nothing(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    (folder / "audio/c2.wav").unlink()
    summary = night(store, folder, dry_run=True)
    assert (summary.pending, len(summary.quarantined)) == (2, 1)
    assert store.counts() == {"recordings": 0, "scorecards": 0, "quarantined": 0}


def test_a_dry_run_counts_what_was_released_as_not_to_be_scored(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=4)
    (folder / "audio/c1.wav").write_bytes(b"")
    (folder / "audio/c2.wav").write_bytes(b"no recording")
    (folder / "audio/c3.wav").unlink()
    beep(folder / "audio/without-row.wav", 900)
    faults = night(store, folder).quarantined
    assert len(faults) == 4
    assert len(night(store, folder, dry_run=True).quarantined) == 3  # the other one is tried again
    store.release([fault.path for fault in faults], at=NOON)
    again = night(store, folder, dry_run=True)
    assert (again.pending, again.already_done, len(again.quarantined)) == (0, 1, 0)
    (folder / "audio/c1.wav").write_bytes(b"something else")
    assert night(store, folder, dry_run=True).pending == 1


def test_limit_and_since_choose_what_is_worked_on(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    second = moment("2024-05-02", zone=time_zone("Asia/Shanghai"))
    assert night(store, folder, since=second, limit=1).scored == 1
    assert names(store) == ["c2"]


def test_the_same_bytes_twice_are_scored_once_and_said(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=2)
    (folder / "audio/c2.wav").write_bytes((folder / "audio/c1.wav").read_bytes())
    summary = night(store, folder)
    assert summary.scored == 1
    assert any("c2.wav" in notice and "c1" in notice for notice in summary.notices)


def test_a_folder_that_is_not_there_is_misuse(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        night(store, tmp_path / "nowhere")


def test_a_folder_that_may_not_be_looked_into_is_named(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = archive(tmp_path / "in")

    def is_file(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", is_file)
    with pytest.raises(NotFound, match="没有权限看这个文件夹"):
        night(store, folder)


def test_a_recording_that_breaks_the_model_is_the_only_one_lost(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=7)
    summary = night(store, folder, FakeListener(poison="c3"))
    (fault,) = summary.quarantined
    assert "c3.wav" in fault.reason
    assert "RuntimeError" in fault.reason
    assert "说了什么" not in fault.reason
    assert names(store) == ["c1", "c2", "c4", "c5", "c6", "c7"]


def test_a_mistake_on_the_way_through_the_folder_ends_the_night_and_blames_no_recording(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        beep(tmp_path / f"in/c{number:02}.wav", 300 + 5 * number, 1.0)
    whole = Walk._counted

    def mistaken(self: Walk, path: Path, *about: object) -> object:
        if path.name == "c10.wav":
            raise RuntimeError("mistake")
        return whole(self, path, *about)  # type: ignore[arg-type]

    monkeypatch.setattr(Walk, "_counted", mistaken)
    with pytest.raises(RuntimeError, match="mistake"):
        night(store, tmp_path / "in")
    assert store.quarantined() == ()


class _Broken(FakeListener):
    """Cannot hear anything at all."""

    def hear(self, recordings: object, beat: object) -> object:  # type: ignore[override]
        raise TypeError("a mistake of the program")


def test_a_mistake_that_is_no_recordings_fault_ends_the_night(store: Store, tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        night(store, archive(tmp_path / "in", calls=2), _Broken())
    assert store.quarantined() == ()


def test_a_night_with_nothing_to_do_asks_for_no_rules(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    run_night(NightPlan(folder=folder), tools(store), Notes())

    def no_rules() -> RuleSet:
        raise AssertionError

    summary = run_night(NightPlan(folder=folder), replace(tools(store), ruleset=no_rules), Notes())
    assert (summary.already_done, summary.scored) == (3, 0)


def test_rules_that_cannot_be_used_are_told_of_before_anything_is_heard(store: Store, tmp_path: Path) -> None:
    listener = FakeListener()

    def faulty() -> RuleSet:
        raise NotFound("规则文件夹不存在")

    with pytest.raises(NotFound):
        run_night(
            NightPlan(folder=archive(tmp_path / "in")),
            replace(tools(store, listener), ruleset=faulty),
            Notes(),
        )
    assert listener.heard == 0
    assert run_night(NightPlan(folder=tmp_path / "in"), tools(store), Notes()).scored == 3
