"""The application: one literal table of pages, each behind the same door."""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import NotFound
from pipeline.review import headers
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
    rule_new,
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
    *rule_new.PAGES,
    *rule_drafts.PAGES,
    *rules.PAGES,
)


def missing(visit: Visit) -> Response:
    raise NotFound("没有这一页", hint="从菜单里找")


MISSING = Page(path="/{path:path}", answer=missing, access=Access.EVERYBODY)
"""Whatever no page answers."""


def create_app(site: Site, pages: Iterable[Page] = PAGES) -> Starlette:
    """Every page of the table as a route; nothing else is reachable."""
    routes = [_route(site, page) for page in (*pages, MISSING)]
    made = Starlette(routes=routes, exception_handlers={HTTPException: not_offered})
    made.router.redirect_slashes = False
    return made


async def not_offered(request: Request, error: Exception) -> Response:
    """A way to ask that no page knows."""
    status, told = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    return Response(status_code=status, headers=dict(told or {}) | headers.ALWAYS | headers.EMPTY)


def _route(site: Site, page: Page) -> Route:
    return Route(page.path, Endpoint(site, page), methods=[page.method])
