"""The application: one literal table of pages, each behind the same door."""

import os
from collections.abc import Iterable
from dataclasses import replace

from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.errors import NotFound
from pipeline.review import headers
from pipeline.review.guard import Endpoint
from pipeline.review.page import Access, Lane, Page
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

DESK = (*queue.PAGES, *call.PAGES, *cards.PAGES, *appeals.PAGES, *rounds.PAGES)
PAGES: tuple[Page, ...] = (
    *login.PAGES,
    *(replace(page, lane=Lane.DESK) for page in DESK),
    *trace.PAGES,
    *audio.PAGES,
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


AT_ONCE = {Lane.DESK: 6, Lane.LOGIN: os.cpu_count() or 1}
"""So many pages of a lane are answered at once; the others wait, first come, first served."""


def create_app(site: Site, pages: Iterable[Page] = PAGES) -> Starlette:
    """Every page of the table as a route; nothing else is reachable."""
    lanes = {lane: CapacityLimiter(most) for lane, most in AT_ONCE.items()}
    routes = [_route(Endpoint(site, page, lanes.get(page.lane))) for page in (*pages, MISSING)]
    made = Starlette(routes=routes, exception_handlers={HTTPException: not_offered})
    made.router.redirect_slashes = False
    return made


async def not_offered(request: Request, error: Exception) -> Response:
    """A way to ask that no page knows."""
    status, told = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    return Response(status_code=status, headers=dict(told or {}) | headers.ALWAYS | headers.EMPTY)


def _route(endpoint: Endpoint) -> Route:
    page = endpoint.page
    return Route(page.path, endpoint, methods=[page.method])
