"""What goes into the inspectors' queue and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.queue import CardSums, WorkState, keeps_back


class Whose(StrEnum):
    """Whose calls are listed."""

    ALL = "all"
    MINE = "mine"
    UNASSIGNED = "unassigned"

    @property
    def chinese(self) -> str:
        return {"all": "全部", "mine": "我的", "unassigned": "没人领的"}[self.value]


class Sort(StrEnum):
    """Riskiest, newest, lowest score or least sure first; calls that are level go by their id."""

    RISK = "risk"
    NEWEST = "newest"
    SCORE = "score"
    CONFIDENCE = "confidence"

    @property
    def chinese(self) -> str:
        titles = {"risk": "风险", "newest": "时间", "score": "得分", "confidence": "把握"}
        return titles[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """Which calls of the queue; None, or empty, asks nothing. `who` is whose calls MINE are; `agents`: any of
    them; `since` and `until` hold against the start of the call (half-open); `plan` drew it; `appeal`: an
    answer to one is due; `text`: how the call's name begins."""

    whose: Whose = Whose.ALL
    who: str = ""
    states: tuple[WorkState, ...] = ()
    template: str | None = None
    agents: tuple[str, ...] | None = None
    business: str | None = None
    complaint: bool | None = None
    fatal: bool | None = None
    acceptable: bool | None = None
    appeal: bool | None = None
    released: bool | None = None
    plan: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Where a page of the queue ended: what its last call was sorted by, and its id."""

    value: int
    recording_id: str

    def __str__(self) -> str:
        return f"{self.value}-{self.recording_id}"

    @classmethod
    def read(cls, text: str) -> "Key | None":
        """The key that was written so; None: it is none."""
        value, _, recording_id = text.partition("-")
        if not (value.isascii() and value.isdigit() and recording_id):
            return None
        return cls(value=int(value), recording_id=recording_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOf:
    """Which page: so many calls behind a key."""

    sort: Sort = Sort.RISK
    size: int = 50
    after: Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine(CardSums):
    """One call of the queue, with the sums of its card. `asked` inspectors are wanted, `done` handed it in;
    `claimed_until` None: nobody holds it, or it was assigned by hand."""

    recording_id: str
    scorecard_id: int
    name: str
    started_at: datetime | None
    duration_ms: int
    agent_id: str | None
    business: str | None
    direction: str | None
    complaint: bool
    open_appeals: int
    asked: int
    done: int
    released: bool
    state: WorkState
    assigned_to: str | None
    claimed_until: datetime | None
    plan_id: int | None
    risk: int

    @property
    def secret(self) -> bool:
        """Whether the figures are not for the second of two inspectors to see."""
        return keeps_back(self.done, self.asked, self.released)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """A page of the queue. `counts` are the calls of each state that the rest of the filter finds, `total`
    those of the states that were asked for; `after` is where the next page begins, None: there is none."""

    lines: tuple[QueueLine, ...]
    counts: Mapping[WorkState, int]
    total: int
    after: Key | None


class WhyNot(StrEnum):
    """Why a call was not given to somebody, or not accepted."""

    UNKNOWN = "unknown"
    HELD = "held"
    OWN_CALL = "own_call"
    DONE_BY_THEM = "done_by_them"
    CLOSED = "closed"
    TOUCHED = "touched"
    UNSURE = "unsure"
    REFUSED = "refused"

    @property
    def chinese(self) -> str:
        titles = {
            "unknown": "没有这通电话，或它没有评分表",
            "held": "别人正在评",
            "own_call": "是本人接的电话",
            "done_by_them": "本人已经交过卷",
            "closed": "已发布或在申诉中",
            "touched": "已有人评过",
            "unsure": "整张不能直接采信",
            "refused": "写不进去",
        }
        return titles[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call that was left as it is. `told`: more than the reason says, in Chinese; may be empty."""

    recording_id: str
    why: WhyNot
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProgress:
    """How far the work on an inspection sample is. `drawn` are its calls that are in the queue, `begun` those
    that somebody holds or has handed in, `released` those that the agents may see."""

    plan_id: int
    made_at: datetime
    since: datetime
    until: datetime
    drawn: int
    begun: int
    released: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftKey:
    """Whose draft about which call; `round_id` 0: outside calibration rounds."""

    recording_id: str
    who: str
    round_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody knew of a call: so many decisions, whether they may see them or not, and this card."""

    reviews: int
    scorecard_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What a draft is to say next, as canonical JSON: over which version (0: there is none yet), and what was
    known of the call."""

    key: DraftKey
    marks: str
    version: int
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody has marked, as canonical JSON; "": nothing. `seen` is what they knew of the call at the
    last save; so many steps can be undone, and done again."""

    key: DraftKey
    marks: str
    version: int
    seen: Seen
    at: datetime
    undo: int
    redo: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A draft that somebody changed meanwhile: who, when, and the version that is the newest now. Version 0:
    it was handed in or thrown away."""

    who: str
    at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A calibration round: `calls` are (recording id, scorecard id), in order."""

    id: int
    title: str
    made_by: str
    made_at: datetime
    closed_at: datetime | None
    calls: tuple[tuple[str, int], ...]
    inspectors: tuple[str, ...]
