"""Reports: what `callscore report` gives, live, each figure a link to the calls behind it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from starlette.responses import Response

from pipeline.audit import AuditEntry
from pipeline.errors import NotFound, UsageError
from pipeline.media.values import time_zone
from pipeline.review.cut import team_cut
from pipeline.review.jobs import Job, State
from pipeline.review.jobs import Watch as JobWatch
from pipeline.review.page import Page
from pipeline.review.render import page_of
from pipeline.review.report_view import Leads, asked, picture
from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import MANY, Action, Scope, may, offers, scope
from pipeline.workflows.report.cells import Lines, Of, Table
from pipeline.workflows.report.compute import USUAL_LEAST, Order, Surroundings
from pipeline.workflows.report.desk import Progress, Stage
from pipeline.workflows.report.drill import MOST_CALLS, Counted, Figure, calls_counted
from pipeline.workflows.report.layout import page as laid_out
from pipeline.workflows.report.period import Asked, a_date
from pipeline.workflows.report.plots import plots
from pipeline.workflows.report.values import Kind, Period, Report
from pipeline.workflows.report.xlsx import workbook
from pipeline.workflows.roster import Roster, read_roster

SECONDS = 0.8
"""A report that takes longer shows how far it is."""
OF_ONE_DAY = (Kind.DAY, Kind.WEEK)
LEAST, MOST_LEAST = 2, 10_000


def reports(visit: Visit) -> Response:
    """The report of the address, or how far it is."""
    order = Order(kind=_kind(visit), asked=Asked())
    try:
        order = order_of(visit)
        found = visit.site.reports.ask(order, visit.store, visit.site.settings, seconds=SECONDS)
    except (UsageError, NotFound) as fault:
        answer = _page(visit, order, fault=fault, nothing=isinstance(fault, NotFound))
        answer.status_code = 200 if isinstance(fault, NotFound) else 422
        return answer
    if isinstance(found, Progress):
        return _page(visit, order, progress=found)
    laid = laid_out(found)
    return _page(
        visit,
        order,
        laid=laid,
        period=found.period,
        plots={name: picture(svg) for name, svg in plots(found, visit.words).items()},
        pieces=_leads(visit, order, found.period).pieces,
        empty=found.empty,
    )


def progress(visit: Visit) -> Response:
    """How far the report is; when it is there the page is asked for anew."""
    order = order_of(visit)
    found = visit.site.reports.progress(order)
    if found is None:
        return Response(headers={"HX-Refresh": "true"})
    return page_of(visit, "report_progress.html", progress=found, query=_query(order), page="/reports")


def calls(visit: Visit) -> Response:
    """The calls behind one figure, or how far they are."""
    figure = _figure(visit)
    job = _counting(visit, figure)
    job.over.wait(SECONDS)
    if not job.is_over:
        return page_of(visit, "report_calls_waiting.html", **_waiting(job, figure))
    if job.state is not State.DONE:
        raise UsageError(job.fault or "停了，没有结果", hint=job.hint or "再看一次")
    return _calls(visit, figure, job.result)


def calls_progress(visit: Visit) -> Response:
    """How far the calls behind a figure are; when they are there they are shown."""
    figure = _figure(visit)
    job = _counting(visit, figure)
    if job.is_over:
        return Response(headers={"HX-Redirect": f"/reports/calls?{_calls_query(job, figure)}"})
    return page_of(visit, "report_progress.html", **_waiting(job, figure))


def _figure(visit: Visit) -> Figure:
    of = Of(visit.query.text("of")) if visit.query.text("of") in tuple(Of) else Of.CALLS
    return Figure(of=of, key=visit.query.text("key"), order=order_of(visit))


def _counting(visit: Visit, figure: Figure) -> Job:
    """The count that the address names, else one of today's archive."""
    jobs, login = visit.site.jobs, visit.who.login
    with suppress(NotFound):
        known = jobs.find(login, visit.query.text("job"))
        if known.about == figure:
            return known
    around = Surroundings(zone=time_zone(visit.site.settings.time_zone), roster=_roster(visit), targets={})

    def work(watch: JobWatch) -> Counted:
        return calls_counted(figure, visit.store, around, lambda read: watch(read, 0))

    key = f"figure {visit.store.newest_scoring()} {hash(figure)}"
    return jobs.start(Job(owner=login, key=key, about=figure), work, alone=True)


def _waiting(job: Job, figure: Figure) -> dict[str, object]:
    return {
        "progress": Progress(stage=Stage.CALLS, done=job.done),
        "query": _calls_query(job, figure),
        "page": "/reports/calls",
        "title": figure.key,
    }


def _calls_query(job: Job, figure: Figure) -> str:
    return urlencode({"of": figure.of.value, "key": figure.key, "job": job.id, **asked(figure.order)})


def _calls(visit: Visit, figure: Figure, found: Counted) -> Response:
    order = figure.order
    leads = _leads(visit, order, found.period)
    shown = tuple(call for call in found.calls if leads.may_listen(call.place.recording))
    return page_of(
        visit,
        "report_calls.html",
        found=found,
        shown=shown,
        kept=len(found.calls) - len(shown),
        of=figure.of.value,
        key=figure.key,
        back=f"/reports?{_query(order)}",
        example=leads.example,
        reasons=any(call.place.reason for call in shown),
        most=MOST_CALLS,
    )


def file(visit: Visit) -> Response:
    """The report as a workbook or as a page to print; who took it is in the audit log."""
    ending = visit.params["ending"]
    if ending not in FILES:
        raise NotFound("没有这种文件", hint="、".join(FILES))
    order = order_of(visit, Action.EXPORT)
    made = visit.site.reports.ask(order, visit.store, visit.site.settings, seconds=None)
    if isinstance(made, Progress):
        raise UsageError("报表还没有算完", hint="过一会儿再下载")
    kind, body = FILES[ending]
    answer = Response(body(made), media_type=kind)
    name = f"{order.kind.value}-{made.period.first}-{made.period.last}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="callscore-{name}"'
    visit.store.record(_taken(visit, order, made, ending))
    return answer


def order_of(visit: Visit, action: Action = Action.REPORTS_VIEW) -> Order:
    """The order of the address, held to what the person may see. Raises UsageError."""
    kind, text = _kind(visit), visit.query.text
    days = (
        Asked(day=a_date(text("date"), "日期"))
        if kind in OF_ONE_DAY
        else Asked(since=a_date(text("since"), "从"), until=a_date(text("until"), "到"))
    )
    least = visit.query.number("least", USUAL_LEAST) or USUAL_LEAST
    order = Order(
        kind=kind,
        asked=days,
        agent=text("agent") or None,
        team=text("team") or None,
        business=text("business") or None,
        least=min(max(least, LEAST), MOST_LEAST),
    )
    held = team_cut(visit, action)
    return order if held is None else replace(order, team=held.team, agents=held.agents)


def _kind(visit: Visit) -> Kind:
    asked_for = visit.query.text("kind")
    return Kind(asked_for) if asked_for in tuple(Kind) else Kind.DAY


def _page(visit: Visit, order: Order, **values: object) -> Response:
    return page_of(
        visit,
        "reports.html",
        **dict.fromkeys(("fault", "progress", "laid", "period", "pieces", "empty", "nothing"))
        | {"plots": {}}
        | values,
        order=order,
        kinds=tuple(Kind),
        of_one_day=order.kind in OF_ONE_DAY,
        teams=_teams(visit),
        query=_query(order),
        page="/reports",
        tab=lambda kind: urlencode({**asked(order), "kind": kind.value}),
        may_export=may(visit.who, Action.EXPORT, MANY),
        is_table=lambda block: isinstance(block, Table),
        is_lines=lambda block: isinstance(block, Lines),
    )


def _query(order: Order) -> str:
    least = {"least": str(order.least)} if order.least != USUAL_LEAST else {}
    return urlencode(asked(order) | least)


def _teams(visit: Visit) -> tuple[str, ...]:
    """The teams that may be chosen: none for who is held to their own."""
    if scope(visit.who.role, Action.REPORTS_VIEW) is not Scope.ALL:
        return ()
    return tuple(sorted(set(_roster(visit).teams.values())))


def _roster(visit: Visit) -> Roster:
    settings = visit.site.settings
    return read_roster(settings.roster, time_zone(settings.time_zone))


def _leads(visit: Visit, order: Order, period: Period) -> Leads:
    role = visit.who.role
    return Leads(
        order=order,
        period=period,
        may_listen=_may_listen(visit),
        words=visit.words,
        queue=offers(role, Action.QUEUE_VIEW),
        rules=offers(role, Action.RULES_VIEW),
    )


def _may_listen(visit: Visit) -> Callable[[str], bool]:
    """Every call of the report may be opened by those whose reports and calls go as far; others see of their
    own calls, but for those that they judge blind."""
    role = visit.who.role
    if scope(role, Action.CALL_VIEW) is scope(role, Action.REPORTS_VIEW):
        return lambda recording: True
    return visit.store.calls_of(visit.who.login).__contains__


def _taken(visit: Visit, order: Order, made: Report, ending: str) -> AuditEntry:
    return AuditEntry(
        at=visit.now,
        who=visit.who.login,
        action="export.report",
        object=f"report:{order.kind.value}",
        detail={
            "file": ending,
            "first": made.period.first.isoformat(),
            "last": made.period.last.isoformat(),
            "calls": made.volume.calls,
            "agent": order.agent,
            "team": order.team,
            "business": order.business,
        },
    )


def _printable(made: Report) -> bytes:
    from pipeline.workflows.report.html import html

    return html(made).encode()


def _workbook(made: Report) -> bytes:
    return workbook(laid_out(made))


FILES: Mapping[str, tuple[str, Callable[[Report], bytes]]] = {
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _workbook),
    "html": ("text/html; charset=utf-8", _printable),
}

PAGES = (
    Page(path="/reports", answer=reports, action=Action.REPORTS_VIEW),
    Page(path="/reports/progress", answer=progress, action=Action.REPORTS_VIEW),
    Page(path="/reports/calls", answer=calls, action=Action.REPORTS_VIEW),
    Page(path="/reports/calls/progress", answer=calls_progress, action=Action.REPORTS_VIEW),
    Page(path="/reports/file/{ending}", answer=file, action=Action.EXPORT),
)
