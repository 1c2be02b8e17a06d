"""The inspectors' queue; drafts; calibration rounds."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
BYTE_TEXT = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "rounds",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
    )
    op.create_table(
        "draft_steps",
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("round_id", ID, autoincrement=False, nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_draft_steps_recording_id")
        ),
        sa.PrimaryKeyConstraint("recording_id", "who", "round_id", "step", name=op.f("pk_draft_steps")),
    )
    op.create_table(
        "drafts",
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("round_id", ID, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("scorecard_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_drafts_recording_id")),
        sa.ForeignKeyConstraint(["scorecard_id"], ["scorecards.id"], name=op.f("fk_drafts_scorecard_id")),
        sa.PrimaryKeyConstraint("recording_id", "who", "round_id", name=op.f("pk_drafts")),
    )
    op.create_table(
        "round_inspectors",
        sa.Column("round_id", ID, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_round_inspectors_round_id")),
        sa.PrimaryKeyConstraint("round_id", "who", name=op.f("pk_round_inspectors")),
    )
    op.create_table(
        "round_reviews",
        sa.Column("id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_round_reviews_recording_id")
        ),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_round_reviews_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_reviews")),
    )
    op.create_index(
        "ix_round_reviews_round_id_recording_id", "round_reviews", ["round_id", "recording_id"], unique=False
    )
    op.create_table(
        "queue",
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scorecard_id", ID, nullable=False),
        sa.Column("name", BYTE_TEXT, nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("business", sa.Text(), nullable=True),
        sa.Column("direction", sa.String(length=16), nullable=True),
        sa.Column("complaint", sa.Boolean(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("template_title", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("possible", sa.Integer(), nullable=False),
        sa.Column("lowest", sa.Integer(), nullable=False),
        sa.Column("highest", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("open_items", sa.Integer(), nullable=False),
        sa.Column("fatal", sa.Boolean(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("acceptable", sa.Boolean(), nullable=False),
        sa.Column("open_appeals", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("idle", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("assigned_to", sa.Text(), nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("plan_id", ID, nullable=True),
        sa.Column("risk", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["sample_plans.id"], name=op.f("fk_queue_plan_id")),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_queue_recording_id")),
        sa.ForeignKeyConstraint(["scorecard_id"], ["scorecards.id"], name=op.f("fk_queue_scorecard_id")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_queue")),
    )
    op.create_index(
        "ix_queue_asked",
        "queue",
        [
            "state",
            "assigned_to",
            "template_id",
            "agent_id",
            "business",
            "complaint",
            "fatal",
            "acceptable",
            "released",
            "open_appeals",
            "started_ms",
            "name",
            "plan_id",
            "risk",
            "rate",
            "confidence",
            "recording_id",
        ],
        unique=False,
    )
    op.create_index(op.f("ix_queue_claimed_until"), "queue", ["claimed_until"], unique=False)
    op.create_table(
        "round_calls",
        sa.Column("id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("recording_id", sa.String(length=16), nullable=False),
        sa.Column("scorecard_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_round_calls_recording_id")
        ),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_round_calls_round_id")),
        sa.ForeignKeyConstraint(
            ["scorecard_id"], ["scorecards.id"], name=op.f("fk_round_calls_scorecard_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_calls")),
        sa.UniqueConstraint("round_id", "recording_id", name=op.f("uq_round_calls_round_id_recording_id")),
    )
    op.create_index(op.f("ix_sample_draws_recording_id"), "sample_draws", ["recording_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_sample_draws_recording_id"), table_name="sample_draws")
    op.drop_table("round_calls")
    op.drop_index(op.f("ix_queue_claimed_until"), table_name="queue")
    op.drop_index("ix_queue_asked", table_name="queue")
    op.drop_table("queue")
    op.drop_index("ix_round_reviews_round_id_recording_id", table_name="round_reviews")
    op.drop_table("round_reviews")
    op.drop_table("round_inspectors")
    op.drop_table("drafts")
    op.drop_table("draft_steps")
    op.drop_table("rounds")
