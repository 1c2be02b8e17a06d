"""What a person decides while the call is being scored again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from review_help import DAY, NOON, archive, decide, points, scorer

from pipeline.errors import StorageError
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.workflows import rescore
from pipeline.workflows.dispute.correct import Signed, swap_roles
from pipeline.workflows.process_call import BY_RULE, judge
from pipeline.workflows.rescore import rescore_all
from pipeline.workflows.tries import TRIES


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object], times: int = 1) -> None:
    """So many times something happens between reading a call and keeping its new scorecard."""
    left = [happens] * times

    def judged(*arguments: object) -> ScoredCall:
        made = judge(*arguments)  # type: ignore[arg-type]
        if left:
            left.pop()()
        return made

    monkeypatch.setattr(rescore, "judge", judged)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return archive(tmp_path)


def test_a_review_that_comes_while_everything_is_scored_again_still_counts(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: decide(store, "王", values=(("tone", "良"),), at=NOON + DAY))
    changes = rescore_all(scorer(store, tmp_path), at=NOON + 2 * DAY)
    assert (changes.calls, changes.changed) == (2, 0)
    assert points(store, "tone") == "4.0"
    newest = store.history(store.find_call("c1").id)[-1]
    assert (newest.reason, newest.reviews) == ("rescore all", 1)


def test_a_review_that_comes_while_roles_are_swapped_still_counts(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: decide(store, "王", values=(("tone", "良"),), at=NOON + DAY))
    signed = Signed(who="李", at=NOON + 2 * DAY, reason="反了")
    _, after = swap_roles("c1", scorer(store, tmp_path), signed)
    assert points(store, "tone") == "4.0"
    assert after.reviews == 1


def test_who_never_gets_a_turn_is_told_and_nothing_is_kept(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: decide(store, "王", note="再听", at=NOON + DAY), times=TRIES)
    making = scorer(store, tmp_path)
    call = store.find_call("c1").id
    with pytest.raises(StorageError, match="一直有别人在写入"):
        making.add(call, making.again(BY_RULE, "rescore"), at=NOON + 2 * DAY)
    assert len(store.history(call)) == 1
