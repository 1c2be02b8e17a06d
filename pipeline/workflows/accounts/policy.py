"""Who may do what: one literal table, one function. What is not in the table is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.account import Role, User


class Action(StrEnum):
    QUEUE_VIEW = "queue.view"
    QUEUE_CLAIM = "queue.claim"
    CALL_VIEW = "call.view"
    CALL_PLAY = "call.play"
    CALL_REVIEW = "call.review"
    CALL_ACCEPT_BATCH = "call.accept_batch"
    CALL_CORRECT = "call.correct"
    CALL_ASSIGN = "call.assign"
    CALL_RELEASE = "call.release"
    REVIEW_SECOND = "review.second"
    ROUND_VIEW = "round.view"
    ROUND_RUN = "round.run"
    CARD_VIEW_RELEASED = "card.view_released"
    APPEAL_RAISE = "appeal.raise"
    APPEAL_VIEW = "appeal.view"
    APPEAL_ANSWER = "appeal.answer"
    RULES_VIEW = "rules.view"
    RULES_TRY = "rules.try"
    RULES_EDIT = "rules.edit"
    RULES_PUBLISH = "rules.publish"
    REPORTS_VIEW = "reports.view"
    SEARCH = "search"
    EXPORT = "export"
    USERS_MANAGE = "users.manage"
    AUDIT_VIEW = "audit.view"

    @property
    def chinese(self) -> str:
        return TITLES[self]


class Scope(StrEnum):
    """Whose things. A wider scope takes in the narrower."""

    OWN = "own"
    TEAM = "team"
    ALL = "all"

    @property
    def chinese(self) -> str:
        return {"own": "自己的", "team": "本组的", "all": "全部"}[self.value]


OWN, TEAM, ALL = Scope.OWN, Scope.TEAM, Scope.ALL

TITLES: Mapping[Action, str] = {
    Action.QUEUE_VIEW: "看队列（名称和风险，没有原话）",
    Action.QUEUE_CLAIM: "领取下一通",
    Action.CALL_VIEW: "看通话：转写、发现、评分表",
    Action.CALL_PLAY: "听录音",
    Action.CALL_REVIEW: "复核",
    Action.CALL_ACCEPT_BATCH: "成批采信",
    Action.CALL_CORRECT: "改错字、改登记",
    Action.CALL_ASSIGN: "分派",
    Action.CALL_RELEASE: "向坐席公布评分表",
    Action.REVIEW_SECOND: "第二份复核",
    Action.ROUND_VIEW: "看校准、参加校准",
    Action.ROUND_RUN: "发起、结束校准",
    Action.CARD_VIEW_RELEASED: "看已公布的评分表",
    Action.APPEAL_RAISE: "提出申诉、再申诉",
    Action.APPEAL_VIEW: "看申诉",
    Action.APPEAL_ANSWER: "答复申诉",
    Action.RULES_VIEW: "看规则",
    Action.RULES_TRY: "试规则",
    Action.RULES_EDIT: "改规则的草稿",
    Action.RULES_PUBLISH: "发布规则",
    Action.REPORTS_VIEW: "看报表",
    Action.SEARCH: "搜索转写",
    Action.EXPORT: "导出",
    Action.USERS_MANAGE: "管理用户",
    Action.AUDIT_VIEW: "看审计日志",
}

POLICY: Mapping[Role, Mapping[Action, Scope]] = {
    Role.AGENT: {
        Action.CALL_PLAY: OWN,
        Action.CARD_VIEW_RELEASED: OWN,
        Action.APPEAL_RAISE: OWN,
        Action.APPEAL_VIEW: OWN,
    },
    Role.INSPECTOR: {
        Action.QUEUE_VIEW: ALL,
        Action.QUEUE_CLAIM: ALL,
        Action.CALL_VIEW: OWN,
        Action.CALL_PLAY: OWN,
        Action.CALL_REVIEW: OWN,
        Action.CALL_ACCEPT_BATCH: OWN,
        Action.CALL_CORRECT: OWN,
        Action.REVIEW_SECOND: OWN,
        Action.ROUND_VIEW: OWN,
        Action.APPEAL_VIEW: OWN,
        Action.RULES_VIEW: ALL,
        Action.RULES_TRY: OWN,
        Action.REPORTS_VIEW: ALL,
        Action.SEARCH: OWN,
    },
    Role.SUPERVISOR: {
        Action.QUEUE_VIEW: TEAM,
        Action.QUEUE_CLAIM: TEAM,
        Action.CALL_VIEW: TEAM,
        Action.CALL_PLAY: TEAM,
        Action.CALL_REVIEW: TEAM,
        Action.CALL_ACCEPT_BATCH: TEAM,
        Action.CALL_CORRECT: TEAM,
        Action.CALL_ASSIGN: TEAM,
        Action.CALL_RELEASE: TEAM,
        Action.REVIEW_SECOND: TEAM,
        Action.ROUND_VIEW: TEAM,
        Action.ROUND_RUN: TEAM,
        Action.APPEAL_VIEW: TEAM,
        Action.APPEAL_ANSWER: TEAM,
        Action.RULES_VIEW: ALL,
        Action.RULES_TRY: TEAM,
        Action.RULES_PUBLISH: ALL,
        Action.REPORTS_VIEW: TEAM,
        Action.SEARCH: TEAM,
        Action.EXPORT: TEAM,
    },
    Role.QUALITY_OWNER: {
        Action.QUEUE_VIEW: ALL,
        Action.QUEUE_CLAIM: ALL,
        Action.CALL_VIEW: ALL,
        Action.CALL_PLAY: ALL,
        Action.CALL_REVIEW: ALL,
        Action.CALL_ACCEPT_BATCH: ALL,
        Action.CALL_CORRECT: ALL,
        Action.CALL_ASSIGN: ALL,
        Action.CALL_RELEASE: ALL,
        Action.REVIEW_SECOND: ALL,
        Action.ROUND_VIEW: ALL,
        Action.ROUND_RUN: ALL,
        Action.APPEAL_VIEW: ALL,
        Action.APPEAL_ANSWER: ALL,
        Action.RULES_VIEW: ALL,
        Action.RULES_TRY: ALL,
        Action.RULES_EDIT: ALL,
        Action.RULES_PUBLISH: ALL,
        Action.REPORTS_VIEW: ALL,
        Action.SEARCH: ALL,
        Action.EXPORT: ALL,
    },
    Role.ADMIN: {
        Action.USERS_MANAGE: ALL,
        Action.AUDIT_VIEW: ALL,
    },
    Role.AUDITOR: {
        Action.CALL_VIEW: ALL,
        Action.APPEAL_VIEW: ALL,
        Action.ROUND_VIEW: ALL,
        Action.RULES_VIEW: ALL,
        Action.REPORTS_VIEW: ALL,
        Action.AUDIT_VIEW: ALL,
    },
}

LISTS = frozenset(
    {
        Action.QUEUE_VIEW,
        Action.QUEUE_CLAIM,
        Action.CALL_ASSIGN,
        Action.ROUND_VIEW,
        Action.ROUND_RUN,
        Action.CARD_VIEW_RELEASED,
        Action.APPEAL_VIEW,
        Action.RULES_VIEW,
        Action.RULES_TRY,
        Action.REPORTS_VIEW,
        Action.SEARCH,
        Action.EXPORT,
        Action.USERS_MANAGE,
        Action.AUDIT_VIEW,
    }
)
"""Actions with a page of many things, which shows only those that are in the user's scope."""

JUDGING = frozenset(
    {
        Action.CALL_REVIEW,
        Action.CALL_ACCEPT_BATCH,
        Action.CALL_CORRECT,
        Action.CALL_RELEASE,
        Action.REVIEW_SECOND,
        Action.APPEAL_ANSWER,
    }
)
"""What nobody does to a call that they spoke in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What an action is about. People are named by their logins.

    A call, its card or its appeal: `agent_id` who spoke in it, `team_id` that agent's team, `assigned` who
    has it to inspect, `reviewers` who has decided about it, `released` whether the agent may know the card,
    `raised_by` who appealed. A rule: `edited_by` who wrote the draft. A round: `assigned` who takes part,
    `team_id` whose it is. `many`: a page of such things, cut down to `scope(user.role, action)`."""

    agent_id: str | None = None
    team_id: int | None = None
    assigned: frozenset[str] = frozenset()
    reviewers: frozenset[str] = frozenset()
    edited_by: frozenset[str] = frozenset()
    raised_by: str | None = None
    released: bool = False
    many: bool = False


MANY = Thing(many=True)


def may(user: User, action: Action, thing: Thing) -> bool:
    """Whether this user may do this to that thing: the only place where it is decided."""
    allowed = scope(user.role, action)
    if user.disabled or allowed is None:
        return False
    if thing.many:
        return action in LISTS
    return _within(user, allowed, thing) and not _is_party(user, action, thing)


def scope(role: Role, action: Action) -> Scope | None:
    """How far an action of a role goes; None: not at all."""
    return POLICY.get(role, {}).get(action)


def offers(role: Role, action: Action) -> bool:
    """Whether a role has any use for an action: what a menu shows. It decides nothing."""
    return scope(role, action) is not None


def _within(user: User, allowed: Scope, thing: Thing) -> bool:
    if allowed is ALL:
        return True
    if allowed is TEAM and user.team_id is not None and user.team_id == thing.team_id:
        return True
    if user.role is Role.AGENT:
        return thing.released and _spoke(user, thing)
    return user.login in thing.assigned


def _is_party(user: User, action: Action, thing: Thing) -> bool:
    """Whether the user would judge about themselves, or be the second person to themselves."""
    if action in JUDGING and (_spoke(user, thing) or thing.raised_by == user.login):
        return True
    if action is Action.REVIEW_SECOND:
        return user.login in thing.reviewers
    return action is Action.RULES_PUBLISH and user.login in thing.edited_by


def _spoke(user: User, thing: Thing) -> bool:
    return bool(user.agent_id) and user.agent_id == thing.agent_id
