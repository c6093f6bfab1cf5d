"""A check that this installation computes what the published description says, from one worked example of it."""

from __future__ import annotations

from lottery.beacon import QUICKNET, BeaconError, round_of_signature, verify_round
from lottery.bls import BackendName, backend_installed, choose_backend
from lottery.core.draw import draw
from lottery.core.entries import parse_entries
from lottery.core.files import split_lines
from lottery.core.freeze import summarize_entries
from lottery.core.rfc3797 import select
from lottery.core.rules import Group, Rules
from lottery.core.seed import seed_of
from lottery.core.split import Split, split_amounts

_ENTRIES = b"""A0000001,440103,1
A0000002,440103,2
A0000003,440104,1
A0000004,440104,3
A0000005,440105,1
A0000006,440105,1
A0000007,440103,1
A0000008,440104,1
"""
_TRANSCRIPT = b"""lottery-seed/1
draw=demo-2026-01
round=1
commit=16d2a3817dc44092c75e28f755e083c7df18aca61ea2821278eeff1483df3437
source.01.drand=52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971:1000:fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd
source.02.ssq=2025001:02,05,08,10,12,33+07
source.03.office=62c15ccc9887b5c446f7439d7de24503e67e6890b1f86dd5eb5f2eae39ca63ea
source.04.notary=31,07,22,18
"""
_SEED = "67c7bc455c4e625478a9bf2e9f8832f6e036c9d7d1f9801db0ce276d271e9da4"
_ROOT = "756a5292300a7b8bd959f362970ca7bd6caf36b78a83c888cf69a7de1b304dae"
_WINNERS = ["A0000008", "A0000001", "A0000006", "A0000004"]
_WAITLIST = ["A0000002", "A0000007"]
_PACKETS = (1072, 511, 1040, 1424, 1385, 227, 1405, 424, 819, 1693)
_SIGNATURE_1000 = (
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
)


def run_selftest() -> list[tuple[str, bool | None]]:
    """Name and outcome of each check; None where a library is not installed and the check could not be made."""
    outcomes: list[tuple[str, bool | None]] = [
        ("entries: Merkle root", summarize_entries(split_lines(_ENTRIES)).merkle_root == _ROOT),
        ("transcript: seed", seed_of(_TRANSCRIPT) == _SEED),
        ("hashrank-1: winners and waitlist", _draw_agrees()),
        ("split-1: packets", split_amounts(_SEED, Split(10_000, 10, 1, 2_000)) == _PACKETS),
        ("RFC 3797: selection", select(b"9319./2.5.8.10.12./9.18.26.34.41.45./", 25, 4) == (17, 7, 2, 16)),
    ]
    names: tuple[BackendName, ...] = ("arkworks", "py_ecc")
    for name in names:
        if backend_installed(name):
            outcomes.append((f"quicknet by {name}: genuine round", _accepts(name, 1000)))
            outcomes.append((f"quicknet by {name}: wrong round refused", not _accepts(name, 1001)))
        else:
            outcomes.append((f"quicknet by {name}: not installed", None))
    return outcomes


def _draw_agrees() -> bool:
    strata = (("gold", "*"), ("silver", "440103"), ("silver", "440104"), ("silver", "440105"))
    groups = tuple(Group(name, stratum, 1, amount_fen=1) for name, stratum in strata)
    result = draw(parse_entries(split_lines(_ENTRIES)), Rules(groups, waitlist=2), _SEED)
    return [row.entry_id for row in result.winners] == _WINNERS and [
        row.entry_id for row in result.waitlist
    ] == _WAITLIST


def _accepts(name: BackendName, round_number: int) -> bool:
    try:
        verify_round(QUICKNET, round_of_signature(round_number, _SIGNATURE_1000), choose_backend(name))
    except BeaconError:
        return False
    return True
