"""Appeals; what an inspector knew before deciding; how many reviews a scorecard counts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "appeals",
        sa.Column("id", ID, nullable=False),
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_appeals_recording_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
    )
    op.create_index(op.f("ix_appeals_recording_id"), "appeals", ["recording_id"])
    op.create_table(
        "appeal_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("appeal_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruling", sa.String(length=16), nullable=True),
        sa.Column("scorecard_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_events_appeal_id")),
        sa.ForeignKeyConstraint(
            ["scorecard_id"], ["scorecards.id"], name=op.f("fk_appeal_events_scorecard_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_events")),
        sa.UniqueConstraint("appeal_id", "number", name=op.f("uq_appeal_events_appeal_id_number")),
    )
    with op.batch_alter_table("reviews") as table:
        table.add_column(sa.Column("template_id", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("saw_machine", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.add_column(sa.Column("saw_others", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.add_column(sa.Column("appeal_id", ID, nullable=True))
        table.create_foreign_key(op.f("fk_reviews_appeal_id"), "appeals", ["appeal_id"], ["id"])
    op.add_column("scorecards", sa.Column("reviews", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("scorecards", "reviews")
    with op.batch_alter_table("reviews") as table:
        table.drop_constraint(op.f("fk_reviews_appeal_id"), type_="foreignkey")
        for name in ("appeal_id", "saw_others", "saw_machine", "template_id"):
            table.drop_column(name)
    for name in ("appeal_events", "appeals"):
        op.drop_table(name)
