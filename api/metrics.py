"""What Prometheus may scrape. Labels are route templates, statuses and codes: never an id, never a person.

With several server processes, PROMETHEUS_MULTIPROC_DIR (set by `hongbao serve`) lets any of them answer for all.
"""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
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
