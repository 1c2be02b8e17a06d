"""The inspection sample: what is in it, whatever the calls are."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.sampling import Candidate, Cause, SamplingPlan, draw

MONDAY = datetime(2024, 5, 6, tzinfo=UTC)


def a_call(number: int, **changes: object) -> Candidate:
    at = MONDAY + timedelta(minutes=37 * number)
    made = Candidate(
        id=f"{number:05d}",
        at=at,
        agent=f"{number % 3}",
        business="话费",
        hour=at.hour,
        complaint=False,
        clean=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


calls = st.lists(
    st.builds(
        lambda number, agent, business, hour, complaint, clean: a_call(
            number, agent=agent, business=business, hour=hour, complaint=complaint, clean=clean
        ),
        st.integers(0, 9999),
        st.sampled_from("ABC"),
        st.sampled_from(("话费", "宽带")),
        st.integers(8, 11),
        st.booleans(),
        st.booleans(),
    ),
    unique_by=lambda call: call.id,
    max_size=80,
)
plans = st.builds(
    SamplingPlan,
    seed=st.integers(0, 1000),
    share=st.floats(0, 1),
    clean=st.none() | st.floats(0, 1),
    new=st.floats(0, 1),
    at_least=st.integers(0, 5),
    new_agents=st.frozensets(st.sampled_from("ABC")),
    falling_agents=st.frozensets(st.sampled_from("ABC")),
)


@given(calls, plans)
def test_every_complaint_is_drawn(given_calls: list[Candidate], plan: SamplingPlan) -> None:
    drawn = {d.candidate.id for d in draw(given_calls, plan) if d.cause is Cause.COMPLAINT}
    assert drawn == {call.id for call in given_calls if call.complaint}


@given(calls, st.integers(0, 1000), st.sampled_from((0.0, 0.2, 0.25, 0.3, 0.5, 1.0)))
def test_every_stratum_gives_its_share_to_within_one_call(
    given_calls: list[Candidate], seed: int, share: float
) -> None:
    drawn = Counter(
        d.candidate.stratum
        for d in draw(given_calls, SamplingPlan(seed=seed, share=share))
        if d.cause is not Cause.COMPLAINT
    )
    there = Counter(call.stratum for call in given_calls if not call.complaint)
    for stratum, count in there.items():
        assert abs(drawn[stratum] - share * count) < 1


@given(calls, st.integers(0, 1000), st.sampled_from((0.2, 0.25, 0.3)))
def test_every_agent_gives_their_share_to_within_one_call(
    given_calls: list[Candidate], seed: int, share: float
) -> None:
    drawn = Counter(
        d.candidate.agent
        for d in draw(given_calls, SamplingPlan(seed=seed, share=share))
        if d.cause is not Cause.COMPLAINT
    )
    there = Counter(call.agent for call in given_calls if not call.complaint)
    for agent, count in there.items():
        assert abs(drawn[agent] - share * count) < 1


@given(calls, plans, st.randoms())
def test_the_same_seed_gives_the_same_sample_in_whatever_order_calls_come(
    given_calls: list[Candidate], plan: SamplingPlan, random: object
) -> None:
    shuffled = list(given_calls)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert draw(given_calls, plan) == draw(shuffled, plan)


@given(calls, st.integers(0, 1000), st.integers(1, 5))
def test_every_agent_gives_the_least_number_or_all_they_have(
    given_calls: list[Candidate], seed: int, at_least: int
) -> None:
    plan = SamplingPlan(seed=seed, share=0.1, at_least=at_least)
    drawn = Counter(d.candidate.agent for d in draw(given_calls, plan) if d.cause is not Cause.COMPLAINT)
    there = Counter(call.agent for call in given_calls if not call.complaint)
    for agent, count in there.items():
        assert drawn[agent] >= min(at_least, count)


def test_another_seed_gives_another_sample() -> None:
    everything = [a_call(n) for n in range(200)]
    assert draw(everything, SamplingPlan(seed=1)) != draw(everything, SamplingPlan(seed=2))


def test_new_agents_and_recent_falls_are_drawn_more_and_say_so() -> None:
    everything = [a_call(n) for n in range(300)]
    plan = SamplingPlan(new_agents=frozenset("0"), falling_agents=frozenset("1"), new=0.5, falling=0.4)
    drawn = draw(everything, plan)
    counts = Counter((d.candidate.agent, d.cause) for d in drawn)
    assert counts == {("0", Cause.NEW_AGENT): 50, ("1", Cause.FALLING): 40, ("2", Cause.SHARE): 25}
    assert {d.why.split("（")[0] for d in drawn} == {"新坐席多抽", "近期下滑多抽", "分层随机"}


def test_calls_without_findings_have_their_own_rate() -> None:
    everything = [a_call(n, agent="A", hour=9, clean=n % 2 == 0) for n in range(400)]
    drawn = draw(everything, SamplingPlan(share=0.3, clean=0.1))
    clean = [d for d in drawn if d.candidate.clean]
    assert abs(len(clean) - 20) <= 1
    assert {d.cause for d in clean} == {Cause.NO_FINDINGS}


def test_the_sample_is_even_over_the_period() -> None:
    """Four weeks of twelve calls an hour, one agent: each week gives a quarter, to within a few calls."""
    everything = [
        a_call(n, agent="A", hour=9, at=MONDAY + timedelta(days=n // 12, minutes=n)) for n in range(336)
    ]
    drawn = draw(everything, SamplingPlan(seed=5))
    weeks = Counter((d.candidate.at - MONDAY).days // 7 for d in drawn)
    assert weeks == {0: 21, 1: 21, 2: 21, 3: 21}


def test_every_call_has_its_rate_as_its_chance() -> None:
    everything = [a_call(n) for n in range(40)]
    times: dict[str, int] = defaultdict(int)
    for seed in range(1000):
        for d in draw(everything, SamplingPlan(seed=seed)):
            times[d.candidate.id] += 1
    assert all(180 < times[call.id] < 320 for call in everything)


def test_a_call_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        draw([a_call(1), a_call(1)], SamplingPlan())


def test_a_rate_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        draw([a_call(1)], SamplingPlan(share=1.5))
