"""Templates: all that is put into one is escaped; times as mm:ss.s, moments in the time zone of the house."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from pipeline.media.values import time_zone
from pipeline.review.assets import asset
from pipeline.review.menu import menu
from pipeline.review.site import Visit
from pipeline.review.transcript_view import ShownWord
from pipeline.storage.store import Store
from pipeline.units import clock

HERE = Path(__file__).parent


@cache
def environment() -> Environment:
    """Escapes always; a name that is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["clock"] = clock
    made.filters["points"] = points
    made.filters["percent"] = percent
    made.filters["spoken"] = spoken
    made.globals["asset"] = asset
    return made


def html(visit: Visit, name: str, values: Mapping[str, Any]) -> str:
    """A template filled in."""
    zone = time_zone(visit.site.settings.time_zone)

    def local(at: datetime | None, form: str = "%m-%d %H:%M") -> str:
        return at.astimezone(zone).strftime(form) if at else "—"

    filled = environment().get_template(name)
    return filled.render(
        values, visit=visit, t=visit.words, local=local, person=People(visit.store), menu=menu(visit)
    )


class People:
    """`person("wangmin")`: what somebody is called; the login of somebody who has no account."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, login: str | None) -> str:
        return self._names.get(login or "", login or "")

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return {user.login: user.name for user in self._store.users()}


def page_of(visit: Visit, name: str, **values: Any) -> Response:
    """A template as an answer."""
    return HTMLResponse(html(visit, name, values))


def spoken(words: Iterable[ShownWord]) -> Markup:
    """Words, each with its time: thousands of them, so they are not put together by a template."""
    return Markup("".join(map(_word, words)))  # noqa: S704  (each is escaped)


def _word(word: ShownWord) -> str:
    mark = f" {word.mark}" if word.mark else ""
    times = f'data-s="{word.start}" data-e="{word.end}"'
    return f'<span class="w{mark}" {times}>{escape(word.text)}</span>'


def points(value: Decimal | float | None) -> str:
    """Points with one decimal; a dash where nobody decided."""
    return "—" if value is None else f"{value:.1f}"


def percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.0%}"
