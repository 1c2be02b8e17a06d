"""What is held against what when agreement is asked for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from review_help import DAY, NOON, SETTINGS, archive, decide

from pipeline.scoring.agreement import Claim
from pipeline.storage.store import Store
from pipeline.workflows.review.agreement import Between, Line, agreement
from pipeline.workflows.review.appeals import Answer, Plea, answer_appeal, raise_appeal


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with archive(tmp_path, blind=True, combine="average") as opened:
        yield opened


def line(store: Store, name: str, between: Between, *, independent: bool = True) -> Line | None:
    found = agreement(store)
    lines = (*found.items, *found.rules)
    wanted = (name, between, independent)
    return next((x for x in lines if (x.subject.id, x.between, x.independent) == wanted), None)


def test_nothing_is_compared_before_anybody_reviewed(store: Store) -> None:
    found = agreement(store)
    assert (found.calls, found.inspectors, found.items, found.rules) == (0, (), (), ())


def test_inspectors_are_held_against_each_other_item_by_item(store: Store) -> None:
    for call in ("c1", "c2"):
        decide(store, "王", call, values=(("tone", "良"),))
        decide(store, "李", call, values=(("tone", "3.5" if call == "c1" else "差"),))
    tone = line(store, "tone", Between.INSPECTORS)
    assert tone is not None
    assert (tone.share.right, tone.share.n) == (1, 2)
    assert tone.alpha.claim is Claim.TOO_FEW


def test_what_was_judged_with_the_other_in_sight_is_shown_apart(store: Store) -> None:
    decide(store, "王", values=(("tone", "良"),), done=True)
    decide(store, "李", values=(("thanks", "优"),), done=True, partial=True, reason="听到了")
    decide(store, "李", values=(("tone", "良"),))
    assert line(store, "tone", Between.INSPECTORS) is None
    seen = line(store, "tone", Between.INSPECTORS, independent=False)
    assert seen is not None
    assert seen.share.n == 1


def test_the_first_independent_judgement_counts_and_not_what_became_of_it(store: Store) -> None:
    for who, level in (("王", "良"), ("李", "差")):
        decide(store, who, values=(("tone", level),), done=True)
    decide(store, "李", values=(("tone", "良"),))
    tone = line(store, "tone", Between.INSPECTORS)
    assert tone is not None
    assert (tone.share.right, tone.share.n) == (0, 1)


def test_the_machine_is_held_against_those_who_saw_its_level_and_those_who_did_not(store: Store) -> None:
    decide(store, "王", accept=("thanks",))
    decide(store, "李", values=(("thanks", "优"),), blind=True)
    seen = line(store, "thanks", Between.MACHINE, independent=False)
    blind = line(store, "thanks", Between.MACHINE)
    assert seen is not None
    assert blind is not None
    assert (seen.share.right, seen.share.n) == (1, 1)
    assert (blind.share.right, blind.share.n) == (0, 1)


def test_what_the_machine_left_open_is_not_held_against_it(store: Store) -> None:
    decide(store, "王", values=(("tone", "良"),))
    assert line(store, "tone", Between.MACHINE, independent=False) is None


def test_rules_are_held_against_what_was_said_about_their_findings(store: Store) -> None:
    decide(store, "王", true=("forbidden.shirking",))
    decide(store, "李", false=("forbidden.shirking", "closing.thanks"), reason="是客户说的")
    machine = line(store, "forbidden.shirking", Between.MACHINE, independent=False)
    assert machine is not None
    assert (machine.share.right, machine.share.n) == (1, 2)
    each_other = line(store, "forbidden.shirking", Between.INSPECTORS)
    assert each_other is not None
    assert (each_other.share.right, each_other.share.n) == (0, 1)
    missed = line(store, "closing.thanks", Between.MACHINE, independent=False)
    assert missed is not None
    assert missed.share.right == 0  # an absence that is called false was there


def test_decisions_about_appeals_are_left_out(store: Store) -> None:
    raise_appeal(Plea(call="c1", item="thanks", who="101", reason="说了"), store, SETTINGS, at=NOON + DAY)
    answer_appeal(1, Answer(who="王", reason="听到", value="优"), store, SETTINGS, at=NOON + DAY)
    assert agreement(store).calls == 0


def test_an_item_taken_out_is_compared_with_nothing(store: Store) -> None:
    decide(store, "王", values=(("tone", "不适用"),))
    decide(store, "李", values=(("tone", "良"),))
    assert line(store, "tone", Between.INSPECTORS) is None
