"""Calibration rounds: the list, a new one, how far one is, its result; a call judged in one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.responses import RedirectResponse, Response

from pipeline.errors import NotFound, UsageError
from pipeline.review.page import Page, posted
from pipeline.review.pages import audio, call
from pipeline.review.pages.queue import Asked, asked_of, filter_values, inspectors
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review.things import call_named, may_see, number_in, round_call_thing, round_thing
from pipeline.scoring.agreement import SMALLEST_N
from pipeline.storage.queue_records import Round
from pipeline.workflows.accounts.policy import Action, may, offers
from pipeline.workflows.review.agreement import Between, Line
from pipeline.workflows.review.differences import Split
from pipeline.workflows.review.rounds import NewRound, RoundResult, done_by, new_round, round_result
from pipeline.workflows.review.subject import agents_in_scope, subject_of_round

MOST_CALLS = 200
MOST_NAMED = 20_000
"""Characters of the names of calls."""
WORST = 8
"""So many items are shown with the calls on which inspectors differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundLine:
    """One round of the list. `done` of `asked` judgements are handed in, `left` are this person's own."""

    round: Round
    done: int
    asked: int
    left: int


def rounds(visit: Visit) -> Response:
    """The rounds that the person takes part in or may look after, newest first."""
    found = [one for one in visit.store.rounds() if may_view(visit, one)]
    lines = [line_of(visit, one) for one in found]
    return page_of(visit, "rounds.html", lines=lines, may_run=offers(visit.who.role, Action.ROUND_RUN))


def may_view(visit: Visit, one: Round) -> bool:
    return may(visit.who, Action.ROUND_VIEW, subject_of_round(visit.store, one))


def line_of(visit: Visit, one: Round) -> RoundLine:
    reviews = visit.store.round_reviews(one.id)
    done = {who: len(done_by(reviews, who)) for who in one.inspectors}
    mine = len(one.calls) - done[visit.who.login] if visit.who.login in done else 0
    return RoundLine(
        round=one,
        done=sum(done.values()),
        asked=len(one.calls) * len(one.inspectors),
        left=0 if one.closed_at else mine,
    )


def form(visit: Visit) -> Response:
    """Where a round is made: calls that the queue's filters find, or named by hand; and who judges them."""
    asked = asked_of(visit, "/rounds/new")
    found = visit.store.queue(asked.which, asked.page, at=visit.now)
    return page_of(visit, "round_new.html", **filter_values(), **new_values(visit, asked), found=found)


def new_values(visit: Visit, asked: Asked) -> dict[str, Any]:
    return {"asked": asked, "inspectors": inspectors(visit)}


def begin(visit: Visit) -> Response:
    """Keep a new round. Raises NotFound, UsageError: a call that is not in the person's scope, too few
    people."""
    given = visit.form
    names = given.text("names", most=MOST_NAMED).replace("，", " ").replace(",", " ")
    named = tuple(names.split())
    calls = calls_named(visit, (*given.texts("call"), *named))
    known = {user.login for user in inspectors(visit)}
    chosen = tuple(who for who in given.texts("who") if who in known)
    new = NewRound(title=given.text("title"), made_by=visit.who.login, calls=calls, inspectors=chosen)
    made = new_round(visit.store, new, at=visit.now)
    return RedirectResponse(f"/rounds/{made.id}", status_code=303)


def calls_named(visit: Visit, names: Iterable[str]) -> tuple[str, ...]:
    """The recordings of these names. Raises UsageError: there are too many, or one is not there or not for
    this person to hand out, which is not told apart."""
    chosen = tuple(dict.fromkeys(names))
    if len(chosen) > MOST_CALLS:
        raise UsageError(f"选了 {len(chosen)} 通，一次校准最多 {MOST_CALLS} 通", hint="少选一些")
    allowed = agents_in_scope(visit.store, visit.who, Action.ROUND_RUN, visit.site.settings)
    return tuple(_recording(visit, name, allowed) for name in chosen)


def _recording(visit: Visit, name: str, allowed: tuple[str, ...] | None) -> str:
    try:
        found = call_named(visit, name)
    except NotFound:
        found = None
    if found is None or (allowed is not None and found.agent_id not in allowed):
        raise UsageError(f"没有电话 {name}，或不是本组的电话", hint="从左边勾选")
    return found.id


def one(visit: Visit) -> Response:
    """How far a round is; once it is closed, how far its inspectors agree, and where they do not."""
    found = round_result(visit.store, number_in(visit, "round"))
    about = found.round
    closed = about.closed_at is not None
    return page_of(
        visit,
        "round.html",
        round=about,
        found=found,
        closed=closed,
        mine=visit.who.login if visit.who.login in about.inspectors else "",
        may_run=may(visit.who, Action.ROUND_RUN, round_thing(visit)),
        openable=openable(visit, about) if closed else frozenset(),
        lines=agreed(found, Between.INSPECTORS) if closed else (),
        machine=agreed(found, Between.MACHINE) if closed else (),
        worst=worst(found) if closed else (),
        smallest=SMALLEST_N,
    )


def openable(visit: Visit, about: Round) -> frozenset[str]:
    """The calls of the round that the person may open outside it."""
    recordings = (visit.store.find_call(name) for name, _ in about.calls)
    return frozenset(recording.id for recording in recordings if may_see(visit, recording))


def agreed(found: RoundResult, between: Between) -> tuple[Line, ...]:
    return tuple(line for line in found.agreement.items if line.between is between)


def worst(found: RoundResult) -> tuple[tuple[Line, tuple[Split, ...]], ...]:
    """The items on which inspectors agree least, each with the calls on which they differ."""
    lines = agreed(found, Between.INSPECTORS)
    paired = ((line, tuple(s for s in found.splits if s.subject == line.subject)) for line in lines)
    differing = [(line, splits) for line, splits in paired if splits]
    differing.sort(key=lambda pair: (pair[0].share.value or 0.0, -pair[0].share.n))
    return tuple(differing[:WORST])


def close(visit: Visit) -> Response:
    """Nothing more is judged; the result is shown to everybody who may see the round."""
    number = number_in(visit, "round")
    visit.store.close_round(number, visit.who.login, at=visit.now)
    return RedirectResponse(f"/rounds/{number}", status_code=303)


IN_ROUND = "/rounds/{round}/calls/{call}"
VIEW = Action.ROUND_VIEW
PAGES = (
    Page(path="/rounds", answer=rounds, action=VIEW),
    Page(path="/rounds/new", answer=form, action=Action.ROUND_RUN),
    Page(path="/rounds", method="POST", answer=begin, action=Action.ROUND_RUN),
    Page(path="/rounds/{round}", answer=one, action=VIEW, thing=round_thing),
    posted("/rounds/{round}/close", close, Action.ROUND_RUN, round_thing),
    Page(path=IN_ROUND, answer=call.call, action=VIEW, thing=round_thing),
    posted(f"{IN_ROUND}/mark", call.mark, VIEW, round_thing),
    posted(f"{IN_ROUND}/undo", call.undo, VIEW, round_thing),
    posted(f"{IN_ROUND}/submit", call.hand_in, VIEW, round_thing),
    Page(path=f"{IN_ROUND}/audio", answer=audio.audio, action=Action.CALL_PLAY, thing=round_call_thing),
)
