import pytest

from pipeline.speech.waits import announcing
from pipeline.timeline import Role, Span, Turn, Word


def turn(text: str, role: Role = Role.AGENT) -> Turn:
    words = tuple(
        Word(span=Span(n * 200, n * 200 + 200), text=c, probability=0.9) for n, c in enumerate(text)
    )
    return Turn(index=0, speaker=0, role=role, channel=0, span=Span(0, len(text) * 200), words=words)


@pytest.mark.parametrize(
    "text", ["请稍等。", "麻烦您等一下", "我帮您查，请不要挂机", "您在线稍候", "请烧等", "大概需要二十秒"]
)
def test_asking_the_customer_to_wait_announces_a_wait(text: str) -> None:
    assert announcing([turn(text)]) == (turn(text).span,)


@pytest.mark.parametrize("text", ["好的，已经办好了", "请问您贵姓", "感谢您的来电，再见"])
def test_ordinary_words_announce_none(text: str) -> None:
    assert announcing([turn(text)]) == ()


def test_a_customer_who_says_wait_announces_none() -> None:
    assert announcing([turn("你等一下", Role.CUSTOMER)]) == ()
