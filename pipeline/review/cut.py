"""Lists cut down to what the person may see."""

from dataclasses import dataclass

from pipeline.errors import UsageError
from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import Action, Scope, scope
from pipeline.workflows.review.subject import agents_in_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCut:
    """The team that a list is held to, and its agents."""

    team: str
    agents: frozenset[str]


def team_cut(visit: Visit, action: Action) -> TeamCut | None:
    """None: the list is not held to a team. Raises UsageError: the person belongs to no team, so there is
    nothing that they may see."""
    if scope(visit.who.role, action) is not Scope.TEAM:
        return None
    names = {team.id: team.name for team in visit.store.teams()}
    found = names.get(visit.who.team_id or 0)
    if found is None:
        raise UsageError("您还没有编入班组，看不到任何通话", hint="请管理员在“用户”里写明您的班组")
    agents = agents_in_scope(visit.store, visit.who, action, visit.site.settings)
    return TeamCut(team=found, agents=frozenset(agents or ()))
