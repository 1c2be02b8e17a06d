"""Schema changes, in order. Alembic runs them; a released one is never edited."""
