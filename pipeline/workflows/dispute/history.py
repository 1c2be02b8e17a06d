"""Everything that happened to a call, in order: scorings, corrections, decisions of people, appeals."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.appeal import Appeal
from pipeline.scorecard import Decision, Review
from pipeline.scoring.added import told
from pipeline.storage.records import Change, Correction, ScoringLine
from pipeline.storage.store import Store
from pipeline.workflows.review.seen import Viewed

COLUMNS = {
    "call_id": "通话编号",
    "agent_id": "坐席工号",
    "customer": "客户",
    "direction": "方向",
    "business": "业务",
    "started_at": "开始时间",
    "agent_channel": "坐席声道",
    "queue_wait_seconds": "排队秒数",
    "ring_count": "振铃次数",
    "is_complaint": "是否投诉",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the history. The last three are empty where nothing was scored."""

    at: datetime
    what: str
    who: str
    told: str
    points: str = ""
    sha256: str = ""
    ruleset_digest: str = ""


def history(store: Store, recording_id: str, seen: Viewed | None = None) -> tuple[Event, ...]:
    """Oldest first; a correction comes before the scoring that it led to. `seen`: only what its viewer may
    see, without the scorings that counted more; None: everything."""
    reviews = store.reviews(recording_id) if seen is None else seen.reviews
    events = [_corrected(correction) for correction in store.corrections(recording_id)]
    events += [_reviewed(review) for review in reviews]
    events += [event for appeal in store.appeals(recording_id) for event in _appealed(appeal)]
    events += [_scored(line) for line in store.history(recording_id) if seen is None or seen.shows(line)]
    return tuple(sorted(events, key=lambda event: event.at))


def _scored(line: ScoringLine) -> Event:
    form = f"{line.template_id} 第 {line.template_version} 版" if line.template_id else "没有适用的评分表"
    return Event(
        at=line.scored_at,
        what="评分",
        who="callscore",
        told=f"{form}；转写：{line.origin.chinese}；{line.reason}",
        points="—" if line.total is None else f"{line.total:.1f}",
        sha256=line.body_sha256,
        ruleset_digest=line.ruleset_digest,
    )


def _corrected(correction: Correction) -> Event:
    put_right = "；".join(map(change_told, correction.changes))
    return Event(
        at=correction.at,
        what=correction.subject.chinese,
        who=correction.who,
        told=_sentences(put_right, correction.reason),
    )


def change_told(change: Change) -> str:
    """`00:12.3 “宫号”→“工号”`."""
    return f"{COLUMNS.get(change.what, change.what)} “{change.before}”→“{change.after}”"


def _reviewed(review: Review) -> Event:
    target = "" if review.decision is Decision.FINDING_ADDED else review.target
    what = " ".join(part for part in (target, told(review)) if part)
    return Event(
        at=review.at, what=review.decision.chinese, who=review.who, told=_sentences(what, review.reason)
    )


def _appealed(appeal: Appeal) -> Iterator[Event]:
    for event in appeal.events:
        ruling = event.ruling.chinese if event.ruling else ""
        told = f"申诉 {appeal.id}，{appeal.title}" + (f"：{ruling}" if ruling else "")
        yield Event(at=event.at, what=event.step.chinese, who=event.who, told=_sentences(told, event.reason))


def _sentences(*parts: str) -> str:
    return "。".join(part for part in parts if part)
