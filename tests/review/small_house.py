"""A house with two short calls and a form that two inspectors fill in: what is quick to judge whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from page_help import BY, PASSWORD, Browser, add_users, settings_in
from review_help import NOON, archive

from pipeline.account import Role
from pipeline.storage.store import Store
from pipeline.workflows.accounts.users import Application, add_user
from pipeline.workflows.audit import open_store
from pipeline.workflows.review.decide import review
from pipeline.workflows.review.marks import Marks

SECOND = "lihua"
ALL = (("shirking", "6"), ("thanks", "差"), ("tone", "良"))
"""Every item of the form decided."""


@contextmanager
def small_house(folder: Path, *, blind: bool = False, combine: str = "final") -> Iterator[Browser]:
    """Calls c1 and c2, both by agent 1001; users of every role and a second inspector."""
    folder.mkdir(parents=True, exist_ok=True)
    archive(folder, blind=blind, combine=combine).close()
    settings = settings_in(folder)
    with open_store(settings) as store:
        for name in ("c1", "c2"):
            store.update_recording(replace(store.find_call(name), agent_id="1001"))
        add_users(store)
        asked = Application(login=SECOND, role=Role.INSPECTOR, password=PASSWORD)
        add_user(asked, store, BY)
        yield Browser(store=store, settings=settings)


def hand_in(
    store: Store, who: str, values: tuple[tuple[str, str], ...] = ALL, call: str = "c1", **marks: object
) -> None:
    """Everything decided and handed in."""
    made = Marks(who=who, values=values, reason="听了两遍", done=True, **marks)  # type: ignore[arg-type]
    review(store, call, made, at=NOON)
