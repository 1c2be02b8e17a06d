from pipeline.speech.decoder import likeliest_first
from pipeline.speech.guards import Decoded


def decoded(text, logprob):
    return Decoded(text=text, tokens=(1,), logprob=logprob, no_speech=0.0)


def test_the_likeliest_text_comes_first():
    sure, unsure = decoded("工号", -0.2), decoded("公号", -0.5)
    assert likeliest_first([unsure, sure]) == [sure, unsure]


def test_of_equally_likely_texts_the_one_decoded_first_stays():
    plain, prompted = decoded("工号", -0.3), decoded("公号", -0.3)
    assert likeliest_first([plain, prompted]) == [plain, prompted]
