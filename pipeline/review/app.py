"""The application: one literal table of pages, each behind the same door."""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import NotFound
from pipeline.review.guard import Endpoint
from pipeline.review.page import Access, Page
from pipeline.review.pages import (
    appeals,
    audio,
    audit,
    call,
    cards,
    guide,
    login,
    queue,
    reports,
    rounds,
    rule_drafts,
    rule_try,
    rules,
    search,
    trace,
    users,
)
from pipeline.review.site import Site, Visit

PAGES: tuple[Page, ...] = (
    *login.PAGES,
    *queue.PAGES,
    *call.PAGES,
    *trace.PAGES,
    *audio.PAGES,
    *cards.PAGES,
    *appeals.PAGES,
    *rounds.PAGES,
    *reports.PAGES,
    *search.PAGES,
    *users.PAGES,
    *audit.PAGES,
    *guide.PAGES,
    *rule_try.PAGES,
    *rule_drafts.PAGES,
    *rules.PAGES,
)


def missing(visit: Visit) -> Response:
    raise NotFound("没有这一页", hint="从菜单里找")


MISSING = Page(path="/{path:path}", answer=missing, access=Access.EVERYBODY)
"""Whatever no page answers."""


def create_app(site: Site, pages: Iterable[Page] = PAGES) -> Starlette:
    """Every page of the table as a route; nothing else is reachable."""
    made = Starlette(routes=[_route(site, page) for page in (*pages, MISSING)])
    made.router.redirect_slashes = False
    return made


def _route(site: Site, page: Page) -> Route:
    return Route(page.path, Endpoint(site, page), methods=[page.method])
