"""Waveforms of recordings; indexes over present findings."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


PRESENT = sa.text("outcome = 'present'")
INDEXES = {"ix_findings_present_rule": "rule_id", "ix_findings_present_label": "label"}


def upgrade() -> None:
    for name, column in INDEXES.items():
        op.create_index(
            name, "findings", [column, "scorecard_id"], sqlite_where=PRESENT, postgresql_where=PRESENT
        )
    op.create_table(
        "peaks",
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("step_ms", sa.Integer(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_peaks_recording_id")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_peaks")),
    )


def downgrade() -> None:
    op.drop_table("peaks")
    for name in INDEXES:
        op.drop_index(name, "findings")
