"""One engine, and transactions on it: what every part of the store works in."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from pipeline.storage.database import translated


class Transactions:
    """Database errors inside are StorageError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with translated(self._engine.url), Session(self._engine) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Committed at the end, or rolled back whole."""
        engine = self._engine.execution_options(write=True)
        with translated(self._engine.url), Session(engine) as session, session.begin():
            yield session
