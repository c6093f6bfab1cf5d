"""Freeze, ceremony and draw: what is published, what is refused, and that anyone gets the same winners."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from campaigns.domain.errors import Broken, Denied, Refused
from campaigns.domain.windows import parse_local
from campaigns.services import freezing
from campaigns.services.ceremony import (
    RecordBeacon,
    RecordValue,
    make_draw,
    record_beacon,
    record_value,
    rehearse_beacon,
    reveal_office,
)
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.draw_answer import DrawAnswer, read_draw_file, show_draw
from campaigns.services.entering import EnterLine, withdraw
from campaigns.services.exporting import export_draw
from campaigns.services.freezing import FreezeDraw, freeze_draw
from campaigns.services.own_entry import own_entry
from campaigns.services.sealing import seal, unseal
from campaigns.services.simulating import StatedEntry, enter_stated
from lottery.beacon import QUICKNET
from lottery.core.commitment import parse_commitment
from lottery.core.merkle import verify_inclusion
from lottery.core.sources import parse_beacon_spec
from lottery.rehearsal import rehearsal_round
from lottery.verification import verify_directory
from tests.support.campaign_files import list_file
from tests.support.draw_world import COUNTY, DrawWorld, open_draw
from tests.support.office import now_of, published

ALL = ("office", "notary", "ssq", "rehearsal")
ROUND_1000 = (
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
)
ROUND_1001 = (
    "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"
)
SSQ = FreezeDraw(ssq_issue="2025001")


@pytest.fixture
async def world(ctx: Context) -> DrawWorld:
    return await open_draw(ctx)


async def tables(owner: asyncpg.Connection) -> list[tuple[object, ...]]:
    """Every row a draw may change, to compare before and after a refusal."""
    rows: list[tuple[object, ...]] = []
    for table in (
        "draw",
        "draw_source",
        "draw_file",
        "award",
        "turn",
        "waitlist",
        "skip",
        "allotment",
        "audit",
    ):
        rows += [(table, *row) for row in await owner.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")]
    return rows


async def refused(owner: asyncpg.Connection, code: str, act: object, reason: str | None = None) -> Refused:
    before = await tables(owner)
    with pytest.raises(Refused) as error:
        await act  # type: ignore[misc]
    assert (error.value.code, error.value.facts.get("reason")) == (code, reason)
    assert await tables(owner) == before
    return error.value


async def test_the_list_is_not_closed_before_the_window_ends(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await world.enter(await world.people(3))
    drawer = world.office.drawer
    await refused(
        owner, "registration_still_open", freeze_draw(ctx, drawer, None, world.campaign_id, FreezeDraw())
    )
    await refused(owner, "wrong_state", make_draw(ctx, drawer, None, await world.draw_id()))


async def test_only_the_draws_staff_freeze(ctx: Context, world: DrawWorld) -> None:
    await set_clock(ctx, world.times[1])
    for other in (world.office.officer, world.office.finance, world.office.auditor):
        with pytest.raises(Denied, match="scope_missing"):
            await freeze_draw(ctx, other, None, world.campaign_id, FreezeDraw())


async def test_the_freeze_publishes_log_struck_list_and_commitment(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    people = await world.people(12)
    await world.enter(people)
    await withdraw(ctx, world.channel(people[3]), None, world.campaign_id)
    await owner.execute("DELETE FROM person_proof WHERE person_id = $1", people[5])
    draw_id = await world.freeze()
    rows = {row["person_id"]: row["code"] for row in await owner.fetch("SELECT person_id, code FROM entry")}
    log = (await read_draw_file(ctx, draw_id, "log.csv")).decode().splitlines()
    struck = (await read_draw_file(ctx, draw_id, "struck.csv")).decode().splitlines()
    entries = (await read_draw_file(ctx, draw_id, "entries.csv")).decode().splitlines()
    assert [line.split(",")[0] for line in log] == [rows[person] for person in people]
    assert struck == sorted([f"{rows[people[3]]},withdrawn", f"{rows[people[5]]},not_eligible"])
    assert len(entries) == 10
    reasons = await owner.fetch("SELECT person_id, struck_reason FROM entry WHERE struck_reason IS NOT NULL")
    assert {r["person_id"]: r["struck_reason"] for r in reasons} == {
        people[3]: "withdrawn",
        people[5]: "not_eligible",
    }
    commitment = parse_commitment(await read_draw_file(ctx, draw_id, "commit.json"))
    assert (commitment.entries.count, commitment.log.size) == (10, 12)
    assert commitment.entries.strata == {"370102": 4, "370124": 6}
    row = await owner.fetchrow("SELECT * FROM draw")
    assert row["state"] == "frozen" and commitment.committed_at.second == 0
    assert timedelta(0) < commitment.committed_at - row["committed_at"] <= timedelta(minutes=1)
    assert await owner.fetchval("SELECT entries_closed_at FROM campaign") == row["committed_at"]
    actions = [r[0] for r in await owner.fetch("SELECT action FROM audit ORDER BY id DESC LIMIT 3")]
    assert actions == ["draw.freeze", "entries.strike", "entries.close"]


async def test_a_list_is_frozen_once(ctx: Context, world: DrawWorld, owner: asyncpg.Connection) -> None:
    await world.enter(await world.people(4))
    await set_clock(ctx, world.times[1])
    drawer, campaign_id = world.office.drawer, world.campaign_id
    answers = await asyncio.gather(
        *(freeze_draw(ctx, drawer, None, campaign_id, FreezeDraw()) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(answer, DrawAnswer) for answer in answers) == 1
    assert {a.code for a in answers if isinstance(a, Refused)} == {"wrong_state"}
    assert await owner.fetchval("SELECT count(*) FROM draw_file") == 5


async def test_a_late_freeze_needs_a_delay(ctx: Context, world: DrawWorld, owner: asyncpg.Connection) -> None:
    await world.enter(await world.people(3))
    await set_clock(ctx, world.times[1] + timedelta(minutes=59, seconds=30))
    drawer, campaign_id = world.office.drawer, world.campaign_id
    await refused(owner, "sources_too_late", freeze_draw(ctx, drawer, None, campaign_id, FreezeDraw()))
    answer = await freeze_draw(ctx, drawer, None, campaign_id, FreezeDraw(delay_minutes=90))
    [source] = answer.sources
    assert source.due == world.times[1] + timedelta(hours=2, minutes=30)


async def test_production_knows_no_rehearsal(ctx: Context, world: DrawWorld) -> None:
    await world.enter(await world.people(3))
    draw_id = await world.freeze()
    await set_clock(ctx, world.times[1] + timedelta(hours=2))
    real = Context(pool=ctx.pool, gate=ctx.gate, hmac_key=ctx.hmac_key, mode="production")
    beacon = rehearsal_round(await committed_round(ctx, draw_id))
    command = RecordBeacon(round=beacon.round, signature=beacon.signature)
    for act in (
        rehearse_beacon(real, world.office.drawer, None, draw_id),
        record_beacon(real, world.office.drawer, None, draw_id, command),
    ):
        with pytest.raises(Refused, match="rehearsal_refused"):
            await act


async def test_production_takes_no_stated_secret_and_no_stated_entries(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    [person] = await world.people(1)
    real = replace(ctx, mode="production")
    drawer, channel = world.office.drawer, world.channel(person)
    stated = StatedEntry(
        line=EnterLine(person_id=person, place=COUNTY), code="E" + "A" * 16, entered_at=world.times[0]
    )
    await refused(owner, "simulation_refused", enter_stated(real, channel, world.campaign_id, [stated]))
    assert await owner.fetchval("SELECT count(*) FROM entry") == 0
    await set_clock(ctx, world.times[1])
    secret = freeze_draw(real, drawer, None, world.campaign_id, FreezeDraw(), rehearsed_secret=bytes(32))
    await refused(owner, "simulation_refused", secret)


async def test_a_list_campaign_has_no_draw(ctx: Context, world: DrawWorld, owner: asyncpg.Connection) -> None:
    source = list_file(await now_of(ctx), code="no-draw")
    campaign_id = await published(ctx, world.office, source)
    await refused(owner, "no_draw", freeze_draw(ctx, world.office.drawer, None, campaign_id, FreezeDraw()))


async def test_a_secret_opens_only_under_its_key_and_for_its_draw(ctx: Context) -> None:
    draw_id, secret = uuid4(), bytes(range(32))
    sealed = seal(ctx.hmac_key, draw_id, secret)
    assert secret not in sealed and unseal(ctx.hmac_key, draw_id, sealed) == secret
    for key, draw, row in (
        (bytes(32), draw_id, sealed),
        (ctx.hmac_key, uuid4(), sealed),
        (ctx.hmac_key, draw_id, sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(Broken, match="seal_broken"):
            unseal(key, draw, row)


async def committed_round(ctx: Context, draw_id: UUID) -> int:
    [spec] = [s.spec for s in (await show_draw(ctx, draw_id)).sources if s.kind == "rehearsal"]
    return parse_beacon_spec(spec)[1]


async def test_a_wrong_beacon_changes_nothing(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await world.enter(await world.people(3))
    draw_id = await world.freeze()
    drawer = world.office.drawer
    number = await committed_round(ctx, draw_id)
    good, next_one = rehearsal_round(number), rehearsal_round(number + 1)

    async def record(round_number: int, signature: str, randomness: str | None = None) -> DrawAnswer:
        command = RecordBeacon(round=round_number, signature=signature, randomness=randomness)
        return await record_beacon(ctx, drawer, None, draw_id, command)

    await refused(owner, "source_too_early", record(number, good.signature))
    await set_clock(ctx, world.times[1] + timedelta(hours=2))
    wrong = "beacon_refused"
    await refused(owner, wrong, record(number + 1, next_one.signature), "round_differs")
    await refused(owner, wrong, record(number, next_one.signature), "signature_wrong")
    await refused(owner, wrong, record(number, good.signature, next_one.randomness), "randomness_differs")
    await refused(owner, wrong, record(number, "c0" + "00" * 47), "infinity")
    await refused(owner, wrong, record(number, good.signature[:-1]), "signature_form")
    await refused(owner, "sources_awaited", make_draw(ctx, drawer, None, draw_id))
    answer = await record(number, good.signature, good.randomness)
    assert answer.sources[0].value == f"{answer.sources[0].spec}:{good.randomness}"
    await refused(owner, "source_received", record(number, good.signature))


async def test_all_kinds_of_sources_make_a_draw_that_anyone_verifies(
    ctx: Context, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    world = await open_draw(ctx, kinds=ALL)
    await world.enter(await world.people(60))
    drawer = world.office.drawer
    await refused(owner, "wrong_state", reveal_office(ctx, drawer, None, await world.draw_id()))
    await set_clock(ctx, world.times[1])
    await refused(owner, "ssq_issue_missing", freeze_draw(ctx, drawer, None, world.campaign_id, FreezeDraw()))
    draw_id = await world.freeze(SSQ)
    sealed = await owner.fetchval("SELECT secret_sealed FROM draw_source WHERE kind = 'office'")
    await reveal_office(ctx, drawer, None, draw_id)
    secret = await owner.fetchval("SELECT value FROM draw_source WHERE kind = 'office'")
    assert bytes.fromhex(secret) not in sealed
    await record_value(ctx, drawer, None, draw_id, RecordValue(source="notary", value="31,07,22,18"))
    for wrong in ("2025002:02,05,08,10,12,33+07", "2025001:33,05,08,10,12,02+07", "missing", "2025001:02"):
        command = RecordValue(source="ssq", value=wrong)
        await refused(owner, "source_wrong", record_value(ctx, drawer, None, draw_id, command))
    command = RecordValue(source="ssq", value="2025001:02,05,08,10,12,33+07")
    await record_value(ctx, drawer, None, draw_id, command)
    await refused(owner, "source_received", record_value(ctx, drawer, None, draw_id, command))
    await set_clock(ctx, world.times[1] + timedelta(hours=5))
    await rehearse_beacon(ctx, drawer, None, draw_id)
    drawn = await make_draw(ctx, drawer, None, draw_id)
    assert drawn.state == "drawn" and drawn.seed is not None
    assert [s.kind for s in drawn.sources] == list(ALL)
    folder = await export_draw(ctx, draw_id, tmp_path)
    assert folder == tmp_path / "test-draw-r1" / "r1"
    assert verify_directory(folder, allow_rehearsal=True) == []
    assert await export_draw(ctx, draw_id, tmp_path) == folder
    transcript = (folder / "seed-r1.txt").read_text()
    assert f"source.01.office={secret}\nsource.02.notary=31,07,22,18\n" in transcript
    assert len((folder / "winners.csv").read_text().splitlines()) == 15
    assert len((folder / "ceremony.csv").read_text().splitlines()) == 4


async def test_late_people_are_missing_and_the_beacon_is_waited_for(
    ctx: Context, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    world = await open_draw(ctx, kinds=("office", "notary", "rehearsal"))
    await world.enter(await world.people(5))
    draw_id = await world.freeze()
    drawer = world.office.drawer
    error = await refused(owner, "sources_awaited", make_draw(ctx, drawer, None, draw_id))
    assert error.facts == {"sources": "office, notary, rehearsal"}
    await set_clock(ctx, world.times[1] + timedelta(hours=4))
    await refused(owner, "source_too_late", reveal_office(ctx, drawer, None, draw_id))
    error = await refused(owner, "sources_awaited", make_draw(ctx, drawer, None, draw_id))
    assert error.facts == {"sources": "rehearsal"}
    await rehearse_beacon(ctx, drawer, None, draw_id)
    await make_draw(ctx, drawer, None, draw_id)
    folder = await export_draw(ctx, draw_id, tmp_path)
    assert "source.01.office=missing\nsource.02.notary=missing\n" in (folder / "seed-r1.txt").read_text()
    assert verify_directory(folder, allow_rehearsal=True) == []


async def test_there_is_never_a_second_draw(
    ctx: Context, world: DrawWorld, owner: asyncpg.Connection
) -> None:
    await world.enter(await world.people(5))
    draw_id = await world.freeze()
    drawer = world.office.drawer
    await set_clock(ctx, world.times[1] + timedelta(hours=2))
    await rehearse_beacon(ctx, drawer, None, draw_id)
    answers = await asyncio.gather(
        *(make_draw(ctx, drawer, None, draw_id) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(answer, DrawAnswer) for answer in answers) == 1
    await refused(owner, "wrong_state", make_draw(ctx, drawer, None, draw_id))
    await refused(
        owner, "wrong_state", freeze_draw(ctx, drawer, None, world.campaign_id, FreezeDraw(delay_minutes=90))
    )
    await refused(owner, "wrong_state", rehearse_beacon(ctx, drawer, None, draw_id))


async def test_a_real_round_of_drand_draws(
    ctx: Context, owner: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Round 1000 of quicknet was published 2023-08-23 15:59:24 UTC: the database lives then, due on that second."""
    monkeypatch.setattr(
        freezing, "parse_local", lambda text, zone: parse_local(text, zone) + timedelta(seconds=24)
    )
    await owner.execute("ALTER TABLE clock DISABLE TRIGGER clock_only_grows")
    await owner.execute("UPDATE clock SET shift = timestamptz '2023-08-22 14:59:30+00' - clock_timestamp()")
    await owner.execute("ALTER TABLE clock ENABLE TRIGGER clock_only_grows")
    world = await open_draw(ctx, kinds=("drand",))
    await world.enter(await world.people(20))
    drawer = world.office.drawer
    draw_id = await world.freeze()
    [source] = (await show_draw(ctx, draw_id)).sources
    assert source.spec == f"{QUICKNET.chain_hash}:1000"
    await set_clock(ctx, world.times[1] + timedelta(hours=2))
    await refused(owner, "source_unknown", rehearse_beacon(ctx, drawer, None, draw_id))
    wrong = RecordBeacon(round=1001, signature=ROUND_1001)
    await refused(owner, "beacon_refused", record_beacon(ctx, drawer, None, draw_id, wrong), "round_differs")
    wrong = RecordBeacon(round=1000, signature=ROUND_1001)
    await refused(
        owner, "beacon_refused", record_beacon(ctx, drawer, None, draw_id, wrong), "signature_wrong"
    )
    real = Context(pool=ctx.pool, gate=ctx.gate, hmac_key=ctx.hmac_key, mode="production")
    await record_beacon(real, drawer, None, draw_id, RecordBeacon(round=1000, signature=ROUND_1000))
    await make_draw(real, drawer, None, draw_id)
    assert verify_directory(await export_draw(ctx, draw_id, tmp_path)) == []


async def test_an_entry_proves_itself(ctx: Context, world: DrawWorld) -> None:
    people = await world.people(30)
    await world.enter(people)
    caller = world.channel(people[7])
    before = await own_entry(ctx, caller, world.campaign_id)
    assert before.draw_id is None and before.proof is None and before.result is None
    draw_id = await world.award()
    root = parse_commitment(await read_draw_file(ctx, draw_id, "commit.json")).entries.merkle_root
    outcomes = []
    for person in people:
        found = await own_entry(ctx, world.channel(person), world.campaign_id)
        proof, result = found.proof, found.result
        assert proof is not None and result is not None and proof.root == root
        path = [bytes.fromhex(node) for node in proof.path]
        assert verify_inclusion(proof.line.encode(), proof.index, proof.size, path, bytes.fromhex(root))
        wins = any(result.key <= cutoff.key for cutoff in result.cutoffs)
        assert wins == (result.outcome == "won")
        assert (result.waitlist_rank is not None) == (result.outcome == "waiting")
        outcomes.append(result.outcome)
    assert [outcomes.count(kind) for kind in ("won", "waiting", "not_drawn")] == [15, 10, 5]
    with pytest.raises(Refused, match="not_found"):
        await own_entry(ctx, world.channel((await world.people(1))[0]), world.campaign_id)


async def test_unknown_and_foreign_draws_do_not_exist(ctx: Context, world: DrawWorld) -> None:
    other = await open_draw(ctx, programme="other", code="other-draw")
    for draw_id in (uuid4(), await world.draw_id()):
        with pytest.raises(Refused, match="not_found") as error:
            await make_draw(ctx, other.office.drawer, None, draw_id)
        assert error.value.facts == {"subject": "draw"}
    with pytest.raises(Refused, match="not_found"):
        await read_draw_file(ctx, await world.draw_id(), "commit.json")
    with pytest.raises(Refused, match="draw_not_published"):
        await export_draw(ctx, await world.draw_id(), Path("unused"))


async def test_the_freeze_of_thirty_thousand(ctx: Context, world: DrawWorld, tmp_path: Path) -> None:
    people = await world.people(30_000)
    started = time.perf_counter()
    answer = await world.enter(people)
    entered = time.perf_counter()
    draw_id = await world.freeze()
    frozen = time.perf_counter()
    assert answer.entered == 30_000
    print(f"30,000 entries: entered {entered - started:.2f} s, frozen {frozen - entered:.2f} s")
    assert len((await read_draw_file(ctx, draw_id, "entries.csv")).splitlines()) == 30_000
