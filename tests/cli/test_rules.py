"""`callscore rules test`, `lint` and `schema` as a quality owner runs them."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipeline.cli.app import app

RULE = """id: forbidden.shirking
title: 推诿
label: forbidden
category: shirking
why: 首问负责。
detector: phrase
role: agent
phrases:
  - 不归我们部门管
cases:
  - hit: "坐席 3.0 这个不归我们部门管。"
  - miss: "客户 3.0 这个不归我们部门管？"
"""
OTHER = RULE.replace("shirking", "blunt").replace("不归我们部门管", "听我把话说完")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with two sound rules in rules/."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules/forbidden").mkdir(parents=True)
    (tmp_path / "rules/forbidden/shirking.yml").write_text(RULE, encoding="utf-8")
    (tmp_path / "rules/forbidden/blunt.yml").write_text(OTHER, encoding="utf-8")
    return tmp_path


def rules(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", *arguments, "--rules", "rules"])


def change(folder: Path, found: str, written: str, name: str = "shirking") -> None:
    path = folder / f"rules/forbidden/{name}.yml"
    text = path.read_text(encoding="utf-8")
    assert found in text
    path.write_text(text.replace(found, written), encoding="utf-8")


def test_all_cases_hold_and_are_counted(folder: Path) -> None:
    result = rules("test")
    assert result.exit_code == 0, result.output
    assert result.output.endswith("2 条规则，4 个用例（该命中 2，不许误报 2）：全部通过。\n")


def test_a_case_that_does_not_hold_fails_with_its_place_as_seen_from_here(folder: Path) -> None:
    change(folder, '- hit: "坐席 3.0 这个', '- hit: "坐席 3.0 您好。"\n  - hit: "坐席 3.0 这个')
    result = rules("test")
    assert result.exit_code == 1
    assert (
        "rules/forbidden/shirking.yml:11:10: forbidden.shirking：“坐席 3.0 您好。”应为 hit" in result.output
    )
    assert "1 个用例不符" in result.output


def test_a_rule_without_a_miss_fails(folder: Path) -> None:
    change(folder, "  - miss", "  - hit")
    result = rules("test")
    assert result.exit_code == 1
    assert "rules/forbidden/shirking.yml:1:5: 发现 forbidden.shirking 的用例里没有 `miss`" in result.output
    assert "1 条规则缺用例" in result.output


def test_a_malformed_case_does_not_keep_the_others_from_running(folder: Path) -> None:
    change(folder, "客户 3.0", "顾客 3.0")
    result = rules("test")
    assert result.exit_code == 1
    assert "rules/forbidden/shirking.yml:12:11: 发现“顾客 3.0" in result.output
    assert "4 个用例" in result.output


def test_only_the_named_files_are_tested(folder: Path) -> None:
    change(folder, "  - miss", "  - hit", "blunt")
    assert rules("test", "rules/forbidden/shirking.yml").exit_code == 0
    assert rules("test", "rules/forbidden").exit_code == 1


def test_a_file_from_elsewhere_takes_the_place_of_its_rule(folder: Path) -> None:
    (folder / "new.yml").write_text(RULE.replace("不归我们部门管", "你去问别的部门"), encoding="utf-8")
    result = rules("test", "new.yml")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("1 条规则，2 个用例")


def test_a_folder_from_elsewhere_is_a_rules_folder(folder: Path) -> None:
    (folder / "rules").rename(folder / "mine")
    (folder / "rules").mkdir()
    assert rules("test", "mine").output.startswith("2 条规则")


def test_files_with_faults_are_listed_before_any_case_runs(folder: Path) -> None:
    change(folder, "role: agent", "role: agnet")
    (folder / "rules/forbidden/blunt.yml").write_bytes(OTHER.encode("gb18030"))
    result = rules("test")
    assert result.exit_code == 1
    assert "rules/forbidden/blunt.yml:2:8: 发现 GBK/GB18030 编码" in result.output
    assert "rules/forbidden/shirking.yml:7:7: 发现“agnet”，应为 agent" in result.output
    assert "2 处写错" in result.output


def test_what_is_not_there_is_told(folder: Path) -> None:
    result = rules("test", "rules/forbidden/shirkin.yml")
    assert "没有这个文件" in str(result.exception)


def test_sound_rules_give_neither_errors_nor_warnings(folder: Path) -> None:
    result = rules("lint")
    assert result.exit_code == 0, result.output
    assert result.output == "2 个文件：0 个错误，0 个警告。\n"


def test_warnings_are_told_apart_from_errors_and_fail_only_if_asked(folder: Path) -> None:
    change(folder, "  - 不归我们部门管\n", "  - 不归我们部门管\n  - 不归我们部门管\n")
    result = rules("lint")
    assert result.exit_code == 0
    assert "警告\nrules/forbidden/shirking.yml:10:5: 发现说法 `不归我们部门管` 写了第二遍" in result.output
    assert "错误\n" not in result.output
    assert rules("lint", "--strict").exit_code == 1


def test_errors_fail(folder: Path) -> None:
    change(folder, "  - miss", "  - hit")
    (folder / "rules/forbidden/blunt.yml").write_bytes(OTHER.encode("gb18030"))
    result = rules("lint")
    assert result.exit_code == 1
    assert "错误\nrules/forbidden/blunt.yml:2:8: 发现 GBK/GB18030 编码" in result.output
    assert "应为 hit、miss 都至少一个；在 `cases` 里补上 [no-case]" in result.output


def test_one_file_is_linted_against_all_the_others(folder: Path) -> None:
    change(folder, "category: blunt", "category: shirking", "blunt")
    change(folder, "听我把话说完", "不归我们部门管", "blunt")
    result = rules("lint", "rules/forbidden/shirking.yml")
    assert "写了第二遍，应为只写在 forbidden/blunt.yml:9:5 处；删掉一处" in result.output
    assert "1 个文件" in result.output


def test_the_schema_is_printed_or_written(folder: Path) -> None:
    runner = CliRunner()
    printed = runner.invoke(app, ["rules", "schema", "--kind", "guard"]).output
    assert json.loads(printed)["title"] == "callscore 共用的例外"
    (folder / "rules/.schema").mkdir()
    assert (
        runner.invoke(app, ["rules", "schema", "--kind", "guard", "-o", "rules/.schema/guard.json"]).output
        == ""
    )
    assert (folder / "rules/.schema/guard.json").read_text(encoding="utf-8") == printed
