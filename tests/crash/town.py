"""Where a round happens: two small campaigns with caps, people with vouchers, tills. Made by the ledger's own verbs."""

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple
from uuid import UUID

import asyncpg

from campaigns.domain.ids import new_id
from campaigns.domain.roles import KIND_SCOPES
from campaigns.domain.terms.model import Cap, Percentage, StoredValue, Terms
from campaigns.services.context import Context
from tests.crash.check_sums import CapOf
from tests.support.http import make_key
from tests.support.payworld import PayWorld

MERCHANTS = 6
PEOPLE = 24  # of a round; a longer one takes more, and its merchants' caps grow with them
FACE_FEN = 60_000
PROBE_FACE_FEN = 1_000_000
HOLD_SECONDS = 4
BASKET_MIN_FEN, BASKET_MAX_FEN = 400, 9_000
PERSON_CAP_FEN = 45_000
MERCHANT_CAP_FEN_OF_PERSON = 9_000
SHARED = Terms(
    benefit=Percentage(basis_points=2_000, cap_fen=900),
    hold_seconds=HOLD_SECONDS,
    stacking_class="extra",
    caps=(Cap(scope="person", period="day", uses=12),),
)


class Till(NamedTuple):
    """A terminal, its key, and the store code at its counter."""

    terminal: UUID
    key: str
    store_code: str


@dataclass
class Shops:
    """What all rounds of a deployment share: the programme, its tills, and the holders' channel."""

    world: PayWorld
    tills: list[Till]
    channel_key: str


@dataclass
class Town:
    """One round's people and campaigns. ``basket`` never answers the same amount twice for a person and till."""

    shops: Shops
    campaigns: list[UUID]
    people: list[UUID]
    prober: UUID
    caps: list[CapOf]
    _used: set[tuple[UUID, UUID, int]] = field(default_factory=set)

    def basket(self, chance: Random, person: UUID, till: Till) -> int:
        """An amount in fen that marks one payment of this person at this till."""
        while True:
            amount_fen = chance.randint(BASKET_MIN_FEN, BASKET_MAX_FEN)
            if (person, till.terminal, amount_fen) not in self._used:
                self._used.add((person, till.terminal, amount_fen))
                return amount_fen


async def open_shops(ctx: Context, owner: asyncpg.Connection) -> Shops:
    """Make the programme, its merchants with a till each, and their keys."""
    world = await PayWorld(ctx).start()

    async def key(kind: str, subject: UUID | None) -> str:
        return await make_key(owner, world.programme_id, kind, sorted(KIND_SCOPES[kind]), subject)  # type: ignore[index]

    tills = []
    for _ in range(MERCHANTS):
        merchant = await world.merchant()
        terminal = world.merchants[merchant]
        tills.append(Till(terminal, await key("terminal", terminal), world.store_codes[merchant]))
    return Shops(world, tills, await key("channel", new_id()))


def stored_terms(people: int) -> Terms:
    """A stored value whose caps are reached by the busiest people and merchants."""
    return Terms(
        benefit=StoredValue(),
        hold_seconds=HOLD_SECONDS,
        caps=(
            Cap(scope="person", period="whole", uses=25, amount_fen=PERSON_CAP_FEN),
            Cap(scope="merchant", period="whole", amount_fen=people * MERCHANT_CAP_FEN_OF_PERSON),
        ),
    )


async def make_town(ctx: Context, shops: Shops, number: int = PEOPLE) -> Town:
    """Publish two funded campaigns and grant everybody a voucher of each; the prober has one that lasts."""
    both = (stored_terms(number), SHARED)
    world = shops.world
    world.ctx = ctx
    campaigns = [await world.campaign(terms, budget_fen=number * FACE_FEN) for terms in both]
    people = [await world.person() for _ in range(number)]
    for person in people:
        for campaign in campaigns:
            await world.voucher(campaign, person, FACE_FEN)
    prober = await world.person()
    probed = await world.campaign(Terms(benefit=StoredValue()))
    await world.voucher(probed, prober, PROBE_FACE_FEN)
    caps = [
        CapOf(str(campaign), cap.scope, cap.period == "day", cap.uses, cap.amount_fen)
        for campaign, terms in zip(campaigns, both, strict=True)
        for cap in terms.caps
    ]
    return Town(shops, [*campaigns, probed], people, prober, caps)
