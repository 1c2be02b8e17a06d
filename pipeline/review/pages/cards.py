"""The agent's own pages: released scorecards of their calls, each with its evidence, to appeal against."""

from starlette.responses import RedirectResponse, Response

from pipeline.errors import UsageError
from pipeline.review.agent_view import names_for
from pipeline.review.desk import Desk
from pipeline.review.page import Page, posted
from pipeline.review.pages.call import PENDING, page_values
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review.things import call_thing
from pipeline.storage.queue_records import Key, PageOf, QueueFilter, Sort
from pipeline.workflows.accounts.policy import Action
from pipeline.workflows.review.appeals import Plea, contests, raise_appeal
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.released import released_sheet
from pipeline.workflows.review.subject import agents_in_scope

SIZE = 50


def cards(visit: Visit) -> Response:
    """The released cards of the person's own calls, newest first."""
    own = agents_in_scope(visit.store, visit.who, Action.CARD_VIEW_RELEASED, visit.site.settings) or ()
    page = PageOf(sort=Sort.NEWEST, size=SIZE, after=Key.read(visit.query.text("after")))
    found = visit.store.queue(QueueFilter(agents=own, released=True), page, at=visit.now)
    return page_of(visit, "cards.html", found=found, has_number=bool(own))


def card(visit: Visit) -> Response:
    """One card with its evidence; nothing on it can be changed, but most of it appealed against."""
    now = released_desk(visit)
    contested = contests(now.found, visit.store, visit.site.settings, at=visit.now)
    values = page_values(visit, now) | {"contests": contested, "doubts": ()}
    values["tags"] = (PENDING,) if now.found.pending else ()
    values["urls"] = values["urls"] | {"audio": f"/calls/{now.recording.id}/audio", "others": ""}
    return page_of(visit, "released.html", **values)


def released_desk(visit: Visit) -> Desk:
    """The call of the address as the agent may see it. Raises NotFound, UsageError."""
    recording_id = visit.store.find_call(visit.params["call"]).id
    found = released_sheet(visit.store, recording_id, names_for(visit, recording_id))
    return Desk(
        found=found,
        shown=found,
        card=found.card,
        base=f"/cards/{recording_id}",
        marks=Marks(who=""),
    )


def appeal(visit: Visit) -> Response:
    """Appeal against one item. Raises NotFound, UsageError: it cannot be appealed against."""
    agent = visit.who.agent_id
    if not agent:
        raise UsageError("您的账号没有工号，不能申诉", hint="请管理员在“用户”里写明工号")
    plea = Plea(
        call=visit.params["call"],
        item=visit.form.text("item"),
        who=agent,
        reason=visit.form.text("reason"),
        by=visit.who.login,
    )
    made = raise_appeal(plea, visit.store, visit.site.settings, at=visit.now)
    return RedirectResponse(f"/appeals/{made.id}", status_code=303)


PAGES = (
    Page(path="/cards", answer=cards, action=Action.CARD_VIEW_RELEASED),
    Page(path="/cards/{call}", answer=card, action=Action.CARD_VIEW_RELEASED, thing=call_thing),
    posted("/cards/{call}/appeal", appeal, Action.APPEAL_RAISE, call_thing),
)
