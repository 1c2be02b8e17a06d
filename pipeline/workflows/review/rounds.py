"""Calibration rounds: several inspectors judge the same calls blind, and see how far they agree.

What is decided in a round measures inspectors; it never counts on a card and is no review of the call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import NotFound, UsageError
from pipeline.scorecard import Decision, Review
from pipeline.storage.queue_records import Conflict, Round
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.review.agreement import Agreement, agreement_of
from pipeline.workflows.review.differences import AgainstOthers, Split, people_of, splits_of
from pipeline.workflows.review.drafts import Handing, conflict_of, handed
from pipeline.workflows.review.marks import Marks, reviews_of
from pipeline.workflows.review.sheet import Sheet, sheet_of
from pipeline.workflows.rules import rules_of_the_day
from pipeline.workflows.tries import until_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRound:
    """What a round is to be. `calls` by call_id or the beginning of the recording's id."""

    title: str
    made_by: str
    calls: tuple[str, ...]
    inspectors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundResult:
    """How far a round is and how far its inspectors agree. `done` holds the recordings that each has handed
    in, `names` what people call the calls; `splits` are the judgements on which they differ."""

    round: Round
    names: Mapping[str, str]
    done: Mapping[str, frozenset[str]]
    agreement: Agreement
    people: tuple[AgainstOthers, ...]
    splits: tuple[Split, ...]


def new_round(store: Store, new: NewRound, *, at: datetime) -> Round:
    """Keep a round over the newest scoring of each call. Raises NotFound for an unknown call, UsageError: too
    few inspectors, no call, no title, or an inspector answered one of the calls."""
    inspectors = tuple(sorted({name.strip() for name in new.inspectors if name.strip()}))
    if len(inspectors) < 2:
        raise UsageError("校准至少要两位质检员", hint="--who 王敏 --who 李强")
    if not new.title.strip():
        raise UsageError("校准要有名称", hint="例：callscore round new 十一月校准 --call d11 …")
    stored = [store.latest(store.find_call(name).id) for name in dict.fromkeys(new.calls)]
    if not stored:
        raise UsageError("没有说校准哪些电话", hint="--call，可多次")
    spoke = {user.agent_id for user in store.users() if user.agent_id and user.login in inspectors}
    for call in stored:
        if call.scorecard is None:
            raise UsageError(f"{call.recording.name} 没有评分表，无法校准", hint="换一通电话")
        if call.recording.agent_id in {*inspectors, *spoke}:
            raise UsageError(
                f"{call.recording.agent_id} 是 {call.recording.name} 的坐席，不能评自己", hint="换一通电话"
            )
    made = Round(
        id=0,
        title=new.title.strip(),
        made_by=new.made_by,
        made_at=at,
        closed_at=None,
        calls=tuple({call.recording.id: call.scorecard_id for call in stored}.items()),
        inspectors=inspectors,
    )
    return store.round(store.add_round(made))


def round_sheet(store: Store, round_id: int, recording_id: str, who: str) -> Sheet:
    """A call of a round as its inspector may see it: with their own decisions of the round alone. What the
    machine says (`machine`, the findings) is not to be shown. Raises NotFound, and UsageError: `who` takes no
    part."""
    found = store.round(round_id)
    scorecard_id = dict(found.calls).get(recording_id)
    if scorecard_id is None:
        raise NotFound(
            f"校准 {round_id} 没有这通电话：{recording_id}", hint=f"callscore round show {round_id}"
        )
    if who not in found.inspectors:
        raise UsageError(f"{who} 不在校准 {round_id} 里", hint=f"参加的有：{'、'.join(found.inspectors)}")
    own = tuple(r for r in store.round_reviews(round_id) if (r.recording_id, r.who) == (recording_id, who))
    stored = store.scoring(scorecard_id)
    return sheet_of(stored, own, rules_of_the_day(store, stored.ruleset_digest), who)


def judge_in_round(store: Store, round_id: int, recording_id: str, marks: Marks, *, at: datetime) -> Sheet:
    """Keep what an inspector decides in a round; the sheet afterwards. Raises NotFound, and UsageError: the
    round is closed, they take no part, or the form does not allow it."""

    def attempt() -> bool | None:
        if store.round(round_id).closed_at is not None:
            raise UsageError(f"校准 {round_id} 已结束", hint=f"callscore round show {round_id} 看结果")
        before = round_sheet(store, round_id, recording_id, marks.who)
        made = reviews_of(replace(marks, blind=True), before, before.moment(at))
        return store.add_round_reviews(round_id, made, known=len(before.everything)) or None

    until_kept(attempt, recording_id)
    return round_sheet(store, round_id, recording_id, marks.who)


def submit_in_round(store: Store, handing: Handing, *, at: datetime) -> Sheet | Conflict:
    """Hand in a draft that was made in a round; it ends with it. Raises what `judge_in_round` does."""
    draft = store.draft(handing.key)
    if draft is None or draft.version != handing.version:
        return conflict_of(draft, at)
    key = handing.key
    return judge_in_round(store, key.round_id, key.recording_id, handed(draft, handing), at=at)


def round_result(store: Store, round_id: int) -> RoundResult:
    """How far a round is, and its agreement per item. Raises NotFound."""
    found = store.round(round_id)
    reviews = store.round_reviews(round_id)
    calls = [(one, _about(reviews, one.recording.id)) for one in _stored(store, found)]
    return RoundResult(
        round=found,
        names={one.recording.id: one.recording.name for one, _ in calls},
        done={who: done_by(reviews, who) for who in found.inspectors},
        agreement=agreement_of(calls, store),
        people=people_of(calls, store, found.inspectors),
        splits=splits_of(calls, store),
    )


def _stored(store: Store, found: Round) -> list[StoredCall]:
    """The calls of a round as they were scored when it was made."""
    return [store.scoring(scorecard_id) for _, scorecard_id in found.calls]


def _about(reviews: Iterable[Review], recording_id: str) -> Sequence[Review]:
    return [review for review in reviews if review.recording_id == recording_id]


def done_by(reviews: Iterable[Review], who: str) -> frozenset[str]:
    """The recordings that somebody has handed in."""
    return frozenset(r.recording_id for r in reviews if r.who == who and r.decision is Decision.DONE)
