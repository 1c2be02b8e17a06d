"""A house with rules of its own and two people who may publish them."""

from pathlib import Path

import pytest
from page_help import settings_in
from rules_house import House, Person
from tuning_help import shipped_like

from pipeline.account import Role
from pipeline.settings import Settings
from pipeline.storage.store import Store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    rules, store = shipped_like(tmp_path)
    store.close()
    own = {"rules": str(rules), "cache": str(tmp_path / "cache")}
    return settings_in(tmp_path).model_copy(update=own)


@pytest.fixture
def house(store: Store, settings: Settings) -> House:
    made = House(store=store, settings=settings)
    made.add("zhou", Role.QUALITY_OWNER, name="周质量")
    made.add("qian", Role.SUPERVISOR, name="钱主管", team="甲班")
    return made


@pytest.fixture
def owner(house: House) -> Person:
    return house.log_in("zhou")
