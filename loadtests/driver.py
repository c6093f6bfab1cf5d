"""The driver: one process, one epoll, pre-encoded requests on keep-alive connections. A slow one makes any ratio pass.

`python -m loadtests.driver` reads one `Job` from stdin and writes one `Result` to stdout.
"""

from __future__ import annotations

import gc
import os
import random
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import accumulate, cycle

from loadtests.answers import Answer
from loadtests.jobs import SAMPLES_MAX, Job, Result, encode, latencies, read_job
from loadtests.processes import Cpu, cpu_of

ACCEPTED = (200, 201)
RECEIVE_BYTES = 65_536
ANSWER_SECONDS_MAX = 30.0
CONNECT_SECONDS_MAX = 10.0
POLL_SECONDS = 0.1
SAMPLE_CHARACTERS = 300

clock = time.perf_counter


class LostConnection(Exception):
    """A server closed a connection or was silent for too long."""


class Line:
    """A connection, the answer it waits for, and the moment its latency counts from."""

    __slots__ = ("answer", "began", "receive", "send", "socket")

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port), timeout=CONNECT_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.send, self.receive = self.socket.send, self.socket.recv
        self.answer = Answer()
        self.began = 0.0

    def ask(self, request: bytes, began: float) -> None:
        """Send a whole request; one that does not fit into the socket's buffer is none of ours."""
        self.began = began
        if self.send(request) != len(request):
            raise LostConnection("a request did not fit into the buffer")


class Round:
    """One job as it runs."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.lines = [Line(job.host, job.port) for _ in range(job.connections)]
        self.poll = select.epoll()
        self.by_fd = {line.socket.fileno(): line for line in self.lines}
        for fd in self.by_fd:
            self.poll.register(fd, select.EPOLLIN)
        self.sent = self.accepted = 0
        self.latencies: list[float] = []
        self.refused: dict[int, int] = {}
        self.samples: list[str] = []
        self.opened = self.closed = self._counts_from = 0.0
        self._cpu: dict[str, Cpu] = {}
        self._used: dict[str, Cpu] = {}

    def run(self) -> Result:
        """The whole round."""
        gc.collect()
        gc.disable()
        try:
            ran_out = (self._open_loop if self.job.rate else self._closed_loop)()
        finally:
            for line in self.lines:
                line.socket.close()
            self.poll.close()
            gc.enable()
        return Result(
            seconds=self.closed - self.opened, answered=len(self.latencies), accepted=self.accepted, sent=self.sent,
            refused=self.refused, samples=self.samples, latency_ms=latencies(self.latencies),
            cpu={name: (used.user, used.system) for name, used in self._used.items()}, ran_out=ran_out,
        )  # fmt: skip

    def _cpu_now(self) -> dict[str, Cpu]:
        times = os.times()
        return {
            "driver": Cpu(times.user, times.system),
            **{name: cpu_of(pids) for name, pids in self.job.groups.items()},
        }

    def _open(self) -> None:
        """The measured window begins."""
        self._cpu, self.opened = self._cpu_now(), clock()

    def _close(self) -> None:
        self.closed = clock()
        self._used = {name: now.since(self._cpu[name]) for name, now in self._cpu_now().items()}

    def _take(self, line: Line, now: float) -> bool:
        """Receive on a connection; True when its answer is whole. Measured is what ends in the window (in an open
        loop, what was due in it)."""
        part = line.receive(RECEIVE_BYTES)
        if not part:
            raise LostConnection("a server closed a connection")
        answer = line.answer
        if not answer.feed(part):
            return False
        status = answer.status
        if status in ACCEPTED:
            self.accepted += 1
            if self.opened and not self.closed and line.began >= self._counts_from:
                self.latencies.append(now - line.began)
        else:
            self.refused[status] = self.refused.get(status, 0) + 1
            if len(self.samples) < SAMPLES_MAX:
                self.samples.append(answer.body[:SAMPLE_CHARACTERS].decode("utf-8", "replace"))
        answer.clear()
        return True

    def _closed_loop(self) -> bool:
        """Answers whether the requests ended before the time did."""
        requests = cycle(self.job.requests) if self.job.repeat else iter(self.job.requests)
        started = clock()
        opens, busy = started + self.job.warmup_seconds, 0
        closes = opens + self.job.seconds
        for line in self.lines:
            line.ask(next(requests), clock())
            busy += 1
        ran_out = False
        while busy:
            events = self.poll.poll(POLL_SECONDS)
            now = clock()
            if not self.opened and now >= opens:
                self._open()
            if self.opened and not self.closed and (now >= closes or ran_out):
                self._close()
            if now > closes + ANSWER_SECONDS_MAX:
                raise LostConnection(f"{busy} answers did not come")
            for fd, _ in events:
                line = self.by_fd[fd]
                now = clock()
                if not self._take(line, now):
                    continue
                request = None if self.closed else next(requests, None)
                if request is None:
                    busy -= 1
                    ran_out = ran_out or not self.closed
                else:
                    line.ask(request, now)
        self.sent = self.accepted + sum(self.refused.values())
        if not self.opened:
            raise LostConnection("the requests did not last through the warm-up")
        if not self.closed:
            self._close()
        return ran_out

    def _open_loop(self) -> bool:
        """Send each request at its time, or as soon after it as a connection is free; latency counts from its time."""
        job, chance = self.job, random.Random(self.job.seed)
        count = min(len(job.requests), int(job.rate * (job.warmup_seconds + job.seconds)))
        started = clock() + 0.01
        due = list(accumulate((chance.expovariate(job.rate) for _ in range(count)), initial=started))[1:]
        free, number = deque(self.lines), 0
        opens, ends = started + job.warmup_seconds, due[-1] + ANSWER_SECONDS_MAX
        self._counts_from = opens
        while number < count or len(free) < len(self.lines):
            now = clock()
            if not self.opened and now >= opens:
                self._open()
            while number < count and free and due[number] <= now:
                free.popleft().ask(job.requests[number], due[number])
                number += 1
            if now > ends:
                raise LostConnection("answers did not come")
            self._await(due[number] if number < count and free else now + POLL_SECONDS)
            for fd, _ in self.poll.poll(0):
                line = self.by_fd[fd]
                if self._take(line, clock()):
                    free.append(line)
        if not self.opened:
            raise LostConnection("the requests did not last through the warm-up")
        self._close()
        self.sent = number
        return False

    def _await(self, until: float) -> None:
        """Wait for an answer or the time, to the microsecond: epoll itself counts milliseconds."""
        select.select([self.poll.fileno()], [], [], max(0.0, until - clock()))


def main(run: Callable[[Job], Result] = lambda job: Round(job).run()) -> int:
    """Entry of ``python -m loadtests.driver``."""
    try:
        result = run(read_job(sys.stdin.buffer.read()))
    except (LostConnection, OSError) as error:
        print(f"driver: {error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(encode(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
