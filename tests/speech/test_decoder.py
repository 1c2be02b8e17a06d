from pipeline.speech.decoder import likelier
from pipeline.speech.guards import Decoded


def decoded(text, logprob):
    return Decoded(text=text, tokens=(1,), logprob=logprob, no_speech=0.0)


def test_each_window_keeps_the_likelier_of_two_texts_and_remembers_the_other():
    sure, unsure = decoded("工号", -0.2), decoded("公号", -0.5)
    best, others = likelier([sure, unsure], [unsure, sure])
    assert best == [sure, sure]
    assert others == [unsure, unsure]


def test_equally_likely_texts_leave_the_prompted_one():
    plain, prompted = decoded("工号", -0.3), decoded("公号", -0.3)
    assert likelier([plain], [prompted])[0] == [prompted]
