"""Who may do what: every role, every action, every kind of thing, against the table that people read."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.account import Role, User
from pipeline.workflows.accounts.policy import JUDGING, LISTS, MANY, TITLES, Action, Thing, may, offers

DOCUMENT = Path(__file__).parents[3] / "docs" / "roles.md"
ELSEWHERE = Thing(agent_id="2000", team_id=2, assigned=frozenset({"other"}), released=True)


def somebody(role: Role, **changes: object) -> User:
    agent_id = "1050" if role is Role.AGENT else None
    user = User(id=1, login="me", name="我", role=role, team_id=1, agent_id=agent_id)
    return replace(user, **changes)  # type: ignore[arg-type]


def golden() -> dict[tuple[Role, Action], str]:
    """The cells of the printed table by role and action."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and not line.startswith("| ---")
    ]
    roles = [Role(cell.split("`")[1]) for cell in rows[0][1:]]
    return {
        (role, Action(row[0].split("`")[1])): cell
        for row in rows[1:]
        for role, cell in zip(roles, row[1:], strict=True)
    }


GOLDEN = golden()
CELLS = [(role, action) for role in Role for action in Action]


def test_the_printed_table_has_every_role_and_every_action() -> None:
    assert set(GOLDEN) == set(CELLS)
    assert set(GOLDEN.values()) == {"全部", "本组的", "自己的", "—"}
    assert set(TITLES) == set(Action)


@pytest.mark.parametrize(("role", "action"), CELLS, ids=lambda value: value.value)
def test_what_is_printed_is_what_is_decided(role: Role, action: Action) -> None:
    user, cell = somebody(role), GOLDEN[role, action]
    if role is Role.AGENT:
        own = replace(ELSEWHERE, agent_id="1050")
    else:
        own = replace(ELSEWHERE, assigned=frozenset({"me", "other"}))
    team = replace(ELSEWHERE, team_id=1)
    assert may(user, action, own) is (cell in ("全部", "本组的", "自己的"))
    assert may(user, action, team) is (cell in ("全部", "本组的"))
    assert may(user, action, ELSEWHERE) is (cell == "全部")
    assert may(user, action, Thing()) is (cell == "全部")
    assert may(user, action, MANY) is (cell != "—" and action in LISTS)
    assert offers(role, action) is (cell != "—")


@pytest.mark.parametrize(("role", "action"), CELLS, ids=lambda value: value.value)
def test_who_is_disabled_may_nothing(role: Role, action: Action) -> None:
    user = somebody(role, disabled=True)
    own = replace(ELSEWHERE, agent_id="1050", team_id=1, assigned=frozenset({"me"}))
    assert not any(may(user, action, thing) for thing in (own, ELSEWHERE, Thing(), MANY))


@pytest.mark.parametrize("action", list(Action), ids=lambda action: action.value)
def test_an_agent_learns_nothing_of_a_card_that_is_not_released(action: Action) -> None:
    mine = replace(ELSEWHERE, agent_id="1050", team_id=1, assigned=frozenset({"me"}), released=False)
    assert not may(somebody(Role.AGENT), action, mine)


@pytest.mark.parametrize("action", list(Action), ids=lambda action: action.value)
@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_nobody_has_the_things_of_nobody(role: Role, action: Action) -> None:
    """No team is no team to share, no agent id is none to share."""
    user = somebody(role, team_id=None, agent_id=None)
    thing = Thing(agent_id=None, team_id=None, released=True)
    assert may(user, action, thing) is (GOLDEN[role, action] == "全部")
    assert may(replace(user, agent_id=""), action, replace(thing, agent_id="")) is (
        GOLDEN[role, action] == "全部"
    )


@pytest.mark.parametrize("action", sorted(JUDGING), ids=lambda action: action.value)
@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.SUPERVISOR, Role.QUALITY_OWNER])
def test_nobody_judges_a_call_that_they_spoke_in(role: Role, action: Action) -> None:
    promoted = somebody(role, agent_id="1050")
    thing = replace(ELSEWHERE, team_id=1, assigned=frozenset({"me"}))
    assert may(promoted, action, thing) is (GOLDEN[role, action] != "—")
    assert not may(promoted, action, replace(thing, agent_id="1050"))


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.QUALITY_OWNER])
def test_who_raised_an_appeal_does_not_answer_it(role: Role) -> None:
    appeal = replace(ELSEWHERE, team_id=1, raised_by="1050")
    assert may(somebody(role), Action.APPEAL_ANSWER, appeal)
    assert not may(somebody(role), Action.APPEAL_ANSWER, replace(appeal, raised_by="me"))


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.SUPERVISOR, Role.QUALITY_OWNER])
def test_the_second_review_is_by_a_second_person(role: Role) -> None:
    call = replace(ELSEWHERE, team_id=1, assigned=frozenset({"me"}), reviewers=frozenset({"other"}))
    assert may(somebody(role), Action.REVIEW_SECOND, call)
    assert not may(somebody(role), Action.REVIEW_SECOND, replace(call, reviewers=frozenset({"me", "other"})))
    assert may(somebody(role), Action.CALL_REVIEW, replace(call, reviewers=frozenset({"me"})))


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.QUALITY_OWNER])
def test_a_rule_is_published_by_who_did_not_edit_it(role: Role) -> None:
    assert may(somebody(role), Action.RULES_PUBLISH, Thing(edited_by=frozenset({"other"})))
    assert not may(somebody(role), Action.RULES_PUBLISH, Thing(edited_by=frozenset({"me", "other"})))
    assert not may(somebody(role), Action.RULES_PUBLISH, MANY)


def test_those_who_keep_the_accounts_hear_and_judge_no_call() -> None:
    for role in (Role.ADMIN, Role.AUDITOR):
        assert not any(offers(role, action) for action in (*JUDGING, Action.CALL_PLAY, Action.EXPORT))


THINGS = st.builds(
    Thing,
    agent_id=st.sampled_from([None, "", "1050", "2000"]),
    team_id=st.sampled_from([None, 1, 2]),
    assigned=st.frozensets(st.sampled_from(["me", "other"])),
    reviewers=st.frozensets(st.sampled_from(["me", "other"])),
    edited_by=st.frozensets(st.sampled_from(["me", "other"])),
    raised_by=st.sampled_from([None, "me", "1050"]),
    released=st.booleans(),
    many=st.booleans(),
)


@given(role=st.sampled_from(Role), action=st.sampled_from(Action), thing=THINGS)
def test_what_is_not_in_the_table_is_refused_whatever_the_thing(
    role: Role, action: Action, thing: Thing
) -> None:
    if GOLDEN[role, action] == "—":
        assert not may(somebody(role), action, thing)
