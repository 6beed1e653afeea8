"""Deadlines of requests, and the circuit breaker of a service that does not answer."""

from __future__ import annotations

import threading
import time

import pytest

from search.deadlines import CircuitBreaker, deadline, has_deadline, paused_deadline, within_deadline
from search.errors import BrokerUnavailableError


def test_calls_of_a_request_share_its_deadline() -> None:
    with deadline(5):
        assert 4 < within_deadline(60) <= 5
        assert within_deadline(2) == 2
        with deadline(60):
            assert within_deadline(60) <= 5
        with deadline(1):
            assert within_deadline(60) <= 1
        assert within_deadline(60) > 4
    assert within_deadline(60) == 60
    assert not has_deadline()


def test_after_the_deadline_a_call_has_hardly_any_time_and_never_none() -> None:
    with deadline(0):
        time.sleep(0.002)
        assert 0 < within_deadline(60) < 0.01


def test_a_wait_with_a_limit_of_its_own_takes_nothing_of_the_deadline() -> None:
    with deadline(0.2):
        with paused_deadline():
            assert within_deadline(60) == 60
            with paused_deadline():
                time.sleep(0.25)
            assert within_deadline(60) == 60
        assert 0.1 < within_deadline(60) <= 0.2


def test_another_thread_has_no_deadline() -> None:
    found: list[bool] = []
    with deadline(5):
        thread = threading.Thread(target=lambda: found.append(has_deadline()))
        thread.start()
        thread.join()
    assert found == [False]


def breaker() -> CircuitBreaker:
    return CircuitBreaker(lambda: BrokerUnavailableError("The broker does not answer."))


def from_another_request(breaker: CircuitBreaker) -> BaseException | None:
    """The error of another request's call, if it has one."""
    raised: list[BaseException | None] = []

    def call() -> None:
        try:
            with deadline(5), breaker.call():
                raised.append(None)
        except BrokerUnavailableError as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return raised[0]


def test_of_an_unanswering_service_one_request_at_a_time_asks() -> None:
    circuit = breaker()
    with deadline(5), circuit.call():
        assert from_another_request(circuit) is None, "all call while it answers"
        circuit.unanswered()
    assert circuit.is_open
    with deadline(5), circuit.call():
        assert isinstance(from_another_request(circuit), BrokerUnavailableError)
        with circuit.call():  # the same request
            circuit.unanswered()
        assert isinstance(from_another_request(circuit), BrokerUnavailableError)
    assert from_another_request(circuit) is None, "the next one"


def test_after_its_deadline_a_request_does_not_ask() -> None:
    """One that has waited for a thread all the while would otherwise wait again."""
    circuit = breaker()
    circuit.unanswered()
    with deadline(0), pytest.raises(BrokerUnavailableError), circuit.call():
        pass


def test_an_answer_lets_all_call_again() -> None:
    circuit = breaker()
    circuit.unanswered()
    with deadline(5), circuit.call():
        circuit.answered()
        assert from_another_request(circuit) is None
    assert not circuit.is_open


def test_jobs_call_whatever_requests_found() -> None:
    circuit = breaker()
    circuit.unanswered()
    with deadline(5), circuit.call():
        ended = threading.Event()

        def job() -> None:
            with circuit.call():
                ended.set()

        thread = threading.Thread(target=job)
        thread.start()
        thread.join()
        assert ended.is_set()


def test_a_request_that_fails_lets_the_next_one_ask() -> None:
    circuit = breaker()
    circuit.unanswered()
    with deadline(5), pytest.raises(ValueError, match="anything"), circuit.call():
        raise ValueError("anything")
    assert from_another_request(circuit) is None
