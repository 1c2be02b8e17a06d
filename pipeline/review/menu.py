"""The menu: what this person may open, and nothing else."""

from dataclasses import dataclass

from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import Action, offers


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    path: str
    title: str
    action: Action


ENTRIES = (
    Entry(path="/queue", title="队列", action=Action.QUEUE_VIEW),
    Entry(path="/cards", title="我的评分表", action=Action.CARD_VIEW_RELEASED),
    Entry(path="/appeals", title="申诉", action=Action.APPEAL_VIEW),
    Entry(path="/rounds", title="校准", action=Action.ROUND_VIEW),
    Entry(path="/rules", title="规则", action=Action.RULES_VIEW),
    Entry(path="/reports", title="报表", action=Action.REPORTS_VIEW),
    Entry(path="/search", title="搜索", action=Action.SEARCH),
    Entry(path="/users", title="用户", action=Action.USERS_MANAGE),
    Entry(path="/audit", title="审计", action=Action.AUDIT_VIEW),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    path: str
    title: str
    current: bool


def menu(visit: Visit) -> tuple[Shown, ...]:
    """The entries that the person's role has some use for."""
    user = visit.user
    if user is None:
        return ()
    return tuple(
        Shown(
            path=entry.path,
            title=visit.words(entry.title),
            current=visit.path == entry.path or visit.path.startswith(f"{entry.path}/"),
        )
        for entry in ENTRIES
        if offers(user.role, entry.action)
    )


def first_page(visit: Visit) -> str:
    """Where a person goes after the login."""
    shown = menu(visit)
    return shown[0].path if shown else "/help"
