"""What the benchmark of the night measures with, and how it tells what it found."""

import sys
import wave
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import psutil
import pytest

from benchmarks.night import batches, devices, flames, stages, waits
from benchmarks.night.archive import Waits, copies, music, recordings, sources, with_waits
from benchmarks.night.nights import Bench, Counting
from benchmarks.night.page import Bar, Part, Run, page, section, sections_of, table
from benchmarks.night.processes import Command, Cost, run, spent
from benchmarks.night.standin import StandIn
from pipeline.media.decode import decode, fingerprint
from pipeline.samples import RATE
from pipeline.settings import Settings
from pipeline.speech.asr import Recognizer, Request
from pipeline.timeline import Provenance, Role, RoleAssignment, Span, Transcript, Turn, Word

DEMO = Path(__file__).parents[2] / "data/demo"
BY = Provenance(pipeline="0", model="", model_sha256="", settings_digest="")
RUN = Run(command="python -m benchmarks.night", seconds=60, others=0.01)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short calls."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "audio").mkdir()
    rows = (DEMO / "metadata.csv").read_text(encoding="utf-8").splitlines()
    kept = [rows[0], *(row for row in rows if row.startswith(("d07,", "d14,")))]
    (folder / "metadata.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    for name in ("d07.ogg", "d14.wav"):
        (folder / "audio" / name).write_bytes((DEMO / "audio" / name).read_bytes())
    return folder


@pytest.fixture
def bench(corpus: Path, tmp_path: Path) -> Bench:
    """With a model that takes no time."""
    made = Bench(corpus=corpus, place=tmp_path, settings=Settings())
    made.reader = Counting(StandIn())
    made.recognizer = Recognizer(made.reader, made.settings)
    return made


def test_a_bar_that_was_not_met_stands_out_at_the_head_of_the_page() -> None:
    good, bad = Bar(what="快", found=1.9, limit=1.8, least=True), Bar(what="慢", found=1.051, limit=1.05)
    head = page({"一": section(Part(title="一", lines=["说明"], bars=[good, bad]), RUN)}).partition("## ")[0]
    assert "| 快 | 1.90 | ≥ 1.8 | 是 |" in head.splitlines()
    assert "| 慢 | 1.0510 | ≤ 1.05 | **否** |" in head.splitlines()


def test_a_section_says_that_others_used_the_machine() -> None:
    part = Part(title="一", lines=[])
    assert "不可信" in section(part, replace(RUN, others=0.3))
    assert "不可信" not in section(part, RUN)


def test_a_page_can_be_read_back_so_that_one_part_may_be_measured_again() -> None:
    bars = [Bar(what="快", found=1.9, limit=1.8, least=True)]
    sections = {
        "一": section(Part(title="一", lines=["说明", "", *table(("", "秒"), [("甲", 1)])], bars=bars), RUN)
    }
    sections["二"] = section(Part(title="二", lines=["没有要求"]), RUN)
    assert sections_of(page(sections)) == sections
    assert page(sections_of(page(sections))) == page(sections)


def test_copies_sound_the_same_in_other_bytes(corpus: Path, tmp_path: Path) -> None:
    folder = copies(corpus, tmp_path / "more", 4, seconds=2)
    made = recordings(folder)
    assert len({fingerprint(path) for path in made}) == 4
    first, third = (decode(path).samples.data for path in (made[0], made[2]))
    assert np.array_equal(first, third[:, : first.shape[1]])
    assert first.shape[1] == 2 * RATE


def test_a_copy_keeps_what_the_metadata_say(corpus: Path, tmp_path: Path) -> None:
    rows = [one.row for one in sources(copies(corpus, tmp_path / "more", 3, seconds=1))]
    assert [row["agent_id"] for row in rows] == ["1050", "1063", "1050"]
    assert len({row["call_id"] for row in rows}) == 3


def test_a_wait_is_put_into_a_pause(corpus: Path, tmp_path: Path) -> None:
    made = with_waits(corpus, tmp_path / "waits", music)
    plain, longer = sources(corpus)[0].samples, sources(made.folder)[0].samples
    wait = made.spans["d07"]
    assert longer.duration == pytest.approx(1.5 * plain.duration, abs=2)
    assert plain.duration / 4 <= wait.start <= plain.duration * 3 / 4
    start = wait.start * RATE // 1000
    around = plain.data[:, start - RATE // 20 : start + RATE // 20]
    assert np.abs(around).max() < 0.2 * np.abs(plain.data).max()


def test_only_words_in_the_wait_are_made_up() -> None:
    spans = [Span(1_000, 1_400), Span(1_850, 2_100), Span(5_000, 5_400), Span(9_000, 9_400)]
    words = tuple(
        Word(span=span, text=text, probability=0.9) for span, text in zip(spans, "前后编好", strict=True)
    )
    turn = Turn(index=0, speaker=0, role=Role.AGENT, channel=0, span=Span(1_000, 9_400), words=words)
    heard = Transcript(turns=(turn,), roles=RoleAssignment(confidence=1.0, reason="测试"), provenance=BY)
    made = waits.Tried(waits=Waits(folder=Path(), spans={"a": Span(2_000, 8_000)}), heard={"a": heard})
    assert (made.invented, made.text("a")) == (1, "前后好")


SPIN = "while True: pass"


def python(code: str) -> Command:
    return Command(line=[sys.executable, "-c", code], environ={})


def killed_after_half_a_second(command: Command) -> Cost:
    """Of processor time, however busy the machine is."""
    before = spent()
    return run(command, killed_when=lambda: spent() - before > 0.5)


def test_the_work_of_a_killed_program_counts() -> None:
    cost = killed_after_half_a_second(python(SPIN))
    assert 0.5 < cost.processor < 5
    assert cost.megabytes > 1


def test_what_lived_below_a_killed_program_ends_and_counts() -> None:
    spinning = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{SPIN}'])"
    before = psutil.Process().children()
    assert killed_after_half_a_second(python(spinning)).processor > 0.5
    assert psutil.Process().children() == before


def test_a_program_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="exit code 3"):
        run(python("raise SystemExit(3)"))


RAW = [
    'process 7:"callscore";<module> (callscore);_encode (pipeline/speech/decoder.py) 30',
    'process 7:"callscore";<module> (callscore);_decode (pipeline/speech/decoder.py) 60',
    'process 7:"callscore";run (threading.py);wait (threading.py) 500',
    'process 9:"python";_serve (children.py);load (pipeline/workflows/loading.py);decode (decode.py) 10',
]


def test_a_thread_that_waits_takes_no_time() -> None:
    shares = stages.by_stage(stages.busy(stages.parsed(RAW)))
    assert shares == {"识别：束搜索": 60, "识别：编码": 30, "解码": 10}


def test_a_flame_graph_names_no_folder_of_the_machine() -> None:
    line = "process 7:python -c import main; main(12, 14, **{'sys_path': ['/home/me']});decode (decode.py) 3"
    assert list(stages.parsed([line])) == [(("decode (decode.py)",), 3)]


def test_every_stage_names_code_that_is_there() -> None:
    root = Path(__file__).parents[2]
    for _, marks in stages.STAGES:
        for mark in marks:
            function, _, rest = mark.partition("(")
            path = root / rest.rstrip(")")
            if path.suffix == ".py" and rest.startswith("pipeline/"):
                assert not function or f"def {function.strip()}(" in path.read_text(encoding="utf-8")


def test_a_flame_graph_is_a_picture_that_names_the_wide_frames() -> None:
    drawn = flames.drawn(stages.busy(stages.parsed(RAW)), "callscore nightly")
    assert ElementTree.fromstring(drawn).tag.endswith("svg")  # noqa: S314
    assert "_decode (pipeline/speech/decoder.py)" in drawn
    assert drawn == flames.drawn(stages.busy(stages.parsed(RAW)), "callscore nightly")


def test_where_there_is_no_gpu_it_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.settings = Settings(device="cuda")
    monkeypatch.setattr(devices, "gpus", lambda: 0)
    told = "".join(devices.part(bench).lines)
    assert "没有识别用得上的显卡" in told
    assert "--device cuda" in told


def test_the_part_of_the_gpu_runs_on_a_cpu_as_well(bench: Bench) -> None:
    bench.quick = True
    told = devices.part(bench)
    assert not told.bars
    assert "设备 cpu" in "".join(told.lines)


def test_windows_and_batches_are_counted(bench: Bench) -> None:
    bench.settings = Settings(batch_size=4)
    audio = np.full(60 * RATE, 0.1, dtype=np.float32)
    requests = [Request(key="a", audio=audio, speech=(Span(0, 20_000), Span(30_000, 50_000)))]
    laid = batches.laid(requests, bench)
    assert (laid.count, laid.speech, laid.room) == (2, 40_000, 60_000)
    sent = batches.sent(requests, bench)
    assert sum(batch.rows for batch in sent) == 2 * batches.TIMES
    assert max(batch.rows for batch in sent) == 4


def test_the_music_has_the_loudness_that_is_told() -> None:
    made = music(RATE * 10)
    assert 10 * np.log10(np.mean(np.square(made))) == pytest.approx(-20, abs=0.1)


def test_a_recording_of_one_channel_stays_one(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with wave.open(str(tmp_path / "in/mono.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes((np.sin(np.arange(16_000)) * 9_000).astype("<i2").tobytes())
    (made,) = sources(copies(tmp_path / "in", tmp_path / "out", 1))
    assert made.samples.channels == 1
