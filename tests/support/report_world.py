"""A campaign whose every figure is known by counting on fingers: six packets, four accepted, three shops."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest

from campaigns.domain.errors import Refused
from campaigns.domain.ids import new_entry_code, new_id
from campaigns.domain.terms.model import Terms
from campaigns.services.capturing import void
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.services.refunding import Refund, refund, undo
from tests.support.payworld import STORED, PayWorld, asked

FACES_FEN = (10_000, 6_000, 6_000, 3_000)
BUDGET_FEN = 40_000
SHARES_BP = (7_500, 2_500)
DEFINITION = {
    "name": {"zh": "平阴金秋满减红包", "en": "Pingyin Autumn Packets"},
    "place_names": {"370124001": {"zh": "榆山街道", "en": "Yushan Subdistrict"}},
}


@dataclass
class Counted:
    """The world, its campaign, the people in the order of `FACES_FEN`, and the shops."""

    world: PayWorld
    campaign_id: UUID
    people: list[UUID]
    vouchers: list[UUID]
    shops: list[UUID]


async def counted_campaign(ctx: Context, owner: asyncpg.Connection) -> Counted:
    """Five entries (one struck), six packets of ¥370 (four accepted, one given up, one never drawn)."""
    world = await PayWorld(ctx).start()
    campaign_id = await world.campaign(
        Terms(benefit=STORED, min_spend_fen=2_000), budget_fen=BUDGET_FEN, shares=SHARES_BP
    )
    await owner.execute(
        "UPDATE campaign SET definition = definition || $2::jsonb, registration_start = spending_start WHERE id = $1",
        campaign_id,
        _json(DEFINITION),
    )
    people = [await world.person() for _ in FACES_FEN]
    vouchers = [
        await world.voucher(campaign_id, person, face) for person, face in zip(people, FACES_FEN, strict=True)
    ]
    await _entries_and_awards(world, owner, campaign_id, people)
    shops = [await world.merchant() for _ in range(3)]
    await owner.execute(
        "UPDATE store SET place = '370124001', scenario = 'medical' WHERE merchant_id = $1", shops[1]
    )
    return Counted(world, campaign_id, people, vouchers, shops)


async def _entries_and_awards(
    world: PayWorld, owner: asyncpg.Connection, campaign_id: UUID, people: list[UUID]
) -> None:
    window_id = world.window_of[campaign_id]
    entrants = [*people, await world.person()]
    for index, person_id in enumerate(entrants):
        await owner.execute(
            "INSERT INTO entry (id, campaign_id, person_id, code, stratum, tickets, accept_if_won, log_index, entered_at,"
            " struck_reason) VALUES ($1, $2, $3, $4, '370124', 1, false, $5, now(), $6)",
            new_id(), campaign_id, person_id, new_entry_code(), index, "withdrawn" if index == 4 else None,
        )  # fmt: skip
    given_up, never_drawn = new_id(), new_id()
    for allotment_id, face_fen in ((given_up, 5_000), (never_drawn, 7_000)):
        await owner.execute(
            "INSERT INTO allotment (id, campaign_id, window_id, tier, operator_id, face_fen)"
            " VALUES ($1, $2, $3, 2, $4, $5)",
            allotment_id, campaign_id, window_id, world.operator_id, face_fen,
        )  # fmt: skip
    now = await world.now()
    for rank, state in ((1, "lapsed"), (2, "declined")):
        person_id = await world.person()
        await owner.execute(
            "INSERT INTO award (id, campaign_id, window_id, person_id, allotment_id, tier, rank, state, accept_until,"
            " awarded_at, ended_at) VALUES ($1, $2, $3, $4, $5, 2, $6, $7, $8, $9, $8)",
            new_id(), campaign_id, window_id, person_id, given_up, rank, state, now + timedelta(hours=1), now,
        )  # fmt: skip
        await owner.execute(
            "INSERT INTO turn (campaign_id, window_id, person_id, n) VALUES ($1, $2, $3, 1)",
            campaign_id, window_id, person_id,
        )  # fmt: skip


async def spend_known_sums(counted: Counted) -> None:
    """What the four do.

    1: ¥120 at shop 1, all of the voucher's ¥100. 2: ¥40 at shop 2, of which goods for ¥10 come back.
    3: ¥30 at shop 1, undone; then a hold of ¥25 at shop 2, voided. 4: ¥10 at shop 1, below the minimum of ¥20.
    """
    world, ctx = counted.world, counted.world.ctx
    one, two, three, four = counted.people
    till1, till2 = world.till(counted.shops[0]), world.till(counted.shops[1])
    whole = await world.spend(one, 12_000)
    await redeem(ctx, till1, asked(till1, whole), whole)
    part = await world.spend(two, 4_000)
    paid = await redeem(ctx, till2, asked(till2, part), part)
    goods = Refund(returned_goods_fen=1_000)
    await refund(ctx, till2, asked(till2, goods), paid.id, goods)
    regretted = await world.spend(three, 3_000)
    paid = await redeem(ctx, till1, asked(till1, regretted), regretted)
    await undo(ctx, till1, asked(till1, "undo"), paid.id)
    held = await world.spend(three, 2_500)
    hold = await authorize(ctx, till2, asked(till2, held), held)
    await void(ctx, till2, asked(till2, "void"), hold.id)
    small = await world.spend(four, 1_000)
    with pytest.raises(Refused):
        await redeem(ctx, till1, asked(till1, small), small)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
