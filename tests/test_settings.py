from datetime import time
from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import Settings, load_settings


def test_the_command_line_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "callscore.toml").write_text('model = "small"\nbeam_size = 3\nbatch_size = 2\n')
    environ = {"CALLSCORE_MODEL": "medium", "CALLSCORE_BEAM_SIZE": "4"}
    settings = load_settings({"model": "large", "device": None}, environ=environ, folder=tmp_path)
    assert (settings.model, settings.beam_size, settings.batch_size, settings.device) == (
        "large",
        4,
        2,
        "cpu",
    )


def test_an_unknown_setting_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "callscore.toml").write_text("beam_siz = 3\n")
    with pytest.raises(SettingsError, match="beam_siz"):
        load_settings(environ={}, folder=tmp_path)


def test_an_impossible_value_is_refused_with_what_was_found() -> None:
    with pytest.raises(SettingsError, match=r"beam_size：发现 '-1'，应为不小于 1 的数"):
        load_settings(environ={"CALLSCORE_BEAM_SIZE": "-1"})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("BEAM_SIZE", "x", "设置 beam_size：发现 'x'，应为整数"),
        ("WORKERS", "many", "设置 workers：发现 'many'，应为整数，或 auto"),
        ("DEVICE", "gpu", "设置 device：发现 'gpu'，应为 cpu、cuda、auto 之一"),
        ("VAD_THRESHOLD", "2", "设置 vad_threshold：发现 '2'，应为小于 1 的数"),
        ("REVIEWER_NAMES", "x", "设置 reviewer_names：发现 'x'，应为 true 或 false"),
        ("SHIFTS", "早班", "设置 shifts：发现 '早班'，应为各班开始的时刻，如 08:00 16:00 00:00"),
        ("SHIFTS", "25:00", "设置 shifts：发现 '25:00'，应为各班开始的时刻，如 08:00 16:00 00:00"),
        ("SHIFTS", "08:00 9", "设置 shifts：发现 '08:00 9'，应为各班开始的时刻，如 08:00 16:00 00:00"),
        ("COLUMNS", "a", "CALLSCORE_COLUMNS：发现“a”，应为 JSON 对象"),
    ],
)
def test_what_a_setting_should_be_is_said_in_chinese(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={f"CALLSCORE_{name}": value})
    assert caught.value.message == told
    assert caught.value.hint


def test_the_nearest_setting_is_named_for_an_unknown_one(tmp_path: Path) -> None:
    (tmp_path / "callscore.toml").write_text("dbase = 'x'\n")
    with pytest.raises(SettingsError, match="没有设置 dbase，相近的：database"):
        load_settings(environ={}, folder=tmp_path)


@pytest.mark.parametrize(("name", "nearest"), [("MODLE", "MODEL"), ("DBASE", "DATABASE"), ("model", "MODEL")])
def test_an_unknown_variable_is_refused_with_the_nearest_setting(name: str, nearest: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={f"CALLSCORE_{name}": "x"})
    assert caught.value.message.startswith(f"没有设置 CALLSCORE_{name}，相近的：")
    assert f"CALLSCORE_{nearest}" in caught.value.message
    assert caught.value.hint


def test_variables_of_others_and_those_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("beam_size = 2\n")
    environ = {"MODLE": "x", "CALLSCORE_SETTINGS": str(file), "CALLSCORE_TEST_POSTGRES": "postgresql://x"}
    assert load_settings(environ=environ).beam_size == 2


def test_only_settings_that_change_what_is_heard_change_the_transcript_digest() -> None:
    base = Settings()
    assert (
        base.transcript_digest() == Settings(database="sqlite:///other.db", batch_size=1).transcript_digest()
    )
    assert base.transcript_digest() != Settings(beam_size=1).transcript_digest()


def test_shifts_are_in_order_of_the_clock() -> None:
    assert Settings(shifts="16:00 08:00  00:00 08:00").shift_starts == (time(0), time(8), time(16))
    assert Settings().shift_starts == ()


def test_every_setting_has_a_help_text() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_column_map_can_come_from_the_environment_as_json() -> None:
    settings = load_settings(environ={"CALLSCORE_COLUMNS": '{"call_id": "流水号"}'})
    assert settings.columns == {"call_id": "流水号"}
