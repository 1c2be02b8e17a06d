"""Corrections by people; the circumstances of a scoring; the settings that transcripts were made with."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("scorecards", sa.Column("circumstances", sa.LargeBinary(), nullable=True))
    op.create_table(
        "listenings",
        sa.Column("settings_digest", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("settings_digest", name=op.f("pk_listenings")),
    )
    op.create_table(
        "corrections",
        sa.Column("id", ID, nullable=False),
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("scorecard_id", ID, nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_corrections_recording_id")
        ),
        sa.ForeignKeyConstraint(
            ["scorecard_id"], ["scorecards.id"], name=op.f("fk_corrections_scorecard_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_recording_id"), "corrections", ["recording_id"], unique=False)


def downgrade() -> None:
    for table in ("corrections", "listenings"):
        op.drop_table(table)
    op.drop_column("scorecards", "circumstances")
