"""What an agent sees of those who decided: their roles, unless the house shows names."""

from collections.abc import Mapping

from pipeline.account import Role
from pipeline.review.site import Visit
from pipeline.workflows.review.released import UNKNOWN, aliases


def hides_names(visit: Visit) -> bool:
    """Whether this person is not told who decided."""
    return visit.who.role is Role.AGENT and not visit.site.settings.reviewer_names


def names_for(visit: Visit, recording_id: str) -> Mapping[str, str] | None:
    """What to call those who decided about a call; None: by their logins."""
    if not hides_names(visit):
        return None
    appeals = visit.store.appeals(recording_id)
    answered = [event.who for appeal in appeals for event in appeal.events if event.who != appeal.agent]
    return aliases(visit.store.reviews(recording_id), answered, visit.store.users())


def called(names: Mapping[str, str] | None, who: str) -> str:
    """What somebody is called under these names."""
    return who if names is None else names.get(who, UNKNOWN)
