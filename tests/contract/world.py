"""A programme with every kind of caller and campaigns, draws and payments in many states, for requests to meet.

Everything is made by the services; what `Known` holds is all that the one who sends requests knows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES, ROLES
from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Databases
from campaigns.runtime.keyfile import KEY_FILE_NAME
from campaigns.services.belongings import BindToken, bind_token
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.campaigns import create_campaign, submit_campaign
from campaigns.services.clock import set_clock
from campaigns.services.codes import make_code
from campaigns.services.context import Context
from campaigns.services.funding import fund_whole_plan
from campaigns.services.keys import MakeKey, make_key
from campaigns.services.list_issue import IssueList, ListRow, issue_list
from campaigns.services.merchants import (
    PutMerchant,
    PutStore,
    PutTerminal,
    TerminalAnswer,
    put_merchant,
    put_store,
    put_terminal,
)
from campaigns.services.paying import authorize, redeem
from campaigns.services.spending import StoreSpend, TillSpend
from campaigns.services.staff import AddStaff, add_staff
from campaigns.services.terms_change import propose_terms
from campaigns.store.pool import open_pool
from tests.support.campaign_files import LIST, draw_file, list_file, moments
from tests.support.draw_world import COUNTY, DrawWorld, open_draw
from tests.support.http import make_key as key_of
from tests.support.office import Office, approved, now_of, published

POOL_SIZE = 4
CREDIT_CODES = ("91110000600037341L", "91350100M000100Y43")
KINDS = ("office", "notary", "rehearsal")
PURSES = 60
PURSE_FEN = 100_000


@dataclass(frozen=True)
class Known:
    """Keys by kind of caller, ids by the name of their parameter, and texts to fill bodies with."""

    keys: dict[str, str]
    second_staff: str
    ids: dict[str, list[str]]
    persons: list[str]
    store_codes: list[str]
    files: list[str]
    draw_files: list[str]
    must_live: list[str]
    owners: dict[str, str]
    named: dict[str, str]
    purse_file: str


async def build(databases: Databases, redis_url: str, directory: Path) -> Known:
    """Fill an empty migrated database in test mode; ``directory`` has the key of proofs and gets the draws' files."""
    pool = await open_pool(databases.app.dsn, size=POOL_SIZE)
    gate = open_gate(redis_url)
    owner = await asyncpg.connect(databases.owner.dsn)
    hmac_key = bytes.fromhex((directory / KEY_FILE_NAME).read_text().strip())
    ctx = Context(pool=pool, gate=gate, hmac_key=hmac_key, mode="test", draws_dir=directory / "draws")
    try:
        return await _Building(ctx, owner).build()
    finally:
        await ctx.payments.drain()
        await owner.close()
        await gate.close()
        await pool.close()


class _Building:
    def __init__(self, ctx: Context, owner: asyncpg.Connection) -> None:
        self.ctx, self.owner = ctx, owner
        self.draws: list[DrawWorld] = []
        self.draw_ids: list[UUID] = []

    async def build(self) -> Known:
        office = await self._ceremonies()
        staff = await self._second(office)
        merchants, stores, tills = await self._shops(office)
        campaigns, purse = await self._campaigns(office)
        persons = await self._residents(office, purse)
        payments = await self._payments(tills, persons)
        awarded, vouchers = await self._holdings(persons)
        keys = await self._keys(office, merchants[0], tills[0])
        helper = await self._helper(office)
        now = await now_of(self.ctx)
        ids = {
            "campaign_id": [*(draw.campaign_id for draw in self.draws), *campaigns],
            "draw_id": self.draw_ids,
            "change_id": [await self._proposal(office, purse)],
            "award_id": awarded,
            "voucher_id": vouchers,
            "payment_id": payments,
            "token_id": [await self._token(person, n) for n, person in enumerate(persons[:4])],
            "person_id": persons,
            "merchant_id": merchants,
            "store_id": stores,
            "staff_id": [helper],
            "key_id": [await self._spare_key(office)],
        }
        living = [office.admin.id, staff, *await self._ids("SELECT id FROM api_key WHERE label = 'test'")]
        return Known(
            keys=keys,
            second_staff=await self._key(office, "staff", staff),
            ids={name: _texts(found) for name, found in ids.items()},
            persons=_texts(persons),
            store_codes=[till.store_code for till in tills],
            files=[list_file(now, "new-list"), draw_file(now, "new-draw"), list_file(now, "newer-list")],
            draw_files=["commit.json", "entries.csv", "result.json", "winners.csv", "seed-r1.txt"],
            must_live=_texts(living),
            owners=await self._owners(),
            named=await self._named(),
            purse_file=await self.owner.fetchval("SELECT source FROM campaign WHERE code = 'purse'"),
        )  # fmt: skip

    async def _ceremonies(self) -> Office:
        """Draws: awarded and open to acceptance, frozen and its source due, in the ceremony, to freeze, open to entries."""
        awarded = await open_draw(self.ctx, code="awarded")
        await awarded.enter(await awarded.people(40), ticked=6)
        self.draw_ids.append(await awarded.award())
        await set_clock(self.ctx, awarded.times[2] + timedelta(minutes=1))
        frozen = await open_draw(self.ctx, code="frozen", office=awarded.office)
        await frozen.enter(await frozen.people(10))
        await set_clock(
            self.ctx, await now_of(self.ctx) + timedelta(minutes=55)
        )  # what follows is due so much later
        ceremony = await open_draw(self.ctx, code="ceremony", office=awarded.office, kinds=KINDS)
        await ceremony.enter(await ceremony.people(10))
        due = await open_draw(self.ctx, code="due", office=awarded.office)
        await due.enter(await due.people(10))
        self.draw_ids.append(await frozen.freeze())
        self.draw_ids.append(await ceremony.freeze())
        await set_clock(
            self.ctx, frozen.times[1] + timedelta(hours=1, minutes=5)
        )  # the first one's source is due
        opened = await open_draw(self.ctx, code="open", office=awarded.office)
        self.draws = [awarded, frozen, ceremony, due, opened]
        return awarded.office

    async def _second(self, office: Office) -> UUID:
        """Both people whose keys are used hold every role, so that each may approve what the other wrote."""
        for principal in (office.admin, office.approver):
            await self.owner.execute(
                "UPDATE staff SET roles = to_jsonb($2::text[]) WHERE id = $1", principal.id, list(ROLES)
            )
        return office.approver.id

    async def _shops(self, office: Office) -> tuple[list[UUID], list[UUID], list[TerminalAnswer]]:
        """Two merchants, each with a store and a till."""
        merchants: list[UUID] = []
        stores: list[UUID] = []
        tills: list[TerminalAnswer] = []
        for number, credit_code in enumerate(CREDIT_CODES):
            merchant = await put_merchant(
                self.ctx, office.officer, None,
                PutMerchant(code=f"m-{number}", name="M", credit_code=credit_code, operator="bank-a", mcc="5411", tags=("test",)),
            )  # fmt: skip
            store = await put_store(
                self.ctx, office.officer, None, merchant.id,
                PutStore(code="s", name="S", place=COUNTY, scenario="retail"),
            )  # fmt: skip
            tills.append(await put_terminal(self.ctx, office.officer, None, store.id, PutTerminal(code="t")))
            merchants.append(merchant.id)
            stores.append(store.id)
        self.till = Principal("terminal", merchants[0], office.programme_id, terminal_id=tills[0].id)
        return merchants, stores, tills

    async def _campaigns(self, office: Office) -> tuple[list[UUID], UUID]:
        """One in each state before publication, and a published one whose vouchers last for thousands of payments."""
        now = await now_of(self.ctx)
        found = []
        for code in ("draft", "submitted"):
            source = CampaignSource(source=list_file(now, code))
            made = await create_campaign(self.ctx, office.officer, None, source)
            found.append(made.id)
        await submit_campaign(self.ctx, office.officer, None, found[1])
        found.append(await approved(self.ctx, office, list_file(now, "approved")))
        found.append(await approved(self.ctx, office, list_file(now, "funded")))
        await fund_whole_plan(self.ctx, office.finance, None, found[-1])
        return [*found, purse := await published(self.ctx, office, self._purse_file(moments(now)))], purse

    def _purse_file(self, t: Sequence[str]) -> str:
        text = LIST.replace(
            "count: 10, amount: {{kind: fixed, amount_fen: 2000}}",
            f"count: {2 * PURSES}, amount: {{{{kind: fixed, amount_fen: {PURSE_FEN}}}}}",
        ).replace(
            "{{kind: stored_value}}", "{{kind: spend_and_save, steps: [{{spend_fen: 1, save_fen: 1}}]}}"
        )
        return text.format(code="purse", t=t, budget_fen=2 * PURSES * PURSE_FEN + 10_001, per_person=20)

    async def _residents(self, office: Office, purse: UUID) -> list[UUID]:
        winners = await self._ids("SELECT person_id FROM award WHERE state = 'live' ORDER BY id LIMIT 4")
        persons = [*winners, *await self.draws[0].people(4)]
        rows = tuple(ListRow(tier="gold", person_id=persons[n % len(persons)]) for n in range(PURSES))
        await issue_list(self.ctx, office.officer, None, purse, IssueList(rows=rows))
        return persons

    async def _payments(self, tills: Sequence[TerminalAnswer], persons: Sequence[UUID]) -> list[UUID]:
        """For each person one captured, one held by the till and one held at its store code."""
        found = []
        for person in persons:
            for act in (redeem, authorize):
                code = await make_code(self.ctx, self._holder(person), None)
                spend = TillSpend(payment_code=code.code, basket_fen=1_000)
                found.append((await act(self.ctx, self.till, None, spend)).id)
            counter = StoreSpend(store_code=tills[0].store_code, basket_fen=1_000)
            found.append((await authorize(self.ctx, self._holder(person), None, counter)).id)
        return found

    async def _holdings(self, persons: Sequence[UUID]) -> tuple[list[UUID], list[UUID]]:
        awards = "SELECT id FROM award WHERE person_id = ANY($1) AND state = 'live' ORDER BY id"
        vouchers = "SELECT id FROM voucher WHERE person_id = ANY($1) ORDER BY id LIMIT 20"
        return await self._ids(awards, persons), await self._ids(vouchers, persons)

    async def _named(self) -> dict[str, str]:
        """Each campaign by its code, and the draw in the ceremony."""
        found = {
            row["code"]: str(row["id"]) for row in await self.owner.fetch("SELECT code, id FROM campaign")
        }
        return {**found, "ceremony": str(self.draw_ids[2])}

    async def _owners(self) -> dict[str, str]:
        """Whose a voucher, award, payment or token is."""
        tables = ("voucher", "award", "payment", "token")
        rows = [
            row for table in tables for row in await self.owner.fetch(f"SELECT id, person_id FROM {table}")
        ]
        return {str(id_): str(person) for id_, person in rows}

    async def _keys(self, office: Office, merchant_id: UUID, till: TerminalAnswer) -> dict[str, str]:
        operator_id = await self.owner.fetchval("SELECT id FROM operator WHERE code = 'bank-a'")
        subjects = {
            "channel": new_id(), "terminal": till.id, "merchant": merchant_id, "operator": operator_id,
            "staff": office.admin.id, "auditor": office.auditor.id,
        }  # fmt: skip
        return {kind: await self._key(office, kind, subject) for kind, subject in subjects.items()}

    async def _key(self, office: Office, kind: str, subject: UUID) -> str:
        scopes = sorted(KIND_SCOPES[kind])  # type: ignore[index]
        return await key_of(self.owner, office.programme_id, kind, scopes, subject)

    async def _helper(self, office: Office) -> UUID:
        command = AddStaff(login="helper", name="H", roles=("support",))
        return (await add_staff(self.ctx, office.admin, None, command)).id

    async def _spare_key(self, office: Office) -> UUID:
        return (await make_key(self.ctx, office.admin, None, MakeKey(kind="channel", label="spare"))).id

    async def _token(self, person: UUID, number: int) -> UUID:
        command = BindToken(kind="chat", value=f"12345{number}")
        return (await bind_token(self.ctx, self._holder(person), None, person, command)).tokens[0].id

    async def _proposal(self, office: Office, campaign_id: UUID) -> UUID:
        source = await self.owner.fetchval("SELECT source FROM campaign WHERE id = $1", campaign_id)
        wider = CampaignSource(source=source.replace("valid_days: 14", "valid_days: 20"))
        return (await propose_terms(self.ctx, office.officer, None, campaign_id, wider)).id

    def _holder(self, person: UUID) -> Principal:
        return self.draws[0].channel(person)

    async def _ids(self, query: str, *arguments: object) -> list[UUID]:
        return [row[0] for row in await self.owner.fetch(query, *arguments)]


def _texts(ids: Iterable[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]
