"""A short form of every fault of docs/reliability.md: afterwards no call is lost, none is there twice, and
everything is as after an undisturbed night."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from faults import FAULTS, PAGE, ROW

SOAK = Path(__file__).parent / "night_soak.py"
OF_RECORDINGS = ("mutants", "hostile-night", "poison")


@pytest.mark.parametrize(
    "names",
    [[name for name, fault in FAULTS.items() if fault.few and name not in OF_RECORDINGS], OF_RECORDINGS],
    ids=["of-the-machine", "of-recordings"],
)
def test_nothing_is_lost_or_done_twice_whatever_goes_wrong(names: list[str]) -> None:
    wanted = [word for name in names for word in ("--fault", name)]
    done = subprocess.run(
        [sys.executable, str(SOAK), "--short", *wanted],
        capture_output=True,
        text=True,
        timeout=900,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["lost"] for line in lines if line["lost"]] == []
    assert {line["name"] for line in lines} == set(names), done.stderr


def test_every_fault_that_is_tried_here_has_its_line_on_the_page_and_no_other_is_there() -> None:
    rows = [found[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if (found := ROW.match(line))]
    assert rows == [name for name, fault in FAULTS.items() if fault.few or name in rows]
