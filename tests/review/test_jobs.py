import threading
import time
from collections.abc import Callable

import pytest

from pipeline.errors import NotFound, UsageError
from pipeline.review import jobs
from pipeline.review.jobs import Job, Jobs, State, Watch


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def a_job(owner: str = "zhou", key: str = "try a") -> Job:
    return Job(owner=owner, key=key)


def endless(watch: Watch) -> None:
    while True:
        watch(1, 2)
        time.sleep(0.005)


def test_a_job_gives_what_its_work_gives() -> None:
    job = Jobs().start(a_job(), lambda watch: 42)
    until(lambda: job.is_over)
    assert (job.state, job.result) == (State.DONE, 42)


def test_a_job_that_a_page_looks_at_is_not_over_in_between() -> None:
    go_on = threading.Event()
    job = Jobs().start(a_job(), lambda watch: go_on.wait(20))
    seen = job.as_it_is()
    go_on.set()
    until(lambda: job.is_over)
    assert (seen.is_over, seen.id) == (False, job.id)


def test_what_can_be_explained_is_told() -> None:
    def fails(watch: Watch) -> None:
        raise UsageError("没有规则", hint="换一条")

    job = Jobs().start(a_job(), fails)
    until(lambda: job.is_over)
    assert (job.state, job.fault, job.hint) == (State.FAILED, "没有规则", "换一条")


def test_what_cannot_be_explained_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(watch: Watch) -> None:
        raise RuntimeError("客户说了什么")

    job = Jobs().start(a_job(), breaks)
    until(lambda: job.is_over)
    assert job.id in job.fault
    assert "客户" not in job.fault + caplog.text


def test_a_stopped_job_ends() -> None:
    job = Jobs().start(a_job(), endless)
    until(lambda: job.done == 1)
    job.stop = True
    until(lambda: job.is_over)
    assert job.state is State.STOPPED


def test_a_job_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SECONDS", 0.05)
    job = Jobs().start(a_job(), endless)
    until(lambda: job.is_over)
    assert job.state is State.FAILED
    assert "超过" in job.fault


def test_the_same_work_is_not_done_twice() -> None:
    desk = Jobs()
    first = desk.start(a_job(), lambda watch: 1)
    until(lambda: first.is_over)
    assert desk.start(a_job(), lambda watch: 2) is first
    assert desk.start(a_job("qian"), lambda watch: 2) is not first


def test_a_failed_job_is_tried_again() -> None:
    desk = Jobs()
    first = desk.start(a_job(), lambda watch: 1 // 0)
    until(lambda: first.is_over)
    assert desk.start(a_job(), lambda watch: 2) is not first


def test_the_next_of_a_kind_stops_the_one_before() -> None:
    desk = Jobs()
    first = desk.start(a_job(), endless, alone=True)
    other = desk.start(a_job(key="impact x"), endless)
    desk.start(a_job(key="try b"), lambda watch: 1, alone=True)
    until(lambda: first.is_over)
    assert first.state is State.STOPPED
    assert not other.is_over
    other.stop = True


def test_only_some_run_at_once() -> None:
    desk, going, most, lock = Jobs(), [0], [0], threading.Lock()

    def work(watch: Watch) -> None:
        with lock:
            going[0] += 1
            most[0] = max(most[0], going[0])
        time.sleep(0.05)
        with lock:
            going[0] -= 1

    started = [desk.start(a_job(key=f"try {n}"), work) for n in range(5)]
    until(lambda: all(job.is_over for job in started))
    assert most[0] <= jobs.AT_ONCE


def test_old_jobs_are_forgotten_and_running_ones_kept() -> None:
    desk = Jobs()
    running = desk.start(a_job(key="impact x"), endless)
    for n in range(jobs.MOST_KEPT + 5):
        last = desk.start(a_job(key=f"try {n}"), lambda watch: 1)
        until(lambda job=last: job.is_over)
    assert desk.find("zhou", running.id) is running
    with pytest.raises(NotFound):
        desk.find("zhou", "0" * 16)
    assert len(desk._jobs) <= jobs.MOST_KEPT + 1
    running.stop = True


def test_a_job_is_found_by_its_owner_only() -> None:
    desk = Jobs()
    job = desk.start(a_job(), lambda watch: 1)
    assert desk.find("zhou", job.id) is job
    with pytest.raises(NotFound):
        desk.find("qian", job.id)
