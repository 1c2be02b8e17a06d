"""`rules impact`: what a change would do, before it does."""

import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from small_rules import SHIRKING, THANKS
from sqlalchemy import create_engine, inspect, text
from tuning_help import MEANT, SETTINGS, TEMPLATE, Plain, archive, is_present, rules_folder, shipped_like

from pipeline.detect.load import load_ruleset
from pipeline.detect.scene import Thresholds
from pipeline.errors import NotFound
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.process_call import judge
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.impact import Impact, impact
from pipeline.workflows.tuning.sources import Side, changed_rules, side

MORE = SHIRKING.replace("  - 不归我们管\n", "  - 跟我们没关系\n")

FORM = TEMPLATE.replace(
    "{present: forbidden.shirking}",
    "{any: [{present: forbidden.shirking}, {present: forbidden.shirking_meaning}]}",
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, Store]]:
    rules, store = shipped_like(tmp_path)
    with store:
        yield rules, store


def compared(folder: tuple[Path, Store], base: str, head: str, examples: int | None = None) -> Impact:
    rules, store = folder
    sides = side(base, rules, store), side(head, rules, store)
    return impact(*sides, Archive(store=store, thresholds=Thresholds()), examples=examples)


def changed(folder: tuple[Path, Store], tmp_path: Path, **texts: str) -> Impact:
    return compared(folder, str(folder[0]), str(rules_folder(tmp_path / "head", **texts)))


def test_findings_are_gained_and_lost_by_rule(folder: tuple[Path, Store], tmp_path: Path) -> None:
    found = changed(folder, tmp_path, shirking=MORE)
    about = found.rules["forbidden.shirking"]
    assert set(found.rules) == {"forbidden.shirking"}
    assert (about.gained, about.lost, about.calls, found.calls_changed) == (1, 2, 3, 3)
    gained = [
        (c.recording.name, c.finding.evidence[0].quote, c.finding.span.start) for c in about.examples[True]
    ]
    assert gained == [("c4", "跟我们没关系", 3480)]
    assert [c.recording.name for c in about.examples[False]] == ["c1", "c2"]


def test_scores_change_by_agent_and_business(folder: tuple[Path, Store], tmp_path: Path) -> None:
    found = changed(folder, tmp_path, shirking=MORE)
    assert (found.total.calls, found.total.changed) == (5, 3)
    assert found.total.after - found.total.before == Decimal(10)
    assert found.agents["100"].mean(found.agents["100"].before) == Decimal("8.3")
    assert sum(group.calls for group in found.agents.values()) == 5
    assert found.businesses["话费"].after == found.businesses["话费"].before


def test_a_fatal_rule_makes_calls_fatal(folder: tuple[Path, Store], tmp_path: Path) -> None:
    fatal = SHIRKING.replace("detector:", "severity: fatal\ndetector:")
    found = changed(folder, tmp_path, shirking=fatal)
    assert not found.rules
    assert (found.total.fatal_gained, found.total.fatal_lost, found.total.changed) == (2, 0, 2)


def test_the_impact_is_what_judging_every_call_anew_would_give(
    folder: tuple[Path, Store], tmp_path: Path
) -> None:
    found = changed(folder, tmp_path, shirking=MORE, thanks=THANKS.replace("来电", "等待"))
    cards = []
    for name in (folder[0], tmp_path / "head"):
        ruleset = load_ruleset(name)
        judged = [judge(s.call, ruleset, SETTINGS) for s in folder[1].stored()]
        cards.append(sum(call.scorecard.total for call in judged if call.scorecard))
    assert (found.total.before, found.total.after) == tuple(cards)


EDITS = {
    "a phrase more": {"shirking": MORE},
    "a window": {"shirking": SHIRKING.replace("phrases:", "window: {first_turns: 1}\nphrases:")},
    "another role": {"shirking": SHIRKING.replace("role: agent", "role: customer", 1)},
    "an exception": {"shirking": SHIRKING.replace("cases:", "except: ['像{phrase}']\ncases:")},
    "a draft": {"thanks": THANKS.replace("detector:", "status: draft\ndetector:")},
    "an example more": {"meant": MEANT.replace("unlike:", "  - 快递明天到\nunlike:")},
    "another threshold": {"meant": MEANT.replace("examples:", "precision: 0.5\nexamples:")},
    "other points": {"form": FORM.replace("points: 10", "points: 8")},
}


@pytest.mark.parametrize("texts", EDITS.values(), ids=EDITS)
def test_no_call_that_an_edit_touches_is_passed_over(tmp_path: Path, texts: dict[str, str]) -> None:
    base = load_ruleset(rules_folder(tmp_path / "base", meant=MEANT, form=FORM))
    head = load_ruleset(rules_folder(tmp_path / "head", **({"meant": MEANT, "form": FORM} | texts)))
    understanding = Plain(Settings(cache=str(tmp_path / "cache")))
    with archive(tmp_path, base, understanding=understanding) as store:
        desk = Archive(store=store, thresholds=Thresholds(), understanding=understanding)
        found = impact(Side(name="base", ruleset=base), Side(name="head", ruleset=head), desk, examples=None)
        totals, places = [], []
        for ruleset in (base, head):
            judged = [judge(s.call, understanding.taught(ruleset), SETTINGS) for s in store.stored()]
            totals.append(sum(call.scorecard.total for call in judged if call.scorecard))
            places.append(
                {(f.recording_id, f.rule_id, f.span) for c in judged for f in c.findings if is_present(f)}
            )
    assert [found.total.before, found.total.after] == totals
    told = {
        kind: {
            (change.recording.id, change.finding.rule_id, change.finding.span)
            for about in found.rules.values()
            for change in about.examples[kind]
        }
        for kind in (True, False)
    }
    assert told == {True: places[1] - places[0], False: places[0] - places[1]}


def test_a_call_that_other_rules_scored_is_judged_by_the_base(tmp_path: Path) -> None:
    old = load_ruleset(rules_folder(tmp_path / "old", thanks=THANKS.replace("感谢您的来电", "再见")))
    base = load_ruleset(rules_folder(tmp_path / "base"))
    head = load_ruleset(rules_folder(tmp_path / "head", shirking=MORE))
    with archive(tmp_path, old) as store:
        desk = Archive(store=store, thresholds=Thresholds())
        found = impact(Side(name="base", ruleset=base), Side(name="head", ruleset=head), desk, examples=None)
    judged_anew = {"c1": 0, "c2": 5, "c4": 15}
    as_it_was_scored = {"c3": 10, "c5": 10}
    assert found.total.before == sum((judged_anew | as_it_was_scored).values())
    assert found.total.changed == 3


def test_a_wording_that_moves_within_its_place_is_neither_gained_nor_lost(
    folder: tuple[Path, Store], tmp_path: Path
) -> None:
    found = changed(
        folder, tmp_path, shirking=SHIRKING.replace("- 不归我们管", "- 这个不归我们管\n  - 不归我们管")
    )
    assert not found.rules
    assert found.total.changed == 0


def test_equal_rule_sets_change_nothing(folder: tuple[Path, Store], tmp_path: Path) -> None:
    found = changed(folder, tmp_path)
    assert not found.compared
    assert (found.calls, found.calls_changed, found.total.changed) == (5, 0, 0)


def test_nothing_is_written(folder: tuple[Path, Store], tmp_path: Path) -> None:
    def rows() -> dict[str, list[tuple[object, ...]]]:
        engine = create_engine(f"sqlite:///{tmp_path}/calls.db")
        with engine.connect() as connection:
            names = inspect(connection).get_table_names()
            found = {n: [tuple(r) for r in connection.execute(text(f'SELECT * FROM "{n}"'))] for n in names}
        engine.dispose()
        return found

    before = rows()
    changed(folder, tmp_path, shirking=MORE)
    assert rows() == before


def test_the_newest_examples_are_kept(folder: tuple[Path, Store], tmp_path: Path) -> None:
    head = rules_folder(tmp_path / "head", shirking=MORE)
    about = compared(folder, str(folder[0]), str(head), examples=1).rules["forbidden.shirking"]
    assert [change.recording.name for change in about.examples[False]] == ["c2"]
    assert about.lost == 2


def test_a_stored_digest_and_a_git_revision_name_rule_sets(folder: tuple[Path, Store]) -> None:
    rules, store = folder
    before = load_ruleset(rules)
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(rules), *command], check=True)  # noqa: S607
    rules_folder(rules, shirking=MORE)
    assert side("HEAD", rules, store).ruleset.digest == before.digest
    assert side(before.digest[:10], rules, store).ruleset.digest == before.digest
    found = compared(folder, "HEAD", str(rules))
    assert found.rules["forbidden.shirking"].gained == 1


def test_an_unknown_name_is_told_with_what_was_expected(folder: tuple[Path, Store]) -> None:
    for name in ("nowhere", "abcd1234", "--output=x"):
        with pytest.raises(NotFound, match=name):
            side(name, *folder)


def test_only_rules_that_may_answer_differently_run_again(tmp_path: Path) -> None:
    asks = (
        "id: care.no_thanks\ntitle: x\nlabel: y\nwhy: z\ndetector: response\nrole: agent\n"
        "after: forbidden.shirking\nexpect: closing.thanks\n"
    )
    base = load_ruleset(rules_folder(tmp_path / "base", asks=asks))
    head = load_ruleset(rules_folder(tmp_path / "head", asks=asks, thanks=THANKS.replace("来电", "等待")))
    assert changed_rules(base, head) == {"closing.thanks", "care.no_thanks"}
    kind = "id: care.{}\ntitle: x\nlabel: y\nwhy: z\ndetector: similar\nrole: agent\nexamples: [{}]\n"
    examples = "我来帮您查, 我帮您看看, 马上为您处理, 这就给您办, 您稍等我去问, 我给您跟进"
    for side_of, second in (("base", examples), ("head", f"{examples}, 我来想办法")):
        for name, listed in (("kind", examples), ("warm", second)):
            (tmp_path / side_of / f"a/{name}.yml").write_text(kind.format(name, listed), encoding="utf-8")
    base, head = load_ruleset(tmp_path / "base"), load_ruleset(tmp_path / "head")
    assert changed_rules(base, head) == {"closing.thanks", "care.no_thanks", "care.kind", "care.warm"}
    guard = "id: quoted\ntitle: x\nwhy: y\npatterns: ['他说{phrase}']\n"
    (tmp_path / "head/guards").mkdir()
    (tmp_path / "head/guards/quoted.yml").write_text(guard, encoding="utf-8")
    assert len(changed_rules(base, load_ruleset(tmp_path / "head"))) == 5
