"""The memory of the deployment's processes over a long run: does a process grow as it lives?"""

from dataclasses import dataclass, field

from tests.crash.deployment import Deployment
from tests.crash.processes import pss_kb, servers


@dataclass
class Watch:
    """Readings in kB by (role, process id), in order."""

    readings: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def read(self, deployment: Deployment) -> None:
        """Take a reading of every process that is there."""
        roles = [("front supervisor", deployment.front_pid), ("side supervisor", deployment.side_pid),
                 ("engines supervisor", deployment.pids.supervisor), ("valkey", deployment.pids.valkey)]  # fmt: skip
        roles += [("front server", pid) for pid in servers(deployment.front_pid)]
        roles += [("side server", pid) for pid in servers(deployment.side_pid)]
        for role, pid in roles:
            if kb := pss_kb(pid):
                self.readings.setdefault((role, pid), []).append(kb)

    def grown(self) -> list[dict[str, object]]:
        """For each role the process with the most readings: the first, the middle and the last reading, the largest."""
        found: list[dict[str, object]] = []
        for role in dict.fromkeys(role for role, _ in self.readings):
            kb = max((kb for (name, _), kb in self.readings.items() if name == role), key=len)
            found.append(
                {"role": role, "readings": len(kb), "first_mb": _mb(kb[0]), "middle_mb": _mb(kb[len(kb) // 2]),
                 "last_mb": _mb(kb[-1]), "max_mb": _mb(max(kb))}
            )  # fmt: skip
        return found


def _mb(kb: int) -> float:
    return round(kb / 1024, 1)
