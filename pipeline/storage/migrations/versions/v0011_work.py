"""Who works on which recording: claims of nights, and what was put aside for good."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

MOMENT = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("nights", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("nights", sa.Column("lease_until", MOMENT, nullable=True))
    op.add_column("quarantine", sa.Column("released_at", MOMENT, nullable=True))
    op.create_table(
        "work",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("night_id", BIG, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_work")),
        sa.ForeignKeyConstraint(["night_id"], ["nights.id"], name=op.f("fk_work_night_id")),
    )
    op.create_index(op.f("ix_work_sha256"), "work", ["sha256"])
    op.create_index(op.f("ix_work_night_id"), "work", ["night_id"])


def downgrade() -> None:
    op.drop_table("work")
    op.drop_column("quarantine", "released_at")
    op.drop_column("nights", "lease_until")
    op.drop_column("nights", "owner")
