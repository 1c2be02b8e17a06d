import hashlib
import io
import json
import re
import wave
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from dispute_help import CARD, FILES, NOON, a_call, rules, scorer, signed
from hypothesis import given
from hypothesis import strategies as st
from night_help import beep

from pipeline.errors import NotFound
from pipeline.findings import Outcome
from pipeline.media.decode import fingerprint
from pipeline.settings import Settings
from pipeline.storage import mapping
from pipeline.storage.store import Store
from pipeline.workflows.dispute.correct import Wording, correct_words
from pipeline.workflows.dispute.replay import rules_by_digest
from pipeline.workflows.evidence.bundle import bundle, number_of, verify
from pipeline.workflows.evidence.case import CaseFile, Order, case_of, without_cases
from pipeline.workflows.evidence.page import page
from pipeline.workflows.evidence.paper import NOT_FIRST, NOT_LAST, Sheet, paper, wrapped
from pipeline.workflows.process_call import judge


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One call with a real recording, scored, then put right by a person."""
    folder = tmp_path_factory.mktemp("case")
    path = beep(folder / "c1.wav", 400, seconds=15)
    call = a_call()
    sha256 = fingerprint(path)
    about = replace(call.recording, path=str(path), sha256=sha256, id=sha256[:16], duration=15_000)
    with Store.open(f"sqlite:///{folder}/calls.db") as opened:
        scored = judge(replace(call, recording=about), rules(), Settings())
        opened.save_night_result(scored, at=NOON, reason="nightly")
        wording = Wording(at=2000, heard="宫号", said="<b>工号</b>")
        correct_words("c1", wording, scorer(opened), signed("听错了"))
        yield opened


@pytest.fixture(scope="module")
def case(store: Store) -> CaseFile:
    return made(store)


def made(store: Store, audio: Path | None = None) -> CaseFile:
    stored = store.latest(store.find_call("c1").id)
    order = Order(stored=stored, made_at=NOON + timedelta(days=2), audio=audio)
    return case_of(order, store, rules_by_digest(store), Settings())


FORM = next(path for path, text in FILES.items() if text == CARD)
MORE = """\
  - title: 用语
    items:
      - id: words
        title: 不推诿
        points: 5
        fill: auto
        deductions: [{rule: forbidden.shirking, points: 2, text: 推诿一次扣 2 分}]
fatal:
  - {id: refused, title: 推脱客户, zero: section, section: s2, when: {present: forbidden.shirking}}
"""


@pytest.fixture(scope="module")
def deducted(tmp_path_factory: pytest.TempPathFactory) -> CaseFile:
    """A call from which points were deducted, and a section taken by a fatal item; without its recording."""
    ruleset = rules(FILES | {FORM: CARD + MORE})
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('deducted')}/calls.db") as opened:
        call = a_call()
        scored = judge(replace(call, recording=replace(call.recording, call_id="c1")), ruleset, Settings())
        opened.save_night_result(scored, at=NOON, reason="nightly")
        return made(opened)


class Told(Sheet):
    """A sheet that remembers every text that is laid out."""

    def __init__(self, case: CaseFile) -> None:
        self.texts: list[str] = []
        super().__init__(case)

    def _wrapped(self, text: str, width: float) -> str:
        self.texts.append(text)
        return super()._wrapped(text, width)


class Outside(HTMLParser):
    """Every address that a page asks for, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_every_present_finding_has_its_place_with_three_seconds_around_it(case: CaseFile) -> None:
    shown = [e for e in case.exhibits if e.finding.outcome is Outcome.PRESENT]
    assert shown
    for exhibit in shown:
        assert exhibit.clip
        place = exhibit.finding.evidence[0].span
        with wave.open(io.BytesIO(exhibit.clip.wav)) as sound:
            length = sound.getnframes() / sound.getframerate() * 1000
        expected = min(place.end + 3000, 15_000) - max(0, place.start - 3000)
        assert abs(length - expected) < 50


def test_a_page_stands_alone(case: CaseFile) -> None:
    text = page(case)
    outside = Outside(text)
    assert outside.addresses
    assert all(address.startswith(("data:audio/wav;base64,", "#")) for address in outside.addresses)
    assert re.findall(r"url\(\"(?!data:)", text) == []
    assert "http" not in re.sub(r"http-equiv", "", text)


def test_a_page_says_who_decided_what_under_which_rules_with_which_versions(case: CaseFile) -> None:
    told = " ".join(Outside(page(case)).text)
    stored = case.replay.stored
    for wanted in ("王组长", "听错了", "不归我们管", "小评分表", stored.body_sha256, stored.ruleset_digest):
        assert wanted in told
    assert "phrases: [不归我们管]" in told
    assert "逐字节相同" in told


def scored_part(case: CaseFile) -> tuple[str, str]:
    """The scorecard as the page and as the paper tell it."""
    sheet = Told(case)
    sheet.scorecard()
    sheet.bytes()  # closes the fonts
    text = " ".join(Outside(page(case)).text)
    return re.sub(r"\s+", "", text), re.sub(r"\s+", "", " ".join(sheet.texts))


def test_page_and_paper_say_what_each_section_got(deducted: CaseFile) -> None:
    for told in scored_part(deducted):
        assert "用语3.0/5.0得分率60.0%" in told
        assert "开头5.0/10.0得分率50.0%" in told


def test_page_and_paper_say_what_was_deducted_by_which_rule_for_which_exhibit(deducted: CaseFile) -> None:
    (number,) = {e.number for e in deducted.exhibits if e.finding.rule_id == "forbidden.shirking"}
    for told in scored_part(deducted):
        assert f"扣2.0分：推诿一次扣2分（规则forbidden.shirking，证据{number}）" in told


def test_page_and_paper_say_which_fatal_item_takes_what(deducted: CaseFile) -> None:
    for told in scored_part(deducted):
        assert "推脱客户：本维度零分。" in told


def test_a_card_from_before_sections_were_added_up_is_shown_without_their_points(deducted: CaseFile) -> None:
    assert deducted.card
    old = replace(deducted, card=replace(deducted.card, sections=()))
    for told in scored_part(old):
        assert "用语" in told
        assert "得分率" not in told


def test_what_was_said_can_never_become_markup(case: CaseFile) -> None:
    assert "<b>工号</b>" not in page(case)
    assert "&lt;b&gt;工号&lt;/b&gt;" in page(case)


def test_a_pdf_has_pages_and_its_own_chinese_font(case: CaseFile) -> None:
    body = paper(case)
    assert body.startswith(b"%PDF-")
    assert b"NotoSansSC" in body
    assert b"FontFile" in body


def test_a_bundle_verifies_and_the_scoring_in_it_has_the_stored_digest(
    case: CaseFile, store: Store, tmp_path: Path
) -> None:
    body = bundle(case, store)
    (tmp_path / "c1.zip").write_bytes(body)
    found = verify(tmp_path / "c1.zip")
    assert found.faults == ()
    assert found.number == number_of(body)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = set(archive.namelist())
        scoring = archive.read("data/scoring.json")
        inside = archive.read("案卷.html").decode()
    assert hashlib.sha256(scoring).hexdigest() == case.replay.stored.body_sha256
    assert {clip.name for clip in case.clips} <= names
    audio = [address for address in Outside(inside).addresses if not address.startswith("#")]
    assert audio
    assert set(audio) <= names


def test_the_same_case_gives_the_same_bytes(case: CaseFile, store: Store) -> None:
    assert bundle(case, store) == bundle(made(store), store)


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("data/scoring.json", b"{}", "内容改过"),
        ("rules/a/shirking.yml", b"id: x", "与规则集的摘要不符"),
        ("transcript.txt", None, "少了这个文件"),
        ("more.txt", b"", "本来没有这个文件"),
    ],
)
def test_a_bundle_that_was_touched_is_found_out(
    case: CaseFile, store: Store, tmp_path: Path, name: str, body: bytes | None, told: str
) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle(case, store))) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    parts.pop(name, None)
    if body is not None:
        parts[name] = body
    path = tmp_path / "touched.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in parts.items():
            archive.writestr(entry, content)
    assert any(told in fault for fault in verify(path).faults)


def test_a_forged_list_of_digests_gives_the_case_another_number(
    case: CaseFile, store: Store, tmp_path: Path
) -> None:
    body = bundle(case, store)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    listed = json.loads(parts["manifest.json"])
    parts["transcript.txt"] = "什么也没说\n".encode()
    listed["files"]["transcript.txt"] = hashlib.sha256(parts["transcript.txt"]).hexdigest()
    parts["manifest.json"] = json.dumps(listed).encode()
    with zipfile.ZipFile(tmp_path / "forged.zip", "w") as archive:
        for entry, content in parts.items():
            archive.writestr(entry, content)
    assert verify(tmp_path / "forged.zip").number != number_of(body)


def test_what_is_no_case_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK")
    for path in (tmp_path / "x.zip", tmp_path / "none.zip"):
        with pytest.raises(NotFound):
            verify(path)


def test_a_recording_that_is_gone_or_was_changed_gives_a_case_without_clips_that_says_so(
    store: Store, tmp_path: Path
) -> None:
    other = beep(tmp_path / "other.wav", 500)
    for audio, told in ((other, "不是当时听的那个录音"), (tmp_path / "none.wav", "录音文件不在了")):
        found = made(store, audio)
        assert found.clips == ()
        assert told in found.notes[0]
        assert told in page(found)


def test_a_rule_is_shown_without_its_example_sentences() -> None:
    text = "id: a.b\ncases:\n  - hit: 坐席 1.0 好。\n- miss: x\nphrases:\n  - 好\n"
    assert without_cases(text) == "id: a.b\n# cases：例句从略\nphrases:\n  - 好\n"


WORDS = st.text("中文字，。“”（）ab1 \n", max_size=80)


@given(text=WORDS)
def test_lines_fit_lose_nothing_and_begin_with_no_closing_mark(text: str) -> None:
    lines = wrapped(text, 10.0, lambda c: 1.0 if c.isascii() else 2.0)
    assert lines.replace("\n", "") == text.replace("\n", "")
    for line in lines.split("\n"):
        assert sum(1 if c.isascii() else 2 for c in line) <= 10
    parts = [wrapped(part, 10.0, lambda c: 1.0).split("\n") for part in text.split("\n")]
    assert all(part for part in parts)


def test_a_closing_mark_stays_with_the_character_before_it() -> None:
    lines = wrapped("一二三四五，六七八九。", 10.0, lambda c: 2.0).split("\n")
    assert lines == ["一二三四", "五，六七八", "九。"]
    assert not any(line[0] in NOT_FIRST or line[-1] in NOT_LAST for line in lines)


def test_the_transcript_in_a_bundle_is_the_stored_one(case: CaseFile, store: Store) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle(case, store))) as archive:
        plain = json.loads(archive.read("data/transcript.json"))
    assert mapping.transcript_from_plain(plain) == case.replay.stored.transcript
