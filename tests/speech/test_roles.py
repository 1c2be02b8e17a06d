import random
from collections import defaultdict
from functools import cache

import pytest
from pypinyin import lazy_pinyin

from pipeline.speech.roles import assign_roles
from pipeline.speech.wordings import _TABLE, WEIGHTS
from pipeline.timeline import AgentChannel, Direction, Role, Span, Turn, Word

IN, OUT = Direction.INBOUND, Direction.OUTBOUND
AGENT, CUSTOMER, OTHER = Role.AGENT, Role.CUSTOMER, Role.OTHER

POLITE = """
A 您好，国网滨海供电服务热线，工号三五二八，请讲。
C 哎你好，我们小区停电了，什么时候来电啊？
A 请问您是哪个小区？
C 翠湖花园。
A 您稍等，我看一下停电信息。今天有计划检修，预计下午四点恢复。
C 怎么没人通知呢？家里有老人要用氧气机。
A 给您带来不便非常抱歉，我帮您催一下抢修班组。
C 行，那你快点啊。
A 好的，感谢您的来电，再见。
"""
RUDE = """
A 你好，顺达物流。
C 我有个件从广州发过来，一个礼拜了还在中转站没动。
A 运单号报一下。
C 七七三零，二二八五，四六。
A 显示在武汉，爆仓了。
C 那得等到什么时候啊？里面是海鲜，都臭了！
A 海鲜你走什么普通件啊。
C 你们收件的时候也没说不能发呀！
A 这个我没办法，你等通知吧。
C 把你领导电话给我，我要投诉。
A 领导不在。
"""
COLLECTING = """
C 喂？
A 你好，是陈先生吗？
C 你哪位？
A 我这里是消费贷款后管理部门，你的账单逾期二十三天了，知道吗？
C 我最近手头紧，下个月还行不行？
A 今天必须处理，不然要上报征信的。
C 你们一天打十几个电话，烦不烦啊。
A 五点之前还最低额一千二，能不能做到？
C 我尽量吧。
"""
SERVICE = """
C 你好。
A 您好，我是宝泰汽车的服务顾问小林，看到您的爱车快到保养周期了，跟您约个时间。
C 哦，是该保养了。大保养要多少钱？
A 大保养八百八，这个月做活动，送一次空调清洗。
C 那周六上午行吗？
A 可以，您看哪个时间方便？
C 九点半吧。
A 好的，给您约上了，到时候给您发短信提醒。
C 好，谢谢。
"""
CALLS = [(POLITE, IN), (RUDE, IN), (COLLECTING, OUT), (SERVICE, OUT)]


def said(script, **options):
    lines = [line.split(maxsplit=1) for line in script.strip().splitlines()]
    return turns([(who, text) for who, text in lines], **options)


def turns(lines, stereo=False, numbers="AC"):
    made, time = [], 0
    for index, (who, text) in enumerate(lines):
        speaker = numbers.index(who)
        words = tuple(
            Word(span=Span(time + 200 * n, time + 200 * n + 200), text=c, probability=0.9)
            for n, c in enumerate(text)
        )
        span = Span(time, time + 200 * len(text))
        made.append(
            Turn(
                index=index,
                speaker=speaker,
                role=Role.UNKNOWN,
                channel=speaker if stereo else None,
                span=span,
                words=words,
            )
        )
        time = span.end + 300
    return made


@cache
def same_sound():
    others = defaultdict(list)
    for code in range(0x4E00, 0x5E00):
        others[lazy_pinyin(chr(code))[0]].append(chr(code))
    return others


def misheard(script, part, seed):
    """Characters replaced by others of the same sound, a quarter of them lost; lines and speakers stay."""
    chance, others, heard = random.Random(seed), same_sound(), []
    for line in script.strip().splitlines():
        text = [_misheard(c, part, chance, others) for c in line[2:]]
        heard.append(line[:2] + "".join(text))
    return "\n".join(heard)


def _misheard(character, part, chance, others):
    if not "\u4e00" <= character <= "\u9fff" or chance.random() >= part:
        return character
    return "" if chance.random() < 0.25 else chance.choice(others[lazy_pinyin(character)[0]] or [character])


@pytest.mark.parametrize(("script", "direction"), CALLS)
@pytest.mark.parametrize("numbers", ["AC", "CA"])
def test_the_agent_is_known_by_what_is_said_whatever_the_number(script, direction, numbers):
    roles, assignment = assign_roles(said(script, numbers=numbers), direction)
    assert roles == {numbers.index("A"): AGENT, numbers.index("C"): CUSTOMER}
    assert assignment.confidence >= 0.7


@pytest.mark.parametrize(("script", "direction"), CALLS)
@pytest.mark.parametrize("seed", range(3))
def test_misheard_words_still_tell_the_agent(script, direction, seed):
    roles, assignment = assign_roles(said(misheard(script, 0.3, seed)), direction)
    assert roles[0] is AGENT or assignment.confidence < 0.7


def test_a_wording_counts_though_other_characters_were_written():
    roles, assignment = assign_roles(turns([("A", "宫好三五二八为您服物"), ("C", "我像查一下")]), None)
    assert roles[0] is AGENT
    assert "为您服务" in assignment.reason


def test_a_customer_who_asks_for_the_work_number_is_not_the_agent():
    roles, _ = assign_roles(turns([("A", "什么事"), ("C", "你工号多少，我要投诉"), ("A", "没有工号")]), IN)
    assert roles == {0: AGENT, 1: CUSTOMER}


def test_more_evidence_gives_more_confidence():
    lines = said(RUDE)
    confidences = [assign_roles(lines[:count], IN)[1].confidence for count in (2, len(lines))]
    assert confidences[0] < confidences[1] - 0.02


def test_without_telling_words_nobody_is_sure():
    _, assignment = assign_roles(turns([("A", "嗯嗯"), ("C", "嗯")]), None)
    assert assignment.confidence < 0.8


def test_whoever_answers_the_phone_is_the_agent_inbound_and_the_customer_outbound():
    lines = turns([("A", "嗯"), ("C", "嗯"), ("A", "嗯"), ("C", "嗯")])
    assert assign_roles(lines, IN)[0][0] is AGENT
    assert assign_roles(lines, OUT)[0][0] is CUSTOMER


def test_the_channel_of_the_metadata_decides():
    lines = said(POLITE, stereo=True)
    roles, assignment = assign_roles(lines, IN, AgentChannel.LEFT)
    assert roles == {0: AGENT, 1: CUSTOMER}
    assert assignment.confidence > 0.98
    assert "元数据" in assignment.reason


@pytest.mark.parametrize(("script", "direction"), CALLS[:1])
def test_words_that_contradict_the_channel_raise_doubt_but_do_not_swap(script, direction):
    roles, assignment = assign_roles(said(script, stereo=True), direction, AgentChannel.RIGHT)
    assert roles == {0: CUSTOMER, 1: AGENT}
    assert assignment.confidence < 0.7
    assert "接反" in assignment.reason


def test_stereo_without_a_named_channel_is_decided_by_words():
    roles, assignment = assign_roles(said(POLITE, stereo=True), IN, None)
    assert roles == {0: AGENT, 1: CUSTOMER}
    assert "元数据" not in assignment.reason


def test_mixed_means_that_the_words_decide():
    assert assign_roles(said(RUDE), IN, AgentChannel.MIXED)[0][0] is AGENT


def test_a_third_voice_is_other():
    lines = [*said(POLITE), *turns([("X", "妈，吃饭了")], numbers="ACX")]
    roles, _ = assign_roles(lines, IN)
    assert roles == {0: AGENT, 1: CUSTOMER, 2: OTHER}


def test_a_recorded_announcement_is_nobody():
    menu = ("X", "欢迎致电滨海供电，故障报修请按一，电费查询请按二，人工服务请按零，" * 4)
    lines = [(line[0], line[2:]) for line in POLITE.strip().splitlines()]
    roles, _ = assign_roles(turns([menu, *lines], numbers="ACX"), IN)
    assert roles == {0: AGENT, 1: CUSTOMER, 2: OTHER}


def test_a_single_voice_gets_the_role_of_its_words():
    assert assign_roles(turns([("A", "您好，很高兴为您服务，请问有什么可以帮您")]), IN)[0] == {0: AGENT}
    assert assign_roles(turns([("A", "喂，有人吗？我要投诉你们")]), IN)[0] == {0: CUSTOMER}


def test_a_call_without_words_has_no_roles():
    assert assign_roles([], IN)[0] == {}
    assert assign_roles([], IN)[1].confidence == 0.0


def test_the_reason_quotes_standard_wordings_only():
    _, assignment = assign_roles(said(POLITE), IN)
    assert "服务用语" in assignment.reason
    assert "翠湖" not in assignment.reason


def test_no_wording_stands_in_the_table_twice():
    assert len(WEIGHTS) == sum(len(wordings.split()) for wordings in _TABLE.values())


def test_confidence_is_right_as_often_as_it_says():
    outcomes = [
        (assignment.confidence, roles.get(0) is AGENT)
        for script, direction in CALLS
        for count in (2, 3, 4, 6)
        for part in (0.0, 0.2, 0.3)
        for roles, assignment in [assign_roles(said(misheard(script, part, count))[:count], direction)]
    ]
    sure = [right for confidence, right in outcomes if confidence >= 0.9]
    assert len(sure) >= 8
    assert sum(sure) / len(sure) >= 0.9
