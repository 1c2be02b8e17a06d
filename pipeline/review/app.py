"""The application: one literal table of pages, each behind the same door."""

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.routing import Route

from pipeline.review.guard import Endpoint
from pipeline.review.page import Page
from pipeline.review.pages import audio, audit, call, guide, login, queue, reports, search, users
from pipeline.review.site import Site

PAGES: tuple[Page, ...] = (
    *login.PAGES,
    *queue.PAGES,
    *call.PAGES,
    *audio.PAGES,
    *reports.PAGES,
    *search.PAGES,
    *users.PAGES,
    *audit.PAGES,
    *guide.PAGES,
)


def create_app(site: Site, pages: Iterable[Page] = PAGES) -> Starlette:
    """Every page of the table as a route; nothing else is reachable."""
    return Starlette(routes=[_route(site, page) for page in pages])


def _route(site: Site, page: Page) -> Route:
    return Route(page.path, Endpoint(site, page), methods=[page.method])
