"""Vectors of sentences, and what the examples of a rule set taught when it first scored."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sentences",
        sa.Column("id", ID, nullable=False),
        sa.Column("transcript_id", ID, nullable=False),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["transcript_id"], ["transcripts.id"], name=op.f("fk_sentences_transcript_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sentences")),
        sa.UniqueConstraint("transcript_id", "encoder", name=op.f("uq_sentences_transcript_id_encoder")),
    )
    op.create_table(
        "meanings",
        sa.Column("ruleset_digest", sa.String(length=64), nullable=False),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ruleset_digest"], ["rulesets.digest"], name=op.f("fk_meanings_ruleset_digest")
        ),
        sa.PrimaryKeyConstraint("ruleset_digest", "encoder", name=op.f("pk_meanings")),
    )


def downgrade() -> None:
    for table in ("meanings", "sentences"):
        op.drop_table(table)
