import codecs
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import MetadataError, SettingsError
from pipeline.media import metadata
from pipeline.media.metadata import COLUMNS, Metadata, read_metadata
from pipeline.timeline import AgentChannel, Direction

HEADER = ",".join(("call_id,file,agent_id,customer,direction,type,business,start_time", *COLUMNS[7:]))
GOOD = "c1,audio/a.wav,1021,C880017,inbound,consultation,话费查询,2024-05-06 09:12:33,left,6,1,0"
ROW = {
    "call_id": "c1",
    "file": "audio/a.wav",
    "agent_id": "1021",
    "direction": "inbound",
    "start_time": "2024-05-06 09:12:33",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audio").mkdir()
    for name in "abc":
        (tmp_path / "audio" / f"{name}.wav").touch()
    return tmp_path


def export(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "metadata.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read(folder: Path, *rows: str, header: str = HEADER) -> Metadata:
    return read_metadata(export(folder, "\n".join((header, *rows)) + "\n"))


def read_one(folder: Path, **cells: str) -> Metadata:
    values = ROW | cells
    return read(folder, ",".join(values.values()), header=",".join(values))


def faults(found: Metadata) -> Sequence[str]:
    return [str(fault) for fault in found.faults]


def test_a_whole_row_is_read(folder: Path) -> None:
    found = read(folder, GOOD)
    row = found.row_for(folder / "audio" / "a.wav")
    assert row is not None
    assert (row.call_id, row.agent_id, row.customer, row.business) == ("c1", "1021", "C880017", "话费查询")
    assert row.started_at == datetime(2024, 5, 6, 1, 12, 33, tzinfo=UTC)
    assert (row.direction, row.agent_channel) == (Direction.INBOUND, AgentChannel.LEFT)
    assert (row.queue_wait_seconds, row.ring_count, row.is_complaint) == (6.0, 1, False)
    assert found.faults == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_encoding_and_delimiter_gives_the_same_row(folder: Path, encoding: str, delimiter: str) -> None:
    text = f"{HEADER}\r\n{GOOD}\r\n".replace(",", delimiter)
    row = read_metadata(export(folder, text, encoding)).row_for(folder / "audio" / "a.wav")
    assert row is not None
    assert row.business == "话费查询"
    assert row.ring_count == 1


def test_excels_sep_line_is_not_the_header(folder: Path) -> None:
    found = read_metadata(export(folder, f"sep=,\n{HEADER}\nc1,audio/none.wav\n"))
    assert [fault.row for fault in found.faults] == [3]


def test_a_column_map_reads_any_export(folder: Path) -> None:
    path = export(folder, "录音流水号,录音文件,坐席工号,备注\nX1,audio/b.wav,88,随便\n", "gb18030")
    columns = {"call_id": "录音流水号", "file": "录音文件", "agent_id": "坐席工号"}
    row = read_metadata(path, columns).row_for(folder / "audio" / "b.wav")
    assert row is not None
    assert (row.call_id, row.agent_id) == ("X1", "88")


def test_missing_columns_name_those_found_and_the_column_map(folder: Path) -> None:
    with pytest.raises(MetadataError, match="缺少列 call_id、file，现有列：流水号、录音") as caught:
        read_metadata(export(folder, "流水号,录音\n1,a.wav\n"))
    assert "columns" in caught.value.hint


def test_a_column_map_with_an_unknown_name_is_refused(folder: Path) -> None:
    with pytest.raises(MetadataError, match="agent_nr"):
        read_metadata(export(folder, f"{HEADER}\n"), {"agent_nr": "工号"})


def test_a_mapped_column_that_is_not_there_is_a_fault_not_a_failure(folder: Path) -> None:
    found = read_metadata(export(folder, "call_id,file\nc1,audio/a.wav\n"), {"agent_id": "工号"})
    assert len(found.rows) == 1
    assert "工号" in faults(found)[0]


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("direction", "呼出", Direction.OUTBOUND),
        ("direction", "IN", Direction.INBOUND),
        ("agent_channel", "右", AgentChannel.RIGHT),
        ("agent_channel", "0", AgentChannel.LEFT),
        ("agent_channel", "混合", AgentChannel.MIXED),
        ("agent_channel", "", None),
        ("is_complaint", "是", True),
        ("is_complaint", "FALSE", False),
        ("queue_wait_seconds", "48.5", 48.5),
        ("queue_wait_seconds", "00:01:30", 90.0),
        ("ring_count", "3.0", 3),
        ("ring_count", "NULL", None),
        ("business", "无", None),
    ],
)
def test_cells_are_understood_as_exports_write_them(
    folder: Path, column: str, cell: str, expected: object
) -> None:
    found = read_one(folder, **{column: cell})
    assert faults(found) == []
    assert [getattr(row, column) for row in found.rows.values()] == [expected]


@pytest.mark.parametrize(
    "cell",
    [
        "2024-05-06 09:12:33",
        "2024/5/6 9:12:33",
        "2024-05-06T09:12:33",
        "2024-05-06T01:12:33Z",
        "2024-05-06 02:12:33+01:00",
        "20240506091233",
        "2024年5月6日 9时12分33秒",
        "1714957953",
        "1714957953000",
        "2024-05-06 09:12:33.000",
    ],
)
def test_one_moment_can_be_written_in_many_ways(folder: Path, cell: str) -> None:
    found = read_one(folder, start_time=cell)
    assert [row.started_at for row in found.rows.values()] == [datetime(2024, 5, 6, 1, 12, 33, tzinfo=UTC)]


def test_the_time_zone_is_a_setting(folder: Path) -> None:
    path = export(folder, f"{HEADER}\n{GOOD}\n")
    (row,) = read_metadata(path, time_zone="UTC").rows.values()
    assert row.started_at == datetime(2024, 5, 6, 9, 12, 33, tzinfo=UTC)
    with pytest.raises(SettingsError, match="Nowhere"):
        read_metadata(path, time_zone="Nowhere/City")


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("direction", "1"),
        ("business", "长" * 201),
        ("agent_channel", "middle"),
        ("is_complaint", "maybe"),
        ("queue_wait_seconds", "-3"),
        ("queue_wait_seconds", "nan s"),
        ("ring_count", "2.5"),
        ("start_time", "06/05/2024 09:12"),
        ("start_time", "2024-13-06 09:12:33"),
        ("start_time", "0001-01-01 00:00:00"),
    ],
)
def test_a_bad_value_is_lost_with_a_line_and_the_call_is_kept(folder: Path, column: str, cell: str) -> None:
    found = read_one(folder, **{column: cell})
    (row,) = found.rows.values()
    (fault,) = found.faults
    assert getattr(row, "started_at" if column == "start_time" else column) is None
    assert row.agent_id == "1021"
    assert not fault.unusable
    assert (fault.row, fault.column, fault.call_id) == (2, column, "c1")
    assert cell[:50] in str(fault)
    assert str(fault).startswith(f"{folder / 'metadata.csv'} 第 2 行 {column} 列：")
    assert "\n" not in str(fault)


def test_every_bad_value_of_a_row_has_its_line(folder: Path) -> None:
    found = read_one(folder, direction="sideways", start_time="soon", agent_channel="up")
    assert sorted(fault.column for fault in found.faults) == ["agent_channel", "direction", "start_time"]
    assert len(found.rows) == 1


def test_a_file_that_is_missing_is_a_fault_of_its_row(folder: Path) -> None:
    found = read(folder, GOOD, GOOD.replace("c1,audio/a.wav", "c2,audio/gone.wav"))
    (fault,) = found.faults
    assert fault.unusable
    assert (fault.row, fault.call_id) == (3, "c2")
    assert "audio/gone.wav" in str(fault)
    assert found.fault_for(folder / "audio" / "gone.wav") == fault


@pytest.mark.parametrize("column", ["call_id", "file"])
def test_a_row_without_its_name_or_file_is_left_out(folder: Path, column: str) -> None:
    found = read_one(folder, **{column: "  "})
    (fault,) = found.faults
    assert found.rows == {}
    assert (fault.unusable, fault.row, fault.column) == (True, 2, column)


def test_a_repeated_call_id_is_reported_with_both_rows(folder: Path) -> None:
    found = read(folder, GOOD, GOOD.replace("audio/a", "audio/b"))
    (fault,) = found.faults
    assert (fault.row, fault.column, fault.unusable) == (3, "call_id", True)
    assert "第 2 行重复" in str(fault)
    assert found.row_for(folder / "audio" / "b.wav") is None
    assert found.fault_for(folder / "audio" / "b.wav") == fault


def test_two_rows_for_one_file_leave_the_first(folder: Path) -> None:
    found = read(folder, GOOD, GOOD.replace("c1,audio/a.wav", "c2,audio/../audio/a.wav"))
    assert [row.call_id for row in found.rows.values()] == ["c1"]
    assert "第 2 行已有" in faults(found)[0]


def test_windows_paths_and_links_find_their_file(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "audio")
    found = read_one(folder, file="audio\\b.wav")
    assert found.row_for(folder / "audio" / "b.wav") is not None
    assert found.row_for(folder / "link" / "b.wav") is not None


@pytest.mark.parametrize("file", ["http://example.com/a.wav", "audio/", "a\x00.wav"])
def test_what_is_no_local_file_is_refused(folder: Path, file: str) -> None:
    found = read_one(folder, file=file)
    assert found.rows == {}
    assert found.faults[0].column == "file"


def test_a_row_with_shifted_columns_is_not_trusted(folder: Path) -> None:
    found = read(
        folder, GOOD.replace("话费查询", "话费,查询"), GOOD.replace("c1,audio/a", "c2,audio/b") + ",,"
    )
    assert [row.call_id for row in found.rows.values()] == ["c2"]
    assert "13 格" in faults(found)[0]


def test_rows_count_as_in_a_spreadsheet(folder: Path) -> None:
    quoted = GOOD.replace("话费查询", '"话费,查询"')
    found = read(folder, "", quoted, "", GOOD.replace("c1,audio/a", "c2,audio/none"))
    assert [row.number for row in found.rows.values()] == [3]
    assert [fault.row for fault in found.faults] == [5]


def test_a_quote_that_never_closes_is_a_line_not_a_crash(folder: Path) -> None:
    found = read(folder, GOOD, 'c2,"audio/b.wav,1021', GOOD.replace("c1,audio/a", "c3,audio/c"))
    assert [row.call_id for row in found.rows.values()] == ["c1"]
    assert [fault.row for fault in found.faults] == [3]
    assert "\n" not in faults(found)[0]


def test_broken_characters_cost_one_value(folder: Path) -> None:
    path = export(folder, f"{HEADER}\n{GOOD}\n", "gb18030")
    path.write_bytes(path.read_bytes().replace("查询".encode("gb18030"), b"\xff\xff"))
    found = read_metadata(path)
    assert [row.business for row in found.rows.values()] == [None]
    assert [fault.column for fault in found.faults] == ["business"]


@pytest.mark.parametrize("text", ["", "\n", "   \n", ",,,\n"])
def test_a_file_without_a_header_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(MetadataError, match="metadata"):
        read_metadata(export(folder, text))


def test_a_missing_csv_is_refused(folder: Path) -> None:
    with pytest.raises(MetadataError, match="none"):
        read_metadata(folder / "none.csv")
    with pytest.raises(MetadataError):
        read_metadata(folder)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300))
def test_any_bytes_below_the_header_give_rows_or_faults(folder: Path, body: bytes) -> None:
    path = folder / "metadata.csv"
    path.write_bytes(HEADER.encode() + b"\n" + body)
    found = read_metadata(path)
    assert all(fault.row > 1 for fault in found.faults)
    assert all("\n" not in str(fault) for fault in found.faults)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), mark=st.sampled_from([b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE]))
def test_any_bytes_as_csv_never_surprise(folder: Path, data: bytes, mark: bytes) -> None:
    path = folder / "metadata.csv"
    path.write_bytes(mark + data)
    with pytest.raises(MetadataError):
        read_metadata(path)


def test_folders_are_listed_once_not_once_a_row(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    names = metadata.names_in

    def counting(path: str) -> Iterator[str]:
        listed.append(path)
        return names(path)

    monkeypatch.setattr(metadata, "names_in", counting)
    read(folder, *(f"c{i},audio/{name}.wav" for i, name in enumerate("abcabc")))
    assert listed == [str(folder / "audio")]


def test_rows_take_no_memory_however_many_there_are(tmp_path: Path) -> None:
    few, many = (most_memory_for(tmp_path / str(rows), rows) for rows in (2_000, 20_000))
    assert many - few < 18_000 * 50


def most_memory_for(folder: Path, rows: int) -> int:
    """Bytes that reading an export of so many rows takes at most."""
    folder.mkdir()
    for number in range(rows):
        (folder / f"a{number}.wav").touch()
    path = export(folder, "\n".join(("call_id,file", *(f"c{n},a{n}.wav" for n in range(rows)))))
    tracemalloc.start()
    assert len(read_metadata(path).rows) == rows
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most
