"""The archive: calls laid out for scanning, and what sweeps of a rule set over all of them found."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _compact_calls()
    _sweeps()
    _swept_findings()


def downgrade() -> None:
    for table in ("swept_findings", "sweeps", "compact_calls"):
        op.drop_table(table)


def _compact_calls() -> None:
    op.create_table(
        "compact_calls",
        sa.Column("transcript_id", ID, autoincrement=False, nullable=False),
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_compact_calls_recording_id")
        ),
        sa.ForeignKeyConstraint(
            ["transcript_id"], ["transcripts.id"], name=op.f("fk_compact_calls_transcript_id")
        ),
        sa.PrimaryKeyConstraint("transcript_id", name=op.f("pk_compact_calls")),
        sa.UniqueConstraint("recording_id", name=op.f("uq_compact_calls_recording_id")),
    )
    op.create_index(
        "ix_compact_calls_version_transcript_id", "compact_calls", ["version", "transcript_id"], unique=False
    )


def _sweeps() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", ID, nullable=False),
        sa.Column("ruleset_digest", sa.String(length=64), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ruleset_digest"], ["rulesets.digest"], name=op.f("fk_sweeps_ruleset_digest")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
    )


def _swept_findings() -> None:
    op.create_table(
        "swept_findings",
        sa.Column("id", ID, nullable=False),
        sa.Column("sweep_id", ID, nullable=False),
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("finding_id", sa.String(length=16), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_swept_findings_recording_id")
        ),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name=op.f("fk_swept_findings_sweep_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swept_findings")),
    )
    op.create_index(op.f("ix_swept_findings_sweep_id"), "swept_findings", ["sweep_id"], unique=False)
