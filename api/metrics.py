"""What Prometheus may scrape. Labels are route templates, statuses and codes: never an id, never a person.

With several server processes, PROMETHEUS_MULTIPROC_DIR (set by `hongbao serve`) lets any of them answer for all.
"""

import os
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from campaigns.store.group_commit import Seen

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ROOM_BYTES = {
    "counter": 1 << 17,
    "gauge_livesum": 1 << 15,
    "gauge_livemostrecent": 1 << 15,
    "histogram": 1 << 19,
}  # several times what our meters take
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


class Metrics:
    """The meters of one application."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "hongbao_requests_total", "Requests answered", ("route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "hongbao_request_seconds", "Time to answer", ("route",), buckets=_BUCKETS, registry=registry
        )
        self.refused = Counter(
            "hongbao_refusals_total", "Answers with a problem, by code", ("code",), registry=registry
        )
        self.in_flight = Gauge(
            "hongbao_requests_in_flight", "Requests now", registry=registry, multiprocess_mode="livesum"
        )
        self.writes_in_flight = Gauge(
            "hongbao_writes_in_flight", "Writes now", registry=registry, multiprocess_mode="livesum"
        )
        self.abandoned = Counter(
            "hongbao_writes_abandoned_total",
            "Writes that ended after their client had left",
            registry=registry,
        )
        self.limits_open = Counter(
            "hongbao_rate_limits_open_total", "Requests let pass as Valkey was silent", registry=registry
        )
        self.cache = Counter(
            "hongbao_cache_reads_total", "Readings of cached answers", ("use", "outcome"), registry=registry
        )
        self.pool_size = Gauge(
            "hongbao_pool_connections",
            "PostgreSQL connections",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.pool_idle = Gauge(
            "hongbao_pool_idle", "Idle PostgreSQL connections", registry=registry, multiprocess_mode="livesum"
        )
        self.loops = Counter(
            "hongbao_loop_rounds_total", "Rounds of background loops", ("loop", "outcome"), registry=registry
        )
        self.unsealed_seconds = Gauge(
            "hongbao_unsealed_seconds",
            "Age of the oldest row that no block of seals holds",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.batch_size = Histogram(
            "hongbao_batch_size",
            "Requests in one transaction of a group commit",
            ("lanes",),
            buckets=_SIZES,
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "hongbao_batch_seconds", "Time of one batch", ("lanes",), buckets=_BUCKETS, registry=registry
        )
        self.batch_waited = Histogram(
            "hongbao_batch_waited_seconds",
            "How long the first request of a batch had waited for it",
            ("lanes",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self.batch_waiting = Gauge(
            "hongbao_batch_waiting",
            "Requests that wait for a batch, in all or for a campaign that somebody holds alone",
            ("lanes", "what"),
            registry=registry,
            multiprocess_mode="livesum",
        )

    def batches(self, lanes: str) -> Callable[[Seen], None]:
        """What notes the batches of one group commit."""
        size, seconds = self.batch_size.labels(lanes), self.batch_seconds.labels(lanes)
        waited = self.batch_waited.labels(lanes)
        waiting, aside = (self.batch_waiting.labels(lanes, what) for what in ("all", "aside"))

        def note(seen: Seen) -> None:
            size.observe(seen.size)
            seconds.observe(seen.seconds)
            waited.observe(seen.waited_seconds)
            waiting.set(seen.waiting)
            aside.set(seen.aside)

        return note

    def text(self) -> bytes:
        """The exposition, of all server processes where they share a directory."""
        directory = os.environ.get(DIRECTORY_VARIABLE)
        if not directory:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, directory)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)


def forget_dead(directory: Path) -> None:
    """Remove the gauges of processes that are gone (killed ones cannot); their counters stay."""
    for file in directory.glob("gauge_live*_*.db"):
        pid = file.stem.rsplit("_", 1)[1]
        if not Path(f"/proc/{pid}").exists():
            file.unlink(missing_ok=True)


def take_room(directory: Path) -> bool:
    """Take the disk's room for the meters of this process before any is made; answer whether there was room.

    They are mapped files, and whoever writes to a mapped page that a full disk has no room for is killed (SIGBUS).
    Without room the process keeps its meters to itself.
    """
    files = {directory / f"{kind}_{os.getpid()}.db": room for kind, room in ROOM_BYTES.items()}
    try:
        for file, room in files.items():
            with file.open("xb") as opened:
                os.posix_fallocate(opened.fileno(), 0, room)
    except OSError:
        for file in files:
            file.unlink(missing_ok=True)
        del os.environ[DIRECTORY_VARIABLE]
        values.ValueClass = values.MutexValue  # type: ignore[assignment, misc]
        return False
    return True
