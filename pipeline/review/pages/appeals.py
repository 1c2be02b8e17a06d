"""Appeals: the list, one with both sides and its evidence, the answer, and the appeal against the answer."""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from pipeline.appeal import Appeal, State, days_left
from pipeline.errors import UsageError
from pipeline.media.values import time_zone
from pipeline.review.agent_view import names_for
from pipeline.review.appeal_view import facts_of, thread
from pipeline.review.desk import Desk
from pipeline.review.page import Page, posted
from pipeline.review.pages.call import page_values
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review.things import appeal_thing, number_in
from pipeline.workflows.accounts.policy import Action, Scope, may, scope
from pipeline.workflows.review.appeals import Again, Answer, answer_appeal, reopen_appeal
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.released import released_sheet
from pipeline.workflows.review.sheet import Sheet, sheet
from pipeline.workflows.review.subject import agents_in_scope

SIZE = 50
TABS: Mapping[str, tuple[str, tuple[State, ...]]] = {
    "open": ("待答复", (State.REOPENED, State.OPEN)),
    "answered": ("已答复", (State.ANSWERED,)),
    "final": ("已终结", (State.FINAL,)),
    "": ("全部", tuple(State)),
}
"""What the tabs show, by their name in the address."""


def appeals(visit: Visit) -> Response:
    """The appeals that the person may see: what is due first, the nearest day first."""
    known = in_scope(visit, visit.store.appeals())
    tab = visit.query.text("state", "open" if any(a.state(visit.now).waits for a in known) else "")
    states = TABS.get(tab, TABS[""])[1]
    found = sorted((a for a in known if a.state(visit.now) in states), key=lambda a: urgency(visit, a))
    first = max(visit.query.number("from", 0) or 0, 0)
    shown = found[first : first + SIZE]
    return page_of(
        visit,
        "appeals.html",
        shown=shown,
        names={a.recording_id: visit.store.find_call(a.recording_id).name for a in shown},
        tabs=[(name, title, count(visit, known, among)) for name, (title, among) in TABS.items()],
        tab=tab if tab in TABS else "",
        total=len(found),
        before=max(first - SIZE, 0) if first else None,
        after=first + SIZE if len(found) > first + SIZE else None,
        left=lambda appeal: left(visit, appeal),
        overdue=lambda appeal: overdue(visit, appeal),
    )


def count(visit: Visit, known: Iterable[Appeal], among: Iterable[State]) -> int:
    states = tuple(among)
    return sum(appeal.state(visit.now) in states for appeal in known)


def in_scope(visit: Visit, known: Iterable[Appeal]) -> tuple[Appeal, ...]:
    """Those that the person may see: of their own calls, of those they have or decided, of their team's."""
    store, who = visit.store, visit.who
    allowed = scope(who.role, Action.APPEAL_VIEW)
    if allowed is Scope.ALL:
        return tuple(known)
    if allowed is Scope.OWN and not who.agent_id:
        own = store.calls_of(who.login)
        return tuple(appeal for appeal in known if appeal.recording_id in own)
    agents = agents_in_scope(store, who, Action.APPEAL_VIEW, visit.site.settings) or ()
    return tuple(appeal for appeal in known if appeal.agent in agents)


def urgency(visit: Visit, appeal: Appeal) -> tuple[bool, bool, float, int]:
    """What waits for an answer first, then what may be appealed against again; the nearest day first, of what
    is final the newest."""
    state, end = appeal.state(visit.now), appeal.last.until or appeal.last.at
    is_final = state is State.FINAL
    return not state.waits, is_final, -end.timestamp() if is_final else end.timestamp(), appeal.id


def left(visit: Visit, appeal: Appeal) -> str:
    """How long there is, in words; "": nothing follows."""
    if appeal.last.until is None or appeal.state(visit.now) is State.FINAL:
        return ""
    zone = time_zone(visit.site.settings.time_zone)
    days = days_left(appeal.last.until, visit.now, zone)
    if days < 0:
        return visit.words("逾期 {days} 天", days=-days)
    return visit.words("还有 {days} 天", days=days) if days else visit.words("今天到期")


def overdue(visit: Visit, appeal: Appeal) -> bool:
    until = appeal.last.until
    return appeal.state(visit.now).waits and until is not None and visit.now > until


def appeal(visit: Visit) -> Response:
    """One appeal: the item, what machine, inspectors and agent say of it, the evidence, and what happened."""
    about = visit.store.appeal(number_in(visit, "appeal"))
    now = desk_of(visit, about)
    thing = appeal_thing(visit)
    state = about.state(visit.now)
    names = names_for(visit, about.recording_id)
    values: dict[str, Any] = {
        "appeal": about,
        "state": state,
        "left": left(visit, about),
        "overdue": overdue(visit, about),
        "steps": thread(about, visit.store, names),
        "may_answer": state.waits and may(visit.who, Action.APPEAL_ANSWER, thing),
        "may_reopen": state is State.ANSWERED and may(visit.who, Action.APPEAL_RAISE, thing),
        "call_page": call_page(visit, about),
        "tags": (),
    }
    return page_of(visit, "appeal.html", **page_values(visit, now) | facts_of(now, about) | values)


def desk_of(visit: Visit, about: Appeal) -> Desk:
    """The call of the appeal, to be looked at. Raises UsageError: the person is to judge the call without
    knowing what others decided."""
    found = sheet_for(visit, about.recording_id)
    if found.hidden:
        raise UsageError("这通电话您还在盲评，交卷之后才能看申诉", hint="先到队列里交卷")
    return Desk(
        found=found,
        shown=found,
        card=found.card,
        base=f"/calls/{about.recording_id}",
        marks=Marks(who=found.who),
    )


def sheet_for(visit: Visit, recording_id: str) -> Sheet:
    """The call with the names that this person may read."""
    if scope(visit.who.role, Action.APPEAL_RAISE) is None:
        return sheet(visit.store, recording_id, visit.who.login)
    return released_sheet(visit.store, recording_id, names_for(visit, recording_id))


def call_page(visit: Visit, about: Appeal) -> str:
    """Where the person sees the whole card; "": nowhere."""
    thing = appeal_thing(visit)
    if may(visit.who, Action.CALL_VIEW, thing):
        return f"/calls/{about.recording_id}"
    return f"/cards/{about.recording_id}" if may(visit.who, Action.CARD_VIEW_RELEASED, thing) else ""


def answer(visit: Visit) -> Response:
    """Decide. Raises NotFound and UsageError; then nothing is kept."""
    number, said = number_in(visit, "appeal"), visit.form
    ruling, reason = said.text("ruling"), said.text("reason")
    value = said.text("value") if ruling == "value" else ""
    false = said.texts("finding") if ruling == "false" else ()
    if ruling not in ("keep", "value", "false"):
        raise UsageError("没有说维持还是改判", hint="选一个，再提交")
    if ruling == "value" and not value:
        raise UsageError("没有说改成多少", hint="选一个等级，或写分数")
    if ruling == "false" and not false:
        raise UsageError("没有说哪个发现不实", hint="勾选发现，再提交")
    made = Answer(who=visit.who.login, reason=reason, value=value, false=false)
    answer_appeal(number, made, visit.store, visit.site.settings, at=visit.now)
    return RedirectResponse(f"/appeals/{number}", status_code=303)


def reopen(visit: Visit) -> Response:
    """Appeal once more against the answer. Raises NotFound and UsageError."""
    number = number_in(visit, "appeal")
    who = visit.who
    again = Again(who=who.agent_id or "", reason=visit.form.text("reason"), by=who.login)
    reopen_appeal(number, again, visit.store, visit.site.settings, at=visit.now)
    return RedirectResponse(f"/appeals/{number}", status_code=303)


PAGES = (
    Page(path="/appeals", answer=appeals, action=Action.APPEAL_VIEW),
    Page(path="/appeals/{appeal}", answer=appeal, action=Action.APPEAL_VIEW, thing=appeal_thing),
    posted("/appeals/{appeal}/answer", answer, Action.APPEAL_ANSWER, appeal_thing),
    posted("/appeals/{appeal}/reopen", reopen, Action.APPEAL_RAISE, appeal_thing),
)
