"""Placeholder: accounts and audit come with their own migration of this number."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
