"""A call as the policy sees it, and the calls that are in somebody's scope."""

from pipeline.account import User
from pipeline.media.values import time_zone
from pipeline.settings import Settings
from pipeline.storage.queue_records import Round
from pipeline.storage.store import Store
from pipeline.timeline import Recording
from pipeline.workflows.accounts.policy import Action, Scope, Thing, scope
from pipeline.workflows.roster import Roster, read_roster


def subject_of(store: Store, recording: Recording, settings: Settings) -> Thing:
    """Who spoke in it, who has it or has decided about it, who appealed, and whether the agent may know the
    card."""
    line = store.queue_line(recording.id)
    reviewers = frozenset(review.who for review in store.reviews(recording.id))
    holder = frozenset({line.assigned_to} if line and line.assigned_to else ())
    return Thing(
        agent_id=recording.agent_id,
        team_id=team_of(store, recording.agent_id, settings),
        assigned=holder | reviewers,
        reviewers=reviewers,
        released=line is not None and line.released,
        raised_by=_raised_by(store, recording.id),
    )


def _raised_by(store: Store, recording_id: str) -> str | None:
    """The login of whoever raised the newest appeal about the call; None: nobody did."""
    appeals = store.appeals(recording_id)
    return login_of(store, appeals[-1].agent) if appeals else None


def login_of(store: Store, agent_id: str) -> str:
    """The login of an agent; their number where they have no account."""
    return next((user.login for user in store.users() if user.agent_id == agent_id), agent_id)


def subject_of_round(store: Store, about: Round) -> Thing:
    """Who takes part in a calibration round, and the team of whoever began it."""
    team = next((user.team_id for user in store.users() if user.login == about.made_by), None)
    return Thing(team_id=team, assigned=frozenset(about.inspectors))


def team_of(store: Store, agent_id: str | None, settings: Settings) -> int | None:
    """The team of an agent: that of their account, else that of the roster; None: nobody said."""
    if agent_id is None:
        return None
    own = next((user.team_id for user in store.users() if user.agent_id == agent_id and user.team_id), None)
    if own is not None:
        return own
    name = _roster(settings).team(agent_id)
    return next((team.id for team in store.teams() if team.name == name), None)


def agents_in_scope(store: Store, user: User, action: Action, settings: Settings) -> tuple[str, ...] | None:
    """The agents whose calls somebody may see in a list; None: all of them."""
    allowed = scope(user.role, action)
    if allowed is Scope.ALL:
        return None
    if allowed is Scope.TEAM:
        return _agents_of(store, user.team_id, _roster(settings))
    return (user.agent_id,) if user.agent_id else ()


def _agents_of(store: Store, team_id: int | None, roster: Roster) -> tuple[str, ...]:
    if team_id is None:
        return ()
    name = next((team.name for team in store.teams() if team.id == team_id), None)
    known = {user.agent_id for user in store.users() if user.agent_id and user.team_id == team_id}
    known |= {agent for agent, team in roster.teams.items() if name is not None and team == name}
    return tuple(sorted(agent for agent in known if agent))


def _roster(settings: Settings) -> Roster:
    return read_roster(settings.roster, time_zone(settings.time_zone))
