"""The ceremony: each source gives its value once, after the commitment; then the draw follows from them.

A late office or notary counts as missing; a beacon and the state lottery are waited for. Only a beacon round that
verifies and that the commitment fixed is taken. There is never a second draw.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from campaigns.domain.draw_plan import MISSING_POLICY
from campaigns.domain.errors import Fact, Refused
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import DRAW, next_state, wrong_state
from campaigns.services.context import Context
from campaigns.services.draw_answer import DrawAnswer, draw_answer
from campaigns.services.draw_campaign import DrawCampaign, check_running, hold_draw
from campaigns.services.exporting import publish_folder
from campaigns.services.sealing import unseal
from campaigns.store import draws as store
from campaigns.store.audit_log import write_audit
from campaigns.store.draws import DrawRow, SourceRow
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform
from lottery.beacon import BeaconError, BeaconRound, parse_round
from lottery.core.commitment import parse_commitment
from lottery.core.errors import LotteryError
from lottery.core.sources import BEACON_KINDS, MISSING, beacon_value, check_value, parse_beacon_spec
from lottery.publication import COMMITMENT_FILES, Drawn, check_beacon, draw_files
from lottery.rehearsal import rehearsal_round
from lottery.result import BeaconEvidence

CEREMONY = "ceremony.csv"
MOST_DETAIL = 300
_Value = Callable[[DrawRow, SourceRow], tuple[str, str | None]]  # what a source gave, and its signature


class RecordValue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the state lottery or the notary gave, in the transcript's form: ``2025001:02,05,08,10,12,33+07``,
    ``31,07,22,18``."""

    source: Literal["ssq", "notary"]
    value: Annotated[str, Meta(min_length=1, max_length=120)]


class RecordBeacon(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A round as drand publishes it; ``signature`` 96 and ``randomness`` 64 hex characters."""

    round: Annotated[int, Meta(ge=1, le=10**15 - 1)]
    signature: Annotated[str, Meta(min_length=1, max_length=200)]
    randomness: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


async def reveal_office(
    ctx: Context, principal: Principal, asked: Request | None, draw_id: UUID
) -> DrawAnswer:
    """Reveal the office's secret whose digest was committed to. Raises Refused ``source_too_late`` after its time."""

    def value(draw: DrawRow, source: SourceRow) -> tuple[str, None]:
        assert source.secret_sealed is not None
        return unseal(ctx.hmac_key, draw.id, source.secret_sealed).hex(), None

    return await _receive(ctx, principal, asked, draw_id, ("office",), value)


async def record_value(
    ctx: Context, principal: Principal, asked: Request | None, draw_id: UUID, command: RecordValue
) -> DrawAnswer:
    """Record the state lottery's numbers or the notary's. Raises Refused ``source_wrong`` for another form or issue."""

    def value(draw: DrawRow, source: SourceRow) -> tuple[str, None]:
        problem = check_value(source.kind, command.value)
        if command.value == MISSING:
            problem = "a value is needed"
        if not problem and source.spec and not command.value.startswith(f"{source.spec}:"):
            problem = f"the issue committed to is {source.spec}"
        if problem:
            raise Refused("source_wrong", source=source.kind, detail=problem)
        return command.value, None

    return await _receive(ctx, principal, asked, draw_id, (command.source,), value)


async def record_beacon(
    ctx: Context, principal: Principal, asked: Request | None, draw_id: UUID, command: RecordBeacon
) -> DrawAnswer:
    """Record the round of drand (or, rehearsing, of the rehearsal beacon) that the commitment fixed, if it verifies.

    Raises Refused ``beacon_refused`` with the reason, ``source_too_early`` before the round's time.
    """
    given = {"round": command.round, "signature": command.signature}
    if command.randomness is not None:
        given["randomness"] = command.randomness
    try:
        beacon = parse_round(msgspec.json.encode(given))
    except BeaconError as error:
        raise _beacon_refused(error) from error
    return await _receive_beacon(ctx, principal, asked, draw_id, beacon)


async def rehearse_beacon(
    ctx: Context, principal: Principal, asked: Request | None, draw_id: UUID
) -> DrawAnswer:
    """Record the rehearsal beacon's round, verified like drand's. Raises Refused ``rehearsal_refused`` in production."""
    return await _receive_beacon(ctx, principal, asked, draw_id, None)


async def _receive_beacon(
    ctx: Context, principal: Principal, asked: Request | None, draw_id: UUID, beacon: BeaconRound | None
) -> DrawAnswer:
    async with ctx.pool.acquire() as connection:
        commit = await store.draw_file(connection, draw_id, "commit.json")
    checked = None if commit is None else await asyncio.to_thread(_check, ctx, commit, beacon)

    def value(draw: DrawRow, source: SourceRow) -> tuple[str, str]:
        assert checked is not None, "a frozen draw has its commitment"
        if isinstance(checked, Refused):
            raise checked
        return beacon_value(checked.chain_hash, checked.round, checked.randomness), checked.signature

    kinds = ("rehearsal",) if beacon is None else BEACON_KINDS
    return await _receive(ctx, principal, asked, draw_id, kinds, value)


def _check(ctx: Context, commit: bytes, beacon: BeaconRound | None) -> BeaconEvidence | Refused:
    """Verify a round against the commitment (which never changes); outside the event loop and any lock."""
    if beacon is None and ctx.mode == "production":
        return Refused("rehearsal_refused")
    try:
        commitment = parse_commitment(commit)
        if beacon is None:
            spec = next(s.spec for s in commitment.sources if s.kind in BEACON_KINDS)
            beacon = rehearsal_round(parse_beacon_spec(spec)[1])
        return check_beacon(commitment, beacon, allow_rehearsal=ctx.mode != "production")
    except BeaconError as error:
        return _beacon_refused(error)


def _beacon_refused(error: BeaconError) -> Refused:
    if error.code == "rehearsal_refused":
        return Refused("rehearsal_refused")
    return Refused("beacon_refused", reason=error.code, detail=error.message[:MOST_DETAIL])


async def _receive(
    ctx: Context,
    principal: Principal,
    asked: Request | None,
    draw_id: UUID,
    kinds: Sequence[str],
    value: _Value,
) -> DrawAnswer:
    require_staff(principal, "draw.write")

    async def act(connection: Connection) -> DrawAnswer:
        campaign, draw = await hold_draw(connection, principal, draw_id)
        at = await campaign_now(connection)
        if draw.state != "frozen":
            raise wrong_state(DRAW, draw.state, "receive_source")
        source = _awaited(campaign, await store.draw_sources(connection, draw_id), kinds, at)
        text, evidence = value(draw, source)
        await store.receive_source(connection, draw_id, source.number, text, evidence, at)
        await write_audit(
            connection, at, draw.campaign_id, principal, "draw.source", draw_id,
            {"source": source.kind, "value": text},
        )  # fmt: skip
        return await draw_answer(connection, draw_id)

    return await perform(ctx.pool, asked, Work(DrawAnswer, act))


def _awaited(
    campaign: DrawCampaign, sources: Sequence[SourceRow], kinds: Sequence[str], at: datetime
) -> SourceRow:
    """The source of one of these kinds, if it may still give its value now."""
    source = next((source for source in sources if source.kind in kinds), None)
    if source is None:
        raise Refused("source_unknown", source=kinds[0])
    if source.value is not None:
        raise Refused("source_received", source=source.kind)
    due = campaign.text(source.due)
    if source.kind in BEACON_KINDS and at < source.due:
        raise Refused("source_too_early", source=source.kind, due=due)
    if _may_be_missing(source) and at > source.due:
        raise Refused("source_too_late", source=source.kind, due=due)
    return source


def _may_be_missing(source: SourceRow) -> bool:
    return MISSING_POLICY[source.kind] == "missing"


async def make_draw(ctx: Context, principal: Principal, asked: Request | None, draw_id: UUID) -> DrawAnswer:
    """Make the draw once every source is in or missing: transcript, seed, winners, waitlist, cut-offs, result.

    Raises Refused ``sources_awaited`` naming them, ``wrong_state`` for a second draw, ``beacon_refused``.
    """
    require_staff(principal, "draw.write")

    async def act(connection: Connection) -> DrawAnswer:
        campaign, draw = await hold_draw(connection, principal, draw_id)
        await store.allow_long_work(connection)
        at = await campaign_now(connection)
        check_running(campaign)
        state = next_state(DRAW, draw.state, "draw")
        sources = await _settled(connection, draw_id, at)
        files = await store.draw_files(connection, draw_id)
        drawn = await asyncio.to_thread(_draw, ctx, files, sources)
        await store.insert_files(connection, draw_id, drawn.files)
        await store.set_state(connection, draw_id, state, drawn_at=at, seed=bytes.fromhex(drawn.seed))
        facts: dict[str, Fact] = {
            "seed": drawn.seed,
            "winners": len(drawn.result.winners),
            "waiting": len(drawn.result.waitlist),
        }
        await write_audit(connection, at, draw.campaign_id, principal, "draw.draw", draw_id, facts)
        return await draw_answer(connection, draw_id)

    answer = await perform(ctx.pool, asked, Work(DrawAnswer, act))
    await publish_folder(ctx, draw_id)
    return answer


async def _settled(connection: Connection, draw_id: UUID, at: datetime) -> list[SourceRow]:
    """Every source with its value; whoever may be missing and is late is written down as missing."""
    awaited: list[str] = []
    for source in await store.draw_sources(connection, draw_id):
        if source.value is not None:
            continue
        if _may_be_missing(source) and at > source.due:
            await store.receive_source(connection, draw_id, source.number, MISSING, None, at)
        else:
            awaited.append(source.kind)
    if awaited:
        raise Refused("sources_awaited", sources=", ".join(awaited))
    return await store.draw_sources(connection, draw_id)


def _draw(ctx: Context, files: Mapping[str, bytes], sources: Sequence[SourceRow]) -> Drawn:
    """Run the committed draw; the beacon is verified once more. Runs outside the event loop."""
    committed = {name: files[name] for name in COMMITMENT_FILES}
    committed[CEREMONY] = _ceremony(sources)
    values: dict[str, str] = {}
    evidence: BeaconEvidence | None = None
    for source in sources:
        assert source.value is not None
        if source.kind not in BEACON_KINDS:
            values[source.kind] = source.value
            continue
        _, round_number, randomness = source.value.split(":")
        beacon = BeaconRound(int(round_number), source.evidence or "", randomness)
        commitment = parse_commitment(files["commit.json"])
        try:
            evidence = check_beacon(commitment, beacon, allow_rehearsal=ctx.mode != "production")
        except BeaconError as error:
            raise _beacon_refused(error) from error
    assert evidence is not None, "a commitment has a beacon"
    try:
        drawn = draw_files(committed, values, evidence)
    except LotteryError as error:
        raise Refused("commitment_refused", detail=error.message[:MOST_DETAIL]) from error
    return Drawn({**drawn.files, CEREMONY: committed[CEREMONY]}, drawn.seed, drawn.result, drawn.amounts_fen)


def _ceremony(sources: Sequence[SourceRow]) -> bytes:
    """`ceremony.csv`: when each source that gave a value did so."""
    lines = (
        f"{source.kind},{int(source.received_at.timestamp())}\n"
        for source in sources
        if source.value != MISSING and source.received_at is not None
    )
    return "".join(lines).encode("ascii")
