"""Many calls as one row: no stretch is missed in which a phrase is found."""

import pytest

from pipeline.detect.archive.compact import compact
from pipeline.detect.archive.together import Together
from pipeline.detect.heard import Heard
from pipeline.detect.match import Matcher
from pipeline.detect.pattern import parse
from pipeline.detect.script import call_of
from pipeline.storage.mapping import storable
from pipeline.timeline import Role

SAID = (
    "坐席 1.0 您好，这里是蓝天航空的小王。\n客户 4.0 哦，投诉的事呢，你也只能找他们厂家。",
    "客户 1.0 我姓葛先生，一二三四号客服为你服务。\n坐席 5.0 哦哦，好的。",
    "坐席 1.0 个先生您好，投诉的事，你就得找厂家。\n客户 9.0 二十块钱，明天到。",
    "坐席 1.0 唉。",
)
PHRASES = (
    "哦",
    "{surname}先生",
    "{org}(公司|航空)的(小|老){name}",
    "(投诉|退款)[的事]，[你|那你][也|就][得|只能]找(他们|厂家|别人)",
    "(零|一|二)(一|二|三)(三|四)[四]号[客服]为你",
    "{amount}…4{time}",
    "您好…6(小王|航空)",
    "唉",
)


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("role", [None, Role.AGENT, Role.CUSTOMER])
def test_no_stretch_is_missed_in_which_a_phrase_is_found(phrase: str, role: Role | None) -> None:
    calls = [call_of(script, probability=0.5) for script in SAID]
    texts = [compact(storable(call.transcript)).text for call in calls]
    together = Together(texts, [True] * len(texts))
    reached = set(together.stretches(Matcher(heard=together), parse(phrase), role))
    for number, call in enumerate(calls):
        heard = Heard.of(call)
        starts = heard.mask(lambda mark: role in (None, mark.role))
        found = Matcher(heard=heard).search(parse(phrase), starts)
        assert {(number, heard.marks[match.start].stretch) for match in found} <= reached


def test_whoever_speaks_counts_where_the_roles_are_not_known() -> None:
    texts = [compact(storable(call_of(SAID[1]).transcript)).text]
    phrase = parse("为你服务")
    sure, unsure = (Together(texts, [known]) for known in (True, False))
    assert not set(sure.stretches(Matcher(heard=sure), phrase, Role.AGENT))
    assert set(unsure.stretches(Matcher(heard=unsure), phrase, Role.AGENT)) == {(0, 0)}


def test_what_nobody_says_is_ruled_out() -> None:
    texts = [compact(storable(call_of(script).transcript)).text for script in SAID]
    together = Together(texts, [True] * len(texts))
    assert not set(together.stretches(Matcher(heard=together), parse("快递已经签收"), None))
