"""Several inspectors at once at a real server: every answer is right, and every decision is kept once."""

import load
import pytest
from page_help import BY, PASSWORD
from served import served

from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.audit import verify

INSPECTORS, CALLS = 8, 2


@pytest.fixture
def crowd(store: Store, settings: Settings) -> load.Load:
    load.add_calls(store, settings, INSPECTORS * CALLS + 1)
    logins = load.add_inspectors(store, INSPECTORS, PASSWORD, BY)
    with served(settings) as address:
        return load.run(address, logins, PASSWORD, CALLS)


def test_inspectors_who_work_at_once_lose_nothing(crowd: load.Load, store: Store) -> None:
    assert crowd.faults == []
    assert len(crowd.handed_in) == INSPECTORS * CALLS
    assert list(load.lost(store, crowd)) == []
    assert not verify(store).faults
