import math
import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from sounds import ENCODINGS, Format, bursts, onsets, pcm, tone, write, write_gsm, write_gsm_wav, write_wav

from pipeline.errors import UnreadableRecording
from pipeline.media import formats
from pipeline.media.decode import decode, fingerprint
from pipeline.media.probe import probe
from pipeline.settings import Settings

LENIENT = Settings(max_lost_percent=100)
PRIMING = {"adts.aac": 0.064, "narrow.amr": 0.02}
"""Encoder delay that these formats cannot write down, in seconds."""


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_every_format_keeps_its_sounds_at_their_times(tmp_path: Path, name: str) -> None:
    rate = ENCODINGS[name][3]
    decoded = decode(write(tmp_path, name, bursts(3, (1.0, 2.0), rate)))
    expected = [1.0 + PRIMING.get(name, 0), 2.0 + PRIMING.get(name, 0)]
    assert onsets(decoded.samples.channel(0)) == pytest.approx(expected, abs=0.015)
    assert decoded.samples.duration == pytest.approx(3000, abs=80)
    assert decoded.samples.data.dtype == np.float32
    assert decoded.source_rate == rate
    assert not decoded.warnings


@pytest.mark.parametrize("name", sorted(set(ENCODINGS) - {"narrow.amr"}))
def test_left_and_right_stay_apart(tmp_path: Path, name: str) -> None:
    rate = ENCODINGS[name][3]
    stereo = np.concatenate([bursts(2, (0.5,), rate), bursts(2, (1.2,), rate)])
    decoded = decode(write(tmp_path, name, stereo))
    left, right = (onsets(decoded.samples.channel(c)) for c in (0, 1))
    assert decoded.channels == decoded.samples.channels == 2
    assert left == pytest.approx([0.5 + PRIMING.get(name, 0)], abs=0.015)
    assert right == pytest.approx([1.2 + PRIMING.get(name, 0)], abs=0.015)


def test_resampling_keeps_pitch_and_level(tmp_path: Path) -> None:
    audio = decode(write(tmp_path, "pcm.wav", tone(2, hz=1000))).samples.channel(0)[4000:-4000]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    hz = np.fft.rfftfreq(len(audio), 1 / 16000)
    assert hz[spectrum.argmax()] == pytest.approx(1000, abs=1)
    assert np.abs(audio).max() == pytest.approx(0.25, rel=0.01)
    assert spectrum[hz > 4000].max() < spectrum.max() * 1e-4


def test_a_probe_names_the_codec_as_people_know_it(tmp_path: Path) -> None:
    found = probe(write(tmp_path, "lame.mp3", tone(2, channels=2)))
    assert (found.container, found.codec, found.sample_rate, found.channels) == ("mp3", "mp3", 8000, 2)
    assert found.duration == pytest.approx(2000, abs=1)


def test_raw_gsm_and_gsm_in_wav_are_read(tmp_path: Path) -> None:
    assert decode(write_gsm(tmp_path / "a.gsm", 2)).samples.duration == 2000
    assert decode(write_gsm_wav(tmp_path / "a.wav", 2)).samples.duration == pytest.approx(2000, abs=1)


def test_raw_g711_is_read_by_its_extension(tmp_path: Path) -> None:
    path = tmp_path / "a.ulaw"
    path.write_bytes(np.random.default_rng(0).integers(0, 256, 16000, dtype=np.uint8).tobytes())
    assert decode(path).samples.duration == pytest.approx(2000, abs=1)


def test_a_wrong_extension_does_no_harm(tmp_path: Path) -> None:
    for disguise in ("a.wav", "a.gsm", "a.ulaw"):
        path = write(tmp_path, "lame.mp3", bursts(2, (1.0,))).rename(tmp_path / disguise)
        assert decode(path).codec == "mp3"


def test_of_more_than_two_channels_the_first_two_are_used(tmp_path: Path) -> None:
    quad = np.concatenate([bursts(2, (start,)) for start in (0.3, 0.6, 0.9, 1.2)])
    decoded = decode(write(tmp_path, "pcm.wav", quad))
    assert decoded.channels == 4
    assert [onsets(row)[0] for row in decoded.samples.data] == pytest.approx([0.3, 0.6], abs=0.01)
    assert any("4 个声道" in warning for warning in decoded.warnings)


def test_samples_that_are_no_numbers_become_silence_with_a_warning(tmp_path: Path) -> None:
    data = tone(1, rate=16000)
    data[0, 2000], data[0, 3000], data[0, 5000] = math.nan, math.inf, -7.5
    decoded = decode(write_float(tmp_path / "a.wav", data))
    assert np.isfinite(decoded.samples.data).all()
    assert np.abs(decoded.samples.data).max() == 1.0
    assert any("NaN" in warning for warning in decoded.warnings)


def write_float(path: Path, data: np.ndarray) -> Path:
    body = data.T.astype("<f4").tobytes()
    return write_wav(path, body, Format(tag=3, rate=16000, byte_rate=64000, block=4, bits=32))


# damage


def with_garbage(path: Path, at: float, size: int) -> Path:
    """Random bytes over the middle of the file; `at` is a share of its length."""
    data = bytearray(path.read_bytes())
    first = int(len(data) * at)
    data[first : first + size] = np.random.default_rng(3).bytes(size)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("name", ["lame.mp3", "opus.ogg", "narrow.amr", "plain.flac", "aac.m4a"])
def test_what_follows_damage_keeps_its_time(tmp_path: Path, name: str) -> None:
    rate = ENCODINGS[name][3]
    sound = write(tmp_path, name, bursts(20, (2.0, 17.0), rate))
    decoded = decode(with_garbage(sound, 0.4, sound.stat().st_size // 10), LENIENT)
    found = onsets(decoded.samples.channel(0))
    assert decoded.samples.duration == pytest.approx(20_000, abs=250)
    assert found[0] == pytest.approx(2.0, abs=0.1)
    assert found[-1] == pytest.approx(17.0, abs=0.2)


def test_damage_says_where_it_is_and_how_much_is_missing(tmp_path: Path) -> None:
    sound = write(tmp_path, "lame.mp3", bursts(20, (2.0, 17.0)))
    decoded = decode(with_garbage(sound, 0.5, sound.stat().st_size // 10), LENIENT)
    assert len(decoded.lost) == 1
    assert decoded.lost[0].start == pytest.approx(10_000, abs=300)
    assert decoded.lost[0].duration == pytest.approx(2_000, abs=400)
    assert decoded.warnings[0].startswith(("中间损坏，缺 00:09", "中间损坏，缺 00:10"))
    assert not decoded.samples.channel(0)[10_800 * 16 : 11_500 * 16].any()


def test_a_recording_that_lost_too_much_is_refused_and_says_why(tmp_path: Path) -> None:
    sound = write(tmp_path, "lame.mp3", bursts(20, (2.0, 17.0)))
    path = with_garbage(sound, 0.5, sound.stat().st_size // 10)
    with pytest.raises(UnreadableRecording, match=r"lame\.mp3：中间损坏，缺 .*共缺 .*应为缺失不超过 1%"):
        decode(path)


def test_small_damage_is_only_a_warning(tmp_path: Path) -> None:
    sound = write(tmp_path, "lame.mp3", bursts(60, (2.0, 57.0)))
    decoded = decode(with_garbage(sound, 0.5, 400))
    assert decoded.warnings
    assert onsets(decoded.samples.channel(0))[-1] == pytest.approx(57.0, abs=0.1)


def test_a_recording_cut_off_before_its_promised_end_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", pcm(tone(2.2))[:-1], promised=16000 * 104)
    with pytest.raises(UnreadableRecording, match=r"文件头说有 104\.0 秒，实际只有 2\.2 秒"):
        decode(path)
    decoded = decode(path, LENIENT)
    assert decoded.samples.duration == pytest.approx(2200, abs=2)
    assert decoded.warnings == ("文件头说有 104.0 秒，实际只有 2.2 秒",)


def test_a_header_that_promises_2_gib_allocates_nothing_of_the_kind(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", pcm(tone(10)), promised=0x7FFFFE00)
    decoded = decode(path, LENIENT)
    base = decoded.samples.data.base
    assert base is not None
    assert base.nbytes < 2_000_000


@pytest.mark.parametrize("unknown", [0, 0xFFFFFFFF])
def test_a_streamed_wav_of_unknown_length_is_whole(tmp_path: Path, unknown: int) -> None:
    decoded = decode(write_wav(tmp_path / "a.wav", pcm(tone(3)), promised=unknown))
    assert decoded.samples.duration == pytest.approx(3000, abs=1)
    assert not decoded.warnings


def test_a_truncated_mp3_tells_by_its_frame_count(tmp_path: Path) -> None:
    path = write(tmp_path, "lame.mp3", tone(10))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableRecording, match=r"文件头说有 10\.\d 秒"):
        decode(path)


def test_a_truncated_m4a_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "aac.m4a", tone(10, rate=16000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableRecording):
        decode(path)


# nothing to decode


def test_an_empty_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.touch()
    with pytest.raises(UnreadableRecording, match=r"a\.wav：文件是空的"):
        decode(path)


def test_text_called_mp3_is_named_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_text("这不是音频文件。\n" * 100, encoding="utf-8")
    with pytest.raises(UnreadableRecording, match=r"a\.mp3：文件内容是文字"):
        decode(path)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{target}'\n",
        "<?xml version='1.0'?><MPD><BaseURL>{target}</BaseURL></MPD>",
    ],
)
def test_a_playlist_never_leads_to_another_file(tmp_path: Path, text: str) -> None:
    target = write(tmp_path, "pcm.wav", tone(2))
    for name in ("a.wav", "a.mp4", "a.gsm", "a.m3u8"):
        path = tmp_path / name
        path.write_text(text.format(target=target))
        with pytest.raises(UnreadableRecording):
            decode(path)


def test_silence_and_scraps_are_nothing_to_score(tmp_path: Path) -> None:
    scrap = write_wav(tmp_path / "a.wav", bytes(3200))
    with pytest.raises(UnreadableRecording, match=r"录音只有 0\.2 秒"):
        decode(scrap)
    alaw = Format(tag=6, byte_rate=8000, block=1, bits=8)
    alaw_silence = write_wav(tmp_path / "b.wav", b"\xd5" * 80_000, alaw)
    with pytest.raises(UnreadableRecording, match="数字静音"):
        decode(alaw_silence)


def test_a_header_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecording, match="没有声音"):
        decode(write_wav(tmp_path / "a.wav", b""))


def test_a_longer_recording_than_allowed_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "pcm.wav", tone(7))
    with pytest.raises(UnreadableRecording, match=r"超过 0\.1 分钟"):
        decode(path, Settings(max_duration_minutes=0.1))


def test_folders_links_and_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    folder, link, pipe = tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "c.wav"
    folder.mkdir()
    link.symlink_to(tmp_path / "gone.wav")
    os.mkfifo(pipe)
    for path, why in ((folder, "文件夹"), (link, "链接指向的文件不存在"), (pipe, "特殊文件")):
        with pytest.raises(UnreadableRecording, match=why):
            decode(path)
    with pytest.raises(UnreadableRecording, match="文件不存在"):
        decode(tmp_path / "d.wav")
    with pytest.raises(UnreadableRecording):
        decode(Path("http://127.0.0.1:9/a.wav"))


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "pcm.wav", tone(1))

    def refuse(self: Path, mode: str = "r") -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableRecording, match="没有读取权限"):
        decode(path)


def test_a_picture_holds_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(
        struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"isom") + struct.pack(">I4s", 8, b"moov")
    )
    with pytest.raises(UnreadableRecording):
        decode(path)


# identity


def test_the_fingerprint_is_of_the_bytes_not_the_name(tmp_path: Path) -> None:
    one, two = tmp_path / "a.wav", tmp_path / "b.wav"
    one.write_bytes(b"abc")
    two.write_bytes(b"abc")
    assert fingerprint(one) == fingerprint(two)
    assert fingerprint(one) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_decoding_twice_gives_the_same_samples(tmp_path: Path) -> None:
    path = write(tmp_path, "opus.ogg", bursts(2, (1.0,), 48000))
    assert np.array_equal(decode(path).samples.data, decode(path).samples.data)


@pytest.mark.parametrize(("codec", "suffix"), [("tta", ".mka"), ("wavpack", ".mka")])
def test_only_decoders_on_the_list_see_the_bytes(tmp_path: Path, codec: str, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with av.open(str(path), "w", format="matroska") as file:
        stream = file.add_stream(codec, rate=8000, layout="mono")
        samples = (tone(1.0)[:1] * 20_000).astype(np.int16)
        layout = stream.codec_context.format.name
        frame = av.AudioFrame.from_ndarray(
            samples, format="s16p" if layout.endswith("p") else "s16", layout="mono"
        )
        frame.rate = 8000
        for made in (frame, None):
            file.mux(stream.encode(made))
    if formats.may_decode(codec):
        assert decode(path).codec == codec
    else:
        with pytest.raises(UnreadableRecording, match=f"编码是 {codec}，不在名单上"):
            decode(path)
