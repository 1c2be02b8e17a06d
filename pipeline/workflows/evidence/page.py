"""A case file as one HTML page that needs nothing else, to read, to listen to and to print."""

import base64
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipeline.findings import Outcome
from pipeline.scorecard import Verdict
from pipeline.units import clock
from pipeline.workflows.evidence.case import REPLAYED, CaseFile, Clip
from pipeline.workflows.page_font import font_of


def page(case: CaseFile, audio: Callable[[Clip], str] | None = None) -> str:
    """The page. `audio` gives the address of a clip; by default the sound itself is in the page."""
    render = partial(
        _template().render,
        case=case,
        card=case.card,
        form=case.form,
        replayed=REPLAYED[case.replay.agreement],
        audio=audio or embedded,
        clock=clock,
        Outcome=Outcome,
        Verdict=Verdict,
    )
    return render(font="data:font/woff;base64," + font_of(render(font="")))


def embedded(clip: Clip) -> str:
    """The clip as an address that holds its bytes."""
    return "data:audio/wav;base64," + base64.b64encode(clip.wav).decode()


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("case.html")
