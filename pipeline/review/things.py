"""What a page is about, as the policy sees it: whose call, who inspects it, whether the agent may know."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from pipeline.errors import NotFound
from pipeline.review.site import Visit
from pipeline.timeline import Recording
from pipeline.workflows.accounts.policy import Action, Scope, Thing, may, scope
from pipeline.workflows.review.subject import login_of, subject_of, subject_of_round
from pipeline.workflows.rulebook.drafts import open_draft


def call_thing(visit: Visit) -> Thing:
    """The call of the address."""
    return _thing(visit, visit.params["call"])


def chosen_call_thing(visit: Visit) -> Thing:
    """The call that a form names."""
    return _thing(visit, visit.form.text("call"))


def _thing(visit: Visit, name: str) -> Thing:
    """Nobody's where there is no such call: who may not see every call does not learn which there are. Raises
    NotFound for those who may."""
    try:
        return subject_of(visit.store, call_named(visit, name), visit.site.settings)
    except NotFound:
        if sees_everything(visit):
            raise
        return Thing()


def call_named(visit: Visit, name: str) -> Recording:
    """Raises NotFound, which tells nothing of other calls and of where files lie, unlike the store's."""
    try:
        return visit.store.find_call(name)
    except NotFound:
        raise NotFound("没有这通电话", hint="从队列或搜索里打开") from None


def appeal_thing(visit: Visit) -> Thing:
    """The appeal of the address, by the call that it is about and by who raised it. Raises NotFound."""
    appeal = visit.store.appeal(number_in(visit, "appeal"))
    recording = visit.store.find_call(appeal.recording_id)
    about = subject_of(visit.store, recording, visit.site.settings)
    return replace(about, raised_by=login_of(visit.store, appeal.agent))


def round_thing(visit: Visit) -> Thing:
    """The calibration round of the address, by who takes part and whose team began it. Raises NotFound."""
    return subject_of_round(visit.store, visit.store.round(number_in(visit, "round")))


def round_call_thing(visit: Visit) -> Thing:
    """A call of a round, as those who take part may hear it. Raises NotFound: it is not in the round."""
    found = visit.store.round(number_in(visit, "round"))
    recording = call_named(visit, visit.params["call"])
    if recording.id not in dict(found.calls):
        raise NotFound("这次校准没有这通电话", hint="从“校准”里选")
    about = subject_of(visit.store, recording, visit.site.settings)
    return replace(about, assigned=frozenset(found.inspectors), reviewers=frozenset(), released=False)


def number_in(visit: Visit, name: str) -> int:
    """A number of the address. Raises NotFound: it is none."""
    text = visit.params[name]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound("没有这一页", hint="从菜单里找")
    return int(text)


def rule_draft_thing(visit: Visit) -> Thing:
    """The draft of the rule of the address, by who wrote in it. Raises NotFound."""
    return Thing(edited_by=frozenset(open_draft(visit.params["rule"], visit.store).edited_by))


MOST_LOOKED_AT = 200
"""So many places are looked at for those that the person may see: each asks the database."""

Placed = TypeVar("Placed")


def sees_everything(visit: Visit) -> bool:
    """Whether there is no call that this person may not see."""
    return scope(visit.who.role, Action.CALL_VIEW) is Scope.ALL


def may_see(visit: Visit, recording: Recording) -> bool:
    """Whether this person may open the call."""
    if sees_everything(visit):
        return True
    return may(visit.who, Action.CALL_VIEW, subject_of(visit.store, recording, visit.site.settings))


def seen(visit: Visit, places: Iterable[tuple[Recording, Placed]]) -> Iterator[Placed]:
    """Those of some places that lie in calls which this person may open; only the first are looked at."""
    known: dict[str, bool] = {}
    for recording, place in islice(places, MOST_LOOKED_AT):
        if recording.id not in known:
            known[recording.id] = may_see(visit, recording)
        if known[recording.id]:
            yield place
