"""What is too long is told, and nothing of it is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_help import HERE, Browser, Desk, shown, token_of
from small_house import SECOND, hand_in, small_house

from pipeline.account import Role
from pipeline.detect.plain_yaml import MOST_BYTES
from pipeline.errors import UsageError
from pipeline.review.app import PAGES
from pipeline.review.page import LARGEST_FORM
from pipeline.review.site import MOST_CHARACTERS, Form

LONG = "很" * (MOST_CHARACTERS + 1)
FITS = "很" * MOST_CHARACTERS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Browser]:
    with small_house(tmp_path) as made:
        yield made


def test_a_reason_has_a_longest_length_and_the_draft_stays_as_it_was(house: Browser) -> None:
    desk = Desk(house, "c1").claim()
    assert desk.mark("value", "shirking", "2", reason=FITS).status_code == 200
    answer = desk.mark("value", "shirking", "4", reason=LONG)
    assert answer.status_code == 422
    assert "理由太长：2,001 个字，最多 2,000 个" in shown(answer)
    assert FITS in shown(desk.page())


def test_a_note_has_a_longest_length(house: Browser) -> None:
    desk = Desk(house, "c1").claim()
    answer = desk.mark("note", "", LONG)
    assert answer.status_code == 422
    assert "太长" in shown(answer)
    assert "很很" not in shown(desk.page())


def test_an_appeal_has_a_longest_length(house: Browser) -> None:
    hand_in(house.store, SECOND)
    recording = house.store.find_call("c1").id
    house.log_in(Role.AGENT)
    answer = house.post(f"/cards/{recording}/appeal", {"item": "shirking", "reason": LONG})
    assert answer.status_code == 422
    assert house.store.appeals() == ()


def test_names_of_calls_may_be_many() -> None:
    names = Form(values={"names": ["C20260501 " * 500]})
    assert len(names.text("names", most=20_000).split()) == 500
    with pytest.raises(UsageError, match="太长"):
        names.text("names")


def test_no_form_but_that_of_a_rule_file_may_be_large(house: Browser) -> None:
    large = {page.path for page in PAGES if page.largest_form > LARGEST_FORM}
    assert large == {"/rules/{rule}/draft", "/rules/{rule}/check"}


def test_a_form_that_is_too_large_is_not_read_and_told(house: Browser) -> None:
    house.log_in(Role.INSPECTOR)
    fields = {"csrf": token_of(house.get("/me")), "language": "x" * LARGEST_FORM}
    answer = house.client.post("/language", data=fields, headers={"origin": HERE})
    assert answer.status_code == 413
    assert "太大" in shown(answer)
    assert "64 KiB" in shown(answer)


def test_a_form_that_does_not_say_how_large_it_is_is_not_read(house: Browser) -> None:
    house.log_in(Role.INSPECTOR)
    headers = {"origin": HERE, "content-type": "application/x-www-form-urlencoded"}
    answer = house.client.post("/language", content=iter([b"language=en"]), headers=headers)
    assert answer.status_code == 413


def test_a_rule_file_of_the_longest_length_fits_into_its_form(house: Browser) -> None:
    house.log_in(Role.QUALITY_OWNER)
    text = "# " + "长" * (MOST_BYTES // 3 - 10) + "\n"
    answer = house.post("/rules/forbidden.shirking/draft", {"text": text, "version": "0"})
    assert answer.status_code != 413
