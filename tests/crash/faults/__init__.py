"""The table of faults: what is done to the deployment, and through which doors clients come meanwhile."""

from tests.crash.deployment import FRONT, PROXIED, SIDE
from tests.crash.faults import cuts, kills, people, shortage, stops
from tests.crash.faults.scene import Fault, Scene

__all__ = ["FAULTS", "Fault", "Scene"]

FAULTS = (
    Fault("server_kill", kills.one_server, "kill -9 of one server process"),
    Fault("servers_kill", kills.all_servers, "kill -9 of all server processes"),
    Fault("server_supervisor_kill", kills.server_supervisor, "kill -9 of `hongbao serve`"),
    Fault("orderly_restart", kills.orderly_restart, "SIGTERM of `hongbao serve`, started again"),
    Fault("postmaster_kill", kills.postmaster, "kill -9 of the postmaster, a busy backend outlives it", (FRONT, SIDE)),
    Fault("backend_kill", kills.one_backend, "kill -9 of one backend", (FRONT, SIDE)),
    Fault("backends_kill", kills.all_backends, "kill -9 of all backends", (FRONT, SIDE)),
    Fault("valkey_kill", kills.valkey, "kill -9 of Valkey"),
    Fault("engines_supervisor_kill", kills.engines_supervisor, "kill -9 of the engines' supervisor"),
    Fault("cut_before_commit", cuts.before_commit, "connection cut before COMMIT arrives", (SIDE,)),
    Fault("cut_after_commit", cuts.after_commit, "connection cut after COMMIT, before its answer", (SIDE,)),
    Fault("cut_commit_told", cuts.commit_told, "connection cut once COMMIT was answered", (SIDE,)),
    Fault("answers_lost", cuts.answers_lost, "answer to the client lost after COMMIT", (PROXIED,)),
    Fault("response_timeout", cuts.response_timeout, "PostgreSQL answers later than the server may", (SIDE,)),
    Fault("disconnect_storm", people.disconnect_storm, "most clients hang up at once"),
    Fault("impatience", people.impatience, "clients give up after 12 ms", (FRONT, SIDE)),
    Fault("clock_jumps", people.clock_jumps, "campaign time jumps over open holds and codes"),
    Fault("disk_full", shortage.disk_full, "disk full"),
    Fault("disk_full_servers_kill", shortage.disk_full_servers_kill, "disk full, all server processes killed meanwhile"),
    Fault("pool_exhausted", shortage.pool_exhausted, "locks held from outside, pool exhausted"),
    Fault("connections_used_up", shortage.connections_used_up, "all connections of PostgreSQL taken"),
    Fault("server_stop", stops.server, "SIGSTOP of a server process"),
    Fault("backend_stop", stops.backend, "SIGSTOP of a backend"),
    Fault("valkey_stop", stops.valkey, "SIGSTOP of Valkey"),
    Fault("postmaster_stop", stops.postmaster, "SIGSTOP of the postmaster"),
)  # fmt: skip
BY_NAME = {fault.name: fault for fault in FAULTS}
