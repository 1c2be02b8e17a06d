"""Drafts of rules, from the first word changed until they are published or given up: rows <-> values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String, Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from pipeline.audit import AuditEntry
from pipeline.storage.columns import Base, Id, Moment
from pipeline.storage.mapping import column_text
from pipeline.storage.transactions import Transactions
from pipeline.storage.turns import Turn, take_turn

_OPEN = text("state = 'open'")


class DraftState(StrEnum):
    OPEN = "open"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class RuleDraftRow(Base):
    """One open draft a rule at most. `edited_by` is a JSON list of logins, the last editor last."""

    __tablename__ = "rule_drafts"
    __table_args__ = (
        Index("uq_rule_drafts_open", "rule_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    rule_id: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    base_sha256: Mapped[str] = mapped_column(String(64))
    base: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    edited_by: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    closed_by: Mapped[str | None] = mapped_column(Text)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    revision: Mapped[str | None] = mapped_column(String(64))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """What a rule's file shall say. `path` is relative to the rules folder; `base` is the file that the draft
    began from (empty: the rule is new), `base_sha256` of its text; `version` counts savings, 0: not saved
    yet. `edited_by`: everybody who wrote in it, the last one last."""

    rule_id: str
    path: str
    base: str
    base_sha256: str
    text: str
    edited_by: tuple[str, ...]
    updated_at: datetime
    version: int = 0
    id: int = 0

    @property
    def is_new(self) -> bool:
        """Whether there is no file yet."""
        return not self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How a draft ends. `revision`: the git commit that published it, if there is git."""

    state: DraftState
    who: str
    at: datetime
    revision: str | None = None


class RuleDrafts(Transactions):
    """The part of `Store` that is about drafts of rules."""

    def rule_draft(self, rule_id: str) -> RuleDraft | None:
        """The open draft of a rule."""
        with self._reading() as session:
            row = _open(session, rule_id)
            return None if row is None else _draft(row)

    def rule_drafts(self) -> tuple[RuleDraft, ...]:
        """All open drafts, by rule."""
        with self._reading() as session:
            found = map(_draft, session.scalars(select(RuleDraftRow).where(_IS_OPEN)))
            return tuple(sorted(found, key=lambda draft: draft.rule_id))

    def save_rule_draft(self, draft: RuleDraft, *, audit: Sequence[AuditEntry] = ()) -> int | None:
        """Keep a draft as its next version; its number. None: it is not the version that it was made from
        any more, and nothing is kept."""
        with self._writing() as session:
            take_turn(session.connection(), Turn.RULE_DRAFTS)
            row = _open(session, draft.rule_id, lock=True)
            if (0 if row is None else row.version) != draft.version:
                return None
            if row is None:
                row = RuleDraftRow(rule_id=draft.rule_id, state=DraftState.OPEN.value)
                session.add(row)
            _fill(row, draft)
            session.flush()
            self._record(session, audit)
            return row.version

    def close_rule_draft(
        self, draft: RuleDraft, closing: Closing, *, audit: Sequence[AuditEntry] = ()
    ) -> bool:
        """End an open draft. False: somebody saved or ended it meanwhile, and nothing is kept."""
        with self._writing() as session:
            row = _open(session, draft.rule_id, lock=True)
            if row is None or (row.id, row.version) != (draft.id, draft.version):
                return False
            row.state, row.revision = closing.state.value, closing.revision
            row.closed_by, row.closed_at = closing.who, closing.at
            self._record(session, audit)
        return True


_IS_OPEN = RuleDraftRow.state == DraftState.OPEN.value


def _open(session: Session, rule_id: str, *, lock: bool = False) -> RuleDraftRow | None:
    query = select(RuleDraftRow).where(RuleDraftRow.rule_id == rule_id, _IS_OPEN)
    return session.scalar(query.with_for_update() if lock else query)


def _fill(row: RuleDraftRow, draft: RuleDraft) -> None:
    row.path, row.base_sha256 = draft.path, draft.base_sha256
    row.base, row.text = column_text(draft.base), column_text(draft.text)
    row.edited_by = json.dumps(draft.edited_by, ensure_ascii=False)
    row.updated_at, row.version = draft.updated_at, draft.version + 1


def _draft(row: RuleDraftRow) -> RuleDraft:
    return RuleDraft(
        id=row.id,
        rule_id=row.rule_id,
        path=row.path,
        base=row.base,
        base_sha256=row.base_sha256,
        text=row.text,
        edited_by=tuple(json.loads(row.edited_by)),
        updated_at=row.updated_at,
        version=row.version,
    )
