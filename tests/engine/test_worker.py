"""One thread for all calls, read through iterators."""

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from ctxchat.domain.cancel import Cancel
from ctxchat.domain.errors import EngineError
from ctxchat.engine.llama.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test")
    yield worker
    worker.close()


def counting_until(stop: Cancel) -> Callable[[Callable[[int], None]], None]:
    """A job that counts for as long as nobody stops it."""

    def job(emit: Callable[[int], None]) -> None:
        number = 0
        while not stop.requested:
            emit(number)
            number += 1

    return job


def test_a_job_runs_on_the_thread_and_its_steps_come_in_order(worker: Worker) -> None:
    def job(emit: Callable[[str], None]) -> None:
        emit("first")
        emit(threading.current_thread().name)

    assert list(worker.stream(job, Cancel())) == ["first", "test"]


def test_what_a_job_raises_is_raised_where_it_is_read_after_its_steps(worker: Worker) -> None:
    def job(emit: Callable[[int], None]) -> None:
        emit(1)
        raise EngineError("broken")

    steps = worker.stream(job, Cancel())
    assert next(steps) == 1
    with pytest.raises(EngineError, match="broken"):
        next(steps)
    assert worker.call(lambda: 2) == 2


def test_nothing_runs_before_the_first_step_is_asked_for(worker: Worker) -> None:
    ran: list[int] = []

    def job(emit: Callable[[int], None]) -> None:
        ran.append(1)

    steps = worker.stream(job, Cancel())
    assert worker.call(lambda: list(ran)) == []
    assert list(steps) == []
    assert ran == [1]


def test_closing_the_iterator_stops_the_job_and_waits_for_its_end(worker: Worker) -> None:
    stop, ended = Cancel(), []

    def job(emit: Callable[[int], None]) -> None:
        counting_until(stop)(emit)
        ended.append(True)

    steps = worker.stream(job, stop)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert ended == [True]


def test_a_job_that_fails_while_it_is_closed_is_closed_all_the_same(worker: Worker) -> None:
    stop = Cancel()

    def job(emit: Callable[[int], None]) -> None:
        counting_until(stop)(emit)
        raise EngineError("too late")

    steps = worker.stream(job, stop)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert worker.call(lambda: 1) == 1


def test_a_signal_handler_runs_while_a_step_is_waited_for(worker: Worker) -> None:
    stop = Cancel()
    before = signal.signal(signal.SIGUSR1, lambda *_: stop.request())

    def job(emit: Callable[[str], None]) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        released = threading.Event()
        with stop.calling(released.set):
            released.wait()
        emit("stopped")

    try:
        assert list(worker.stream(job, stop)) == ["stopped"]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_closing_stops_the_job_that_runs_and_refuses_more() -> None:
    worker, stop = Worker("test"), Cancel()
    steps = worker.stream(counting_until(stop), stop)
    next(steps)
    worker.close()
    worker.close()
    assert stop.requested
    assert len(list(steps)) >= 0
    with pytest.raises(EngineError, match="closed"):
        worker.call(lambda: 1)
