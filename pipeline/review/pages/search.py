"""Search over the transcripts. What is looked for travels in the body of the request and in the part of the
address that browsers keep to themselves: neither this program nor a proxy before it can log it."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from itertools import groupby

from starlette.responses import Response

from pipeline.errors import NotFound, UsageError
from pipeline.media.values import time_zone
from pipeline.review.cut import team_cut
from pipeline.review.page import Page
from pipeline.review.render import page_of
from pipeline.review.report_view import call_at
from pipeline.review.site import Visit
from pipeline.storage.records import CallFilter
from pipeline.timeline import Role
from pipeline.workflows.accounts.policy import Action, Scope, scope
from pipeline.workflows.report.period import a_date
from pipeline.workflows.search import PAGE, Passage, Query
from pipeline.workflows.search import search as find

ROLES = (Role.AGENT, Role.CUSTOMER)
MOST_LOOKED_THROUGH = 20_000
"""Calls a page at most: nobody waits longer than a few seconds to see that there is nothing yet."""
MOST_PASSAGES = 5
"""Places shown of one call; the rest is counted."""


def form(visit: Visit) -> Response:
    team_cut(visit, Action.SEARCH)
    return _page(visit)


def results(visit: Visit) -> Response:
    """One page of what was found: the part of the page below the form, or the whole page."""
    try:
        found = find(query_of(visit), visit.store, visit.site.settings)
    except (UsageError, NotFound) as fault:
        answer = _page(visit, fault=fault)
        answer.status_code = 200 if visit.is_fragment else 422
        return answer
    return _page(visit, found=found)


def query_of(visit: Visit) -> Query:
    """What the form asks, held to what the person may see. Raises UsageError."""
    text = visit.form.text
    role = text("role")
    return Query(
        text=text("text"),
        by_sound=text("sound") == "1",
        role=Role(role) if role in ROLES else None,
        which=_filter(visit),
        after=text("after"),
        most=MOST_LOOKED_THROUGH,
    )


def _filter(visit: Visit) -> CallFilter:
    text = visit.form.text
    held = team_cut(visit, Action.SEARCH)
    own = scope(visit.who.role, Action.SEARCH) is Scope.OWN
    return CallFilter(
        agent_id=text("agent") or None,
        agents=held.agents if held else None,
        recordings=visit.store.calls_of(visit.who.login) if own else None,
        business=text("business") or None,
        rule_id=text("rule") or None,
        since=_midnight(visit, a_date(text("since"), visit.words("从"))),
        until=_midnight(visit, a_date(text("until"), visit.words("到")), days=1),
        least_total=_points(text("least")),
        most_total=_points(text("most")),
        limit=PAGE,
    )


def _midnight(visit: Visit, day: date | None, *, days: int = 0) -> datetime | None:
    if day is None:
        return None
    zone = time_zone(visit.site.settings.time_zone)
    return datetime.combine(day + timedelta(days=days), time(), zone)


def _points(typed: str) -> Decimal | None:
    """Raises UsageError: no number of points."""
    try:
        found = Decimal(typed) if typed else None
    except InvalidOperation:
        found = Decimal("NaN")
    if found is not None and (not found.is_finite() or abs(found) > 100_000):
        raise UsageError(f"得分应为数，收到“{typed[:20]}”", hint="改正后再找")
    return found


def _page(visit: Visit, **values: object) -> Response:
    name = "search_results.html" if visit.is_fragment else "search.html"
    usual: dict[str, object] = {"fault": None, "found": None}
    return page_of(
        visit,
        name,
        **usual | values,
        asked=visit.form.text,
        roles=ROLES,
        call_at=call_at,
        places=places,
        most_passages=MOST_PASSAGES,
        own=scope(visit.who.role, Action.SEARCH) is Scope.OWN,
    )


def places(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """Each place once: several rules may have found the same words."""
    ordered = sorted(passages, key=lambda p: (p.span.start, p.span.end, p.rule_id))
    return tuple(next(found) for _, found in groupby(ordered, key=lambda p: (p.span, p.role, p.rule_id)))


PAGES = (
    Page(path="/search", answer=form, action=Action.SEARCH),
    Page(path="/search", method="POST", answer=results, action=Action.SEARCH),
)
