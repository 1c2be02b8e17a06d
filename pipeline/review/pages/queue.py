"""The queue: what waits, the next call, calls given to people, calls accepted as they are."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from pipeline.account import User
from pipeline.errors import UsageError
from pipeline.media.values import time_zone
from pipeline.queue import WorkState
from pipeline.review.page import Page, posted
from pipeline.review.render import page_of
from pipeline.review.site import Form, Visit
from pipeline.review.things import call_named, chosen_call_thing
from pipeline.storage.queue_records import Key, PageOf, QueueFilter, QueueLine, Refused, Sort, Whose
from pipeline.workflows.accounts.policy import Action, may, offers
from pipeline.workflows.report.period import a_date
from pipeline.workflows.review.batch import accept_batch
from pipeline.workflows.review.queue import (
    assign,
    assign_rules,
    claim_next,
    deal_by_rules,
    lease,
    plans_lately,
    waiting,
)
from pipeline.workflows.review.subject import agents_in_scope, subject_of
from pipeline.workflows.roster import read_roster

SIZE = 50
MOST_DEALT = 1_000
YES_NO = {"yes": True, "no": False}
FLAGS = ("complaint", "fatal", "acceptable", "appeal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for, as it is written there."""

    which: QueueFilter
    page: PageOf
    fields: dict[str, str]
    path: str = "/queue"

    def address(self, **changes: str) -> str:
        """The address of the same question with some answers changed; an empty one is left out."""
        fields = {name: value for name, value in (self.fields | changes).items() if value}
        return f"{self.path}?{urlencode(fields)}" if fields else self.path


def queue(visit: Visit) -> Response:
    """The calls that the address asks for, riskiest first."""
    asked = asked_of(visit)
    found = visit.store.queue(asked.which, asked.page, at=visit.now)
    role = visit.who.role
    return page_of(
        visit,
        "queue.html",
        asked=asked,
        found=found,
        **filter_values(),
        plans=plans_lately(visit.store),
        inspectors=inspectors(visit) if offers(role, Action.CALL_ASSIGN) else (),
        may_claim=offers(role, Action.QUEUE_CLAIM),
        may_accept=offers(role, Action.CALL_ACCEPT_BATCH),
        mine=visit.who.login,
    )


def asked_of(visit: Visit, path: str = "/queue") -> Asked:
    """The question of the address of the page at `path`, held to what the person may see. Raises UsageError:
    a day that is none."""
    query = visit.query
    fields = {name: query.text(name) for name in sorted(query.values) if name != "after"}
    allowed = agents_in_scope(visit.store, visit.who, Action.QUEUE_VIEW, visit.site.settings)
    agent = query.text("agent")
    agents = (agent,) if agent else allowed
    if allowed is not None:
        agents = tuple(one for one in agents or () if one in allowed)
    state = query.text("state")
    which = QueueFilter(
        whose=_one_of(Whose, query.text("whose"), Whose.ALL),
        who=visit.who.login,
        states=(WorkState(state),) if state in {s.value for s in WorkState} else (),
        template=query.text("template") or None,
        agents=agents,
        business=query.text("business") or None,
        plan=query.number("plan"),
        since=_day(visit, query, "since", 0),
        until=_day(visit, query, "until", 1),
        text=query.text("text"),
        **{name: YES_NO.get(query.text(name)) for name in FLAGS},
    )
    page = PageOf(
        sort=_one_of(Sort, query.text("sort"), Sort.RISK), size=SIZE, after=Key.read(query.text("after"))
    )
    return Asked(which=which, page=page, fields=fields, path=path)


def filter_values() -> dict[str, Any]:
    """What the form of the filters offers."""
    return {"states": tuple(WorkState), "whose": tuple(Whose), "sorts": tuple(Sort)}


def next_one(visit: Visit) -> Response:
    """Claim the riskiest call that waits, and open it."""
    line = claimed_next(visit)
    if line is None:
        return RedirectResponse("/queue?empty=yes", status_code=303)
    return RedirectResponse(f"/calls/{line.recording_id}", status_code=303)


def claimed_next(visit: Visit) -> QueueLine | None:
    """The riskiest call that waits and that the person may have, claimed; None: there is none."""
    allowed = agents_in_scope(visit.store, visit.who, Action.QUEUE_CLAIM, visit.site.settings)
    return claim_next(
        visit.store, visit.who.login, QueueFilter(agents=allowed), visit.site.settings, at=visit.now
    )


def claim(visit: Visit) -> Response:
    """Claim one call, and open it."""
    at = visit.now
    recording_id = call_named(visit, visit.form.text("call")).id
    taken = visit.store.claim(recording_id, visit.who.login, at=at, until=lease(visit.site.settings, at))
    if isinstance(taken, Refused):
        raise UsageError(f"没有领到：{taken.why.chinese}", hint="在队列里另领一通")
    return RedirectResponse(f"/calls/{recording_id}", status_code=303)


def give_back(visit: Visit) -> Response:
    """Let somebody else have it; the draft stays."""
    visit.store.give_back(visit.form.text("call"), visit.who.login)
    return RedirectResponse("/queue", status_code=303)


def hand_out(visit: Visit) -> Response:
    """Give the chosen calls to somebody, by a person allowed to for each of them."""
    who = visit.form.text("to")
    known = {user.login for user in inspectors(visit)}
    if who not in known:
        raise UsageError("没有说派给谁，或没有这个质检员", hint="从列表里选一位")
    calls = allowed_calls(visit, Action.CALL_ASSIGN)
    refused = assign(visit.store, [(call, who) for call in calls], at=visit.now, force=True).refused
    return outcome(
        visit, visit.words("已派给 {who} {count} 通", who=who, count=len(calls) - len(refused)), refused
    )


def deal(visit: Visit) -> Response:
    """Give what waits to people by the rules of the house."""
    settings = visit.site.settings
    rules = assign_rules(settings)
    allowed = agents_in_scope(visit.store, visit.who, Action.CALL_ASSIGN, settings)
    lines = tuple(waiting(visit.store, QueueFilter(agents=allowed), MOST_DEALT, at=visit.now))
    roster = read_roster(settings.roster, time_zone(settings.time_zone))
    dealt = assign(visit.store, deal_by_rules(lines, rules, visit.store.loads(), roster), at=visit.now)
    return outcome(visit, visit.words("按规则派出 {count} 通", count=len(dealt.given)), dealt.refused)


def accept(visit: Visit) -> Response:
    """Accept the chosen calls as they are; those that need an ear are left."""
    calls = allowed_calls(visit, Action.CALL_ACCEPT_BATCH)
    batch = accept_batch(visit.store, calls, visit.who.login, at=visit.now)
    return outcome(visit, visit.words("已采信 {count} 通", count=len(batch.accepted)), batch.refused)


def outcome(visit: Visit, told: str, refused: tuple[Refused, ...]) -> Response:
    """What was done, and why the rest was not."""
    return page_of(visit, "queue_outcome.html", told=told, refused=refused, names=names_of(visit, refused))


def names_of(visit: Visit, refused: tuple[Refused, ...]) -> dict[str, str]:
    lines = (visit.store.queue_line(one.recording_id) for one in refused)
    return {line.recording_id: line.name for line in lines if line}


def allowed_calls(visit: Visit, action: Action) -> tuple[str, ...]:
    """The chosen calls to which the person may do this. Raises UsageError: none was chosen."""
    chosen = visit.form.texts("call")
    if not chosen:
        raise UsageError("没有选电话", hint="在左边勾选，再做一次")
    recordings = [call_named(visit, name) for name in dict.fromkeys(chosen)]
    return tuple(
        recording.id
        for recording in recordings
        if may(visit.who, action, subject_of(visit.store, recording, visit.site.settings))
    )


def inspectors(visit: Visit) -> tuple[User, ...]:
    """Who may be given a call."""
    return tuple(
        user for user in visit.store.users() if not user.disabled and offers(user.role, Action.CALL_REVIEW)
    )


def _day(visit: Visit, query: Form, name: str, more: int) -> datetime | None:
    """The beginning of a day, or (`more` 1) of the day after it."""
    day = a_date(query.text(name), name)
    if day is None:
        return None
    zone = time_zone(visit.site.settings.time_zone)
    return datetime.combine(day + timedelta(days=more), time(), zone)


Kind = TypeVar("Kind", bound=StrEnum)


def _one_of(kind: type[Kind], text: str, usual: Kind) -> Kind:
    return kind(text) if text in {value.value for value in kind} else usual


PAGES = (
    Page(path="/queue", answer=queue, action=Action.QUEUE_VIEW),
    Page(path="/queue/next", method="POST", answer=next_one, action=Action.QUEUE_CLAIM),
    posted("/queue/claim", claim, Action.QUEUE_CLAIM, chosen_call_thing),
    Page(path="/queue/back", method="POST", answer=give_back, action=Action.QUEUE_CLAIM),
    Page(path="/queue/assign", method="POST", answer=hand_out, action=Action.QUEUE_VIEW),
    Page(path="/queue/deal", method="POST", answer=deal, action=Action.CALL_ASSIGN),
    Page(path="/queue/accept", method="POST", answer=accept, action=Action.QUEUE_VIEW),
)
