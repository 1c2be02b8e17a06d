from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.errors import StorageError
from pipeline.storage.rule_drafts import Closing, DraftState, RuleDraft
from pipeline.storage.store import Store

NOON = datetime(2026, 5, 6, 4, tzinfo=UTC)
DRAFT = RuleDraft(
    rule_id="forbidden.shirking",
    path="forbidden/shirking.yml",
    base="id: a\n",
    base_sha256="f" * 64,
    text="id: b\n",
    edited_by=("zhou",),
    updated_at=NOON,
)


def kept(store: Store) -> RuleDraft:
    found = store.rule_draft(DRAFT.rule_id)
    assert found
    return found


def test_a_draft_comes_back_as_it_was_kept(store: Store) -> None:
    assert store.save_rule_draft(DRAFT) == 1
    assert kept(store) == replace(DRAFT, version=1, id=kept(store).id)
    assert store.rule_drafts() == (kept(store),)


def test_only_the_newest_version_goes_on(store: Store) -> None:
    store.save_rule_draft(DRAFT)
    first = kept(store)
    assert store.save_rule_draft(replace(first, text="mine")) == 2
    assert store.save_rule_draft(replace(first, text="theirs")) is None
    assert store.save_rule_draft(replace(DRAFT, text="from the beginning")) is None
    assert kept(store).text == "mine"


def test_a_draft_that_changed_is_not_closed(store: Store) -> None:
    store.save_rule_draft(DRAFT)
    first = kept(store)
    store.save_rule_draft(replace(first, text="more"))
    closing = Closing(state=DraftState.PUBLISHED, who="qian", at=NOON)
    assert not store.close_rule_draft(first, closing)
    assert store.close_rule_draft(kept(store), closing)
    assert store.rule_draft(DRAFT.rule_id) is None


def test_after_one_is_closed_another_begins(store: Store) -> None:
    closing = Closing(state=DraftState.WITHDRAWN, who="zhou", at=NOON)
    for _ in range(2):
        assert store.save_rule_draft(DRAFT) == 1
        assert store.close_rule_draft(kept(store), closing)
    assert store.rule_drafts() == ()


def test_a_store_without_an_audit_log_keeps_no_draft_with_an_entry(store: Store) -> None:
    from pipeline.audit import AuditEntry

    entry = AuditEntry(at=NOON, who="zhou", action="rule.draft_saved")
    with pytest.raises(StorageError):
        store.save_rule_draft(DRAFT, audit=(entry,))
    assert store.rule_drafts() == ()
