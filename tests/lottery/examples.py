"""A small complete draw by a real quicknet round, for tests that need one from freeze to result."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from lottery import (
    QUICKNET,
    BeaconRound,
    Commitment,
    Drawn,
    Frozen,
    Group,
    LogLine,
    Rules,
    Source,
    Struck,
    beacon_source_due,
    build_commitment,
    check_beacon,
    commitment_files,
    draw_files,
    freeze,
    office_secret_digest,
    rehearsal_round,
    round_time,
    write_round,
)
from lottery.core.entries import parse_entries
from lottery.core.files import split_lines
from lottery.publication import committed_beacon
from tests.lottery import vectors

SHANGHAI = timezone(timedelta(hours=8))
SECRET = bytes(range(32))
DUE = datetime.fromtimestamp(round_time(QUICKNET, 1000) + 2, UTC).astimezone(SHANGHAI)
COMMITTED_AT = DUE - timedelta(minutes=30)
RULES = Rules(
    groups=(
        Group("gold", "*", 1, amount_fen=20_000),
        Group("silver", "440103", 1, amount_fen=5_000),
        Group("silver", "440104", 1, amount_fen=5_000),
        Group("silver", "440105", 1, amount_fen=5_000),
    ),
    waitlist=2,
    rounds=2,
)
VALUES = {"ssq": "2025001:02,05,08,10,12,33+07", "office": SECRET.hex(), "notary": "31,07,22,18"}
ROUND_1000 = BeaconRound(1000, *vectors.QUICKNET_ROUNDS[1000])


def frozen_example() -> Frozen:
    """The eight entries of the vectors, in another order of arrival, and one more that was struck out."""
    entries = list(parse_entries(split_lines(vectors.ENTRIES_CSV)))
    log = [LogLine(*entry, 1_692_800_000 + i) for i, entry in enumerate(reversed(entries))]
    log.insert(3, LogLine("A0000009", "440105", 1, 1_692_800_002))
    return freeze(log, [Struck("A0000009", "duplicate_person")], "example.gov.cn/log", RULES.skip_reasons)


def sources(kind: str = "drand", due: datetime = DUE) -> tuple[Source, ...]:
    """All five forms of a source but one of the two beacons."""
    assert kind in ("drand", "rehearsal")
    return (
        beacon_source_due("drand" if kind == "drand" else "rehearsal", due),
        Source("ssq", due, "missing", "2025001"),
        Source("office", due, "missing"),
        Source("notary", due, "missing"),
    )


def commitment_example(kind: str = "drand", round_number: int = 1) -> Commitment:
    """A commitment to `frozen_example` under RULES."""
    return build_commitment(
        frozen_example(),
        RULES,
        campaign="pingyin",
        draw_id="demo-2026-01",
        programme="jinan",
        round_number=round_number,
        committed_at=COMMITTED_AT,
        sources=sources(kind),
        office_secret_sha256=office_secret_digest(SECRET),
    )


def publish(base: Path, kind: str = "drand") -> tuple[Path, Drawn]:
    """Publish a whole draw below `base`; its folder and what was drawn."""
    commitment = commitment_example(kind)
    files = commitment_files(frozen_example(), RULES, commitment)
    write_round(base, 1, files)
    beacon = ROUND_1000 if kind == "drand" else rehearsal_round(committed_beacon(commitment)[2])
    evidence = check_beacon(commitment, beacon, allow_rehearsal=kind == "rehearsal")
    drawn = draw_files(files, VALUES, evidence)
    return write_round(base, 1, drawn.files), drawn
