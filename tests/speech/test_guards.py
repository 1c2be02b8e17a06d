import pytest

from pipeline.settings import Settings
from pipeline.speech.guards import (
    Decoded,
    Doubt,
    compression_ratio,
    doubts,
    is_phantom,
    repeats,
    sentence_bounds,
    token_bound,
)

SETTINGS = Settings()
PROMPT = "以下是普通话的客服通话录音。"


def decoded(text="您好，请问有什么可以帮您？", tokens=12, logprob=-0.3, no_speech=0.1):
    return Decoded(text=text, tokens=tuple(range(tokens)), logprob=logprob, no_speech=no_speech)


def test_ordinary_speech_is_believed():
    assert doubts(decoded(), 4_000, SETTINGS) == ()


def test_a_high_no_speech_probability_alone_is_no_reason():
    assert doubts(decoded(no_speech=0.9), 4_000, SETTINGS) == ()


def test_improbable_text_is_doubted():
    assert doubts(decoded(logprob=-1.4), 4_000, SETTINGS) == (Doubt.UNLIKELY,)
    assert doubts(decoded(logprob=-1.4, no_speech=0.9), 4_000, SETTINGS) == (Doubt.NO_SPEECH,)


def test_more_tokens_than_the_speech_can_hold_are_doubted():
    bound = token_bound(1_500, SETTINGS)
    assert doubts(decoded(tokens=bound), 1_500, SETTINGS) == ()
    assert doubts(decoded(tokens=bound + 1), 1_500, SETTINGS) == (Doubt.TOO_LONG,)


def test_a_loop_is_doubted():
    found = doubts(decoded(text="我要查一下那个，" * 12, tokens=90), 25_000, SETTINGS)
    assert set(found) == {Doubt.COMPRESSIBLE, Doubt.REPEATED}


@pytest.mark.parametrize(
    "text",
    [
        "喂喂喂喂喂喂喂喂喂",
        "对不起对不起对不起对不起",
        "我知道我知道我知道我知道",
        "嗯，嗯，嗯，嗯，嗯，嗯，嗯，嗯",
    ],
)
def test_what_nobody_repeats_that_often_is_a_loop(text):
    assert repeats(text)


@pytest.mark.parametrize(
    "text",
    [
        "喂，喂，您好",
        "好的好的好的",
        "对对对对",
        "13800000000",
        "0000000000",
        "谢谢谢谢，再见再见",
        "不是不是不是，我说的是",
        "",
    ],
)
def test_what_people_do_repeat_is_no_loop(text):
    assert not repeats(text)


@pytest.mark.parametrize(
    "sentence",
    [
        "谢谢观看",
        "感谢观看。",
        "感谢您的收看",
        "谢谢大家的观看",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "请不吝点赞",
        "明镜与点点栏目",
        "字幕由Amara.org社区提供",
        "中文字幕志愿者 李宗盛",
        "字幕志愿者 杨茜茜",
        "欢迎订阅我们的频道",
        "优优独播剧场",
        "词曲：李宗盛",
        "Thank you for watching!",
    ],
)
def test_subtitle_sentences_are_phantoms(sentence):
    assert is_phantom(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "谢谢",
        "感谢您的来电，再见。",
        "感谢您的支持",
        "谢谢您的耐心等待",
        "您关注我们的公众号就可以查",
        "我订阅了一个会员",
        "我想取消那个视频会员",
        "下个月再见效果",
        "这个节目单",
        "电视没有字幕",
        "",
    ],
)
def test_what_callers_say_is_no_phantom(sentence):
    assert not is_phantom(sentence, PROMPT)


def test_an_echo_of_the_prompt_is_a_phantom():
    assert is_phantom("以下是普通话的客服通话录音", PROMPT)
    assert is_phantom("以下是普通话的客服通话。", PROMPT)
    assert not is_phantom("这个通话有录音", PROMPT)


def test_short_texts_are_too_short_to_compress():
    assert compression_ratio("好好好好") == 1.0
    assert compression_ratio("好的" * 60) > 5


def test_sentences_end_with_their_marks():
    assert sentence_bounds(["好，", "再", "见。"]) == [(0, 1), (1, 3)]
    assert sentence_bounds(["再", "见"]) == [(0, 2)]
    assert sentence_bounds([]) == []
