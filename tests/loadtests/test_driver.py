"""The driver against a server whose speed and answers are known."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loadtests.contestants import HOST
from loadtests.driver import LostConnection, Round
from loadtests.jobs import Job, Result, latencies

GOOD = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
BAD = b'HTTP/1.1 409 Conflict\r\nContent-Length: 15\r\n\r\n{"code":"busy"}'
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
SLOW_SECONDS = 0.02


@contextmanager
def server(answer: Callable[[int], bytes]) -> Iterator[int]:
    """One thread per connection; ``answer`` is told the number of the request on its connection."""

    def talk(connection: socket.socket) -> None:
        with connection:
            number = 0
            while connection.recv(65_536):
                number += 1
                said = answer(number)
                if not said:
                    return
                connection.sendall(said)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=talk, args=(connection,)))
            threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server((HOST, 0)) as listener:
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def play(port: int, **more: object) -> Result:
    choices = {"requests": [REQUEST] * 2_000, "connections": 1, "seconds": 0.5, "warmup_seconds": 0.1} | more
    return Round(Job(host=HOST, port=port, **choices)).run()  # type: ignore[arg-type]


def slow(_: int) -> bytes:
    time.sleep(SLOW_SECONDS)
    return GOOD


def test_a_closed_loop_asks_again_when_it_is_answered() -> None:
    with server(slow) as port:
        result = play(port, connections=4)
    most = 4 * 0.5 / SLOW_SECONDS
    assert 0.3 * most <= result.answered <= most + 4
    assert result.accepted == result.sent > result.answered
    assert result.latency_ms["p50"] >= SLOW_SECONDS * 1e3
    assert not result.refused and not result.ran_out


def test_an_open_loop_counts_from_the_time_a_request_was_due() -> None:
    """Twice as many as one connection can serve: each waits longer than the one before."""
    with server(slow) as port:
        result = play(port, rate=2 / SLOW_SECONDS, seed=7)
    assert result.latency_ms["p50"] > 5 * SLOW_SECONDS * 1e3
    assert result.latency_ms["p99"] > result.latency_ms["p50"]
    assert result.sent == result.accepted


def test_refusals_are_counted_apart_and_the_first_are_kept() -> None:
    with server(lambda number: GOOD if number % 2 else BAD) as port:
        result = play(port, requests=[REQUEST], repeat=True)
    assert result.refused[409] in (result.accepted, result.accepted - 1)
    assert result.samples[:2] == ['{"code":"busy"}'] * 2 and len(result.samples) <= 5


def test_requests_that_end_too_soon_are_said_to() -> None:
    with server(slow) as port:
        result = play(port, requests=[REQUEST] * 10)
    assert result.ran_out and result.sent == 10
    with server(slow) as port, pytest.raises(LostConnection):
        play(port, requests=[REQUEST] * 2, warmup_seconds=0.3)


def test_a_server_that_hangs_up_ends_the_round() -> None:
    with server(lambda number: GOOD if number < 5 else b"") as port, pytest.raises(LostConnection):
        play(port)


def test_percentiles() -> None:
    assert latencies([]) == {}
    found = latencies([number / 1_000 for number in range(1_000, 0, -1)])
    assert found == {"p50": 501.0, "p90": 901.0, "p99": 991.0, "p99.9": 1000.0}
