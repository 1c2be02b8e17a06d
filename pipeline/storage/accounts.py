"""Teams, users, sessions and failed logins: rows <-> values."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session as Transaction

from pipeline.account import TEMPORARY, Role, Session, Team, Throttle, User
from pipeline.audit import AuditEntry
from pipeline.errors import NotFound, UsageError
from pipeline.storage.account_tables import LoginFailureRow, SessionRow, TeamRow, UserRow
from pipeline.storage.mapping import column_text
from pipeline.storage.transactions import Transactions
from pipeline.storage.turns import Turn, take_turn

Entries = Sequence[AuditEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A user to be added; `team` by its name, made where there is none of it yet; `password` is a hash."""

    login: str
    name: str
    role: Role
    team: str | None
    agent_id: str | None
    password: str


class Accounts(Transactions):
    """The part of `Store` that is about who may log in."""

    # users

    def add_user(self, new: NewUser, *, at: datetime, audit: Entries = ()) -> User:
        """Raises UsageError: the login is taken."""
        with self._writing() as session:
            take_turn(session.connection(), Turn.ACCOUNTS)
            if session.scalar(select(UserRow.id).where(UserRow.login == new.login)) is not None:
                raise UsageError(f"登录名 {new.login} 已有人用", hint="换一个登录名")
            row = UserRow(
                login=new.login,
                name=column_text(new.name),
                role=new.role.value,
                team_id=_team_id(session, new.team),
                agent_id=column_text(new.agent_id) if new.agent_id else None,
                disabled=False,
                epoch=0,
                password=new.password,
                created_at=at,
            )
            session.add(row)
            session.flush()
            self._record(session, audit)
            return _user(row)

    def user(self, login: str) -> User:
        """Raises NotFound."""
        with self._reading() as session:
            return _user(_row(session, login))

    def users(self) -> tuple[User, ...]:
        """All users, by login."""
        with self._reading() as session:
            found = map(_user, session.scalars(select(UserRow)))
            return tuple(sorted(found, key=lambda user: user.login))

    def teams(self) -> tuple[Team, ...]:
        """All teams, by name."""
        with self._reading() as session:
            found = (Team(id=row.id, name=row.name) for row in session.scalars(select(TeamRow)))
            return tuple(sorted(found, key=lambda team: team.name))

    def password_of(self, login: str) -> str | None:
        """The hash of a user's password; None: no such user."""
        with self._reading() as session:
            return session.scalar(select(UserRow.password).where(UserRow.login == login))

    def set_password(
        self, login: str, password: str, *, ends_sessions: bool = True, audit: Entries = ()
    ) -> User:
        """Keep another hash. Raises NotFound."""
        with self._changing(login, audit) as (session, row):
            row.password = password
            if ends_sessions:
                _end_sessions(session, row)
        return _user(row)

    def set_role(self, login: str, role: Role, *, audit: Entries = ()) -> User:
        """Ends the user's sessions. Raises NotFound, and UsageError for the last admin."""
        with self._changing(login, audit) as (session, row):
            if role is not Role.ADMIN:
                _check_not_last_admin(session, row)
            row.role = role.value
            _end_sessions(session, row)
        return _user(row)

    def set_agent(self, login: str, agent_id: str | None, *, audit: Entries = ()) -> User:
        """Say in which recordings a user speaks. Ends the user's sessions. Raises NotFound."""
        with self._writing() as session:
            take_turn(session.connection(), Turn.ACCOUNTS)
            row = _row(session, login)
            row.agent_id = column_text(agent_id) if agent_id else None
            _end_sessions(session, row)
            self._record(session, audit)
            return _user(row)

    def set_team(self, login: str, team: str | None, *, audit: Entries = ()) -> User:
        """Put a user into the team of this name, which is made where there is none yet. Raises NotFound."""
        with self._changing(login, audit) as (session, row):
            row.team_id = _team_id(session, team)
        return _user(row)

    def set_disabled(self, login: str, disabled: bool, *, audit: Entries = ()) -> User:
        """Ends the user's sessions. Raises NotFound, and UsageError for the last admin."""
        with self._changing(login, audit) as (session, row):
            if disabled:
                _check_not_last_admin(session, row)
            row.disabled = disabled
            _end_sessions(session, row)
        return _user(row)

    @contextmanager
    def _changing(self, login: str, audit: Entries) -> Iterator[tuple[Transaction, UserRow]]:
        """A user's row to be changed, and told of. Raises NotFound."""
        with self._writing() as session:
            take_turn(session.connection(), Turn.ACCOUNTS)
            row = _row(session, login)
            yield session, row
            self._record(session, audit)
            session.flush()
            session.expunge(row)

    # sessions

    def add_session(self, digest: str, opened: Session, *, audit: Entries = ()) -> None:
        """Keep a session under the sha256 of its token; those that are over are cleared away."""
        with self._writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.expires_at <= opened.created))
            session.add(
                SessionRow(
                    token_sha256=digest,
                    user_id=opened.user.id,
                    epoch=opened.epoch,
                    created_at=opened.created,
                    seen_at=opened.seen,
                    expires_at=opened.expires,
                )
            )
            session.flush()
            self._record(session, audit)

    def session(self, digest: str) -> Session | None:
        """The session under the sha256 of a token, open or not, with the user as of now."""
        query = select(SessionRow, UserRow).join(UserRow, UserRow.id == SessionRow.user_id)
        with self._reading() as session:
            found = session.execute(query.where(SessionRow.token_sha256 == digest)).one_or_none()
            return None if found is None else _session(found[0], found[1])

    def touch_session(self, digest: str, at: datetime) -> None:
        """Note that a session is in use."""
        mine = SessionRow.token_sha256 == digest
        with self._writing() as session:
            session.execute(update(SessionRow).where(mine, SessionRow.seen_at < at).values(seen_at=at))

    def end_session(self, digest: str, *, audit: Entries = ()) -> None:
        with self._writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.token_sha256 == digest))
            self._record(session, audit)

    def end_sessions(self, login: str, *, audit: Entries = ()) -> None:
        """End all sessions of a user. Raises NotFound."""
        with self._changing(login, audit) as (session, row):
            _end_sessions(session, row)

    # failed logins

    def count_try(self, subjects: Mapping[str, Throttle], at: datetime) -> datetime | None:
        """Count a try to log in as a failure of every subject, before it is looked at: tries at the same
        moment cannot all be the first. Not None: too many failures; nothing is counted until then."""
        with self._writing() as session:
            take_turn(session.connection(), Turn.ACCOUNTS)
            forgotten = at - max(rule.forgotten for rule in subjects.values())
            session.execute(delete(LoginFailureRow).where(LoginFailureRow.last_at < forgotten))
            rows = {subject: session.get(LoginFailureRow, subject) for subject in subjects}
            known = ((subjects[s], row) for s, row in rows.items() if row)
            opens = [until for rule, row in known if (until := rule.opens(row.failures, row.last_at))]
            if max(opens, default=at) > at:
                return max(opens)
            for subject, row in rows.items():
                session.merge(
                    LoginFailureRow(subject=subject, failures=row.failures + 1 if row else 1, last_at=at)
                )
        return None

    def forget_try(self, clear: str, reduce: str) -> None:
        """A counted try was none: `clear` has no failures any more, `reduce` one less."""
        with self._writing() as session:
            take_turn(session.connection(), Turn.ACCOUNTS)
            session.execute(delete(LoginFailureRow).where(LoginFailureRow.subject == clear))
            other = update(LoginFailureRow).where(LoginFailureRow.subject == reduce)
            session.execute(other.values(failures=LoginFailureRow.failures - 1))


def _row(session: Transaction, login: str) -> UserRow:
    row = session.scalar(select(UserRow).where(UserRow.login == login))
    if row is None:
        raise NotFound(f"没有用户 {login}", hint="callscore users list 列出用户")
    return row


def _team_id(session: Transaction, name: str | None) -> int | None:
    if not name:
        return None
    found = session.scalar(select(TeamRow.id).where(TeamRow.name == column_text(name)))
    if found is not None:
        return found
    row = TeamRow(name=column_text(name))
    session.add(row)
    session.flush()
    return row.id


def _end_sessions(session: Transaction, row: UserRow) -> None:
    row.epoch += 1
    session.execute(delete(SessionRow).where(SessionRow.user_id == row.id))


def _check_not_last_admin(session: Transaction, row: UserRow) -> None:
    if row.role != Role.ADMIN.value or row.disabled:
        return
    query = select(func.count()).select_from(UserRow).where(UserRow.role == Role.ADMIN.value)
    if session.scalar(query.where(UserRow.disabled.is_(False))) == 1:
        raise UsageError(
            f"{row.login} 是最后一个能用的管理员", hint="先添一个管理员（命令行用 callscore users add）"
        )


def _user(row: UserRow) -> User:
    return User(
        id=row.id,
        login=row.login,
        name=row.name,
        role=Role(row.role),
        team_id=row.team_id,
        agent_id=row.agent_id,
        disabled=row.disabled,
        epoch=row.epoch,
        must_change=row.password.startswith(TEMPORARY),
    )


def _session(row: SessionRow, user: UserRow) -> Session:
    return Session(
        user=_user(user), created=row.created_at, seen=row.seen_at, expires=row.expires_at, epoch=row.epoch
    )
