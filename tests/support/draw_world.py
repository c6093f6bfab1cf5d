"""A published draw with residents, taken through registration and ceremony through the services."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.services.awarding import award_draw
from campaigns.services.ceremony import make_draw, rehearse_beacon
from campaigns.services.clock import set_clock
from campaigns.services.context import Context
from campaigns.services.draw_answer import show_campaign_draw
from campaigns.services.entering import EnteredMany, EnterLine, EnterMany, enter_many
from campaigns.services.freezing import FreezeDraw, freeze_draw
from campaigns.store.locks import campaign_now
from tests.support.campaign_files import ZONE, moments
from tests.support.office import Office, now_of, open_office, published

COUNTY, OTHER = "370124", "370102"

FILE = """
schema: hongbao/campaign/1
programme: {programme}
code: {code}
name: {{zh: "测试红包", en: "Test packets"}}
about: {{zh: "测试用活动。", en: "A campaign for tests."}}
places: ["3701"]
scenario: retail
registration: {{places: ["370124", "370102"]}}
windows:
  registration: {{start: "{t[0]}", end: "{t[1]}"}}
  draw: {{start: "{t[1]}", end: "{t[2]}"}}
  acceptance: {{start: "{t[2]}", end: "{t[3]}"}}
  spending: {{start: "{t[2]}", end: "{t[4]}"}}
budget_fen: {budget_fen}
funders:
  - {{id: county, name: {{zh: "县财政", en: "County"}}, share_bp: 7000}}
  - {{id: city, name: {{zh: "市财政", en: "City"}}, share_bp: 3000}}
custody_operators:
  - {{id: bank-a, name: {{zh: "机构甲", en: "Operator A"}}, share_bp: 6000}}
  - {{id: bank-b, name: {{zh: "机构乙", en: "Operator B"}}, share_bp: 4000}}
issuing:
  method: draw
  tiers:
    - id: gold
      name: {{zh: "一等", en: "Gold"}}
      count: {gold}
      amount: {{kind: fixed, amount_fen: 2000}}
      quotas: [{{place: "370124", count: {quota}}}, {{place: "370102", count: {rest}}}]
    - {{id: luck, name: {{zh: "手气", en: "Luck"}}, count: 5, amount: {{kind: split, total_fen: 5000, low_fen: 500, high_fen: 2000}}}}
  sources:
{sources}
  waitlist: {waitlist}
merchants: {{tags: [test]}}
terms:
  benefit: {{kind: stored_value}}
  valid_days: 14
"""


@dataclass(frozen=True)
class DrawWorld:
    """A published draw campaign of the office; ``times`` are the five moments of its windows."""

    ctx: Context
    office: Office
    campaign_id: UUID
    times: tuple[datetime, ...]

    def channel(self, person_id: UUID) -> Principal:
        """The channel, acting for one person."""
        return Principal("channel", self.campaign_id, self.office.programme_id, CHANNEL, person_id=person_id)

    async def people(self, count: int) -> list[UUID]:
        """Residents with the proof that identifies them."""
        ids = [new_id() for _ in range(count)]
        async with self.ctx.pool.acquire() as connection:
            at = await campaign_now(connection)
            programme = self.office.programme_id
            await connection.copy_records_to_table(
                "person",
                records=[(i, programme, at) for i in ids],
                columns=["id", "programme_id", "created_at"],
            )
            await connection.copy_records_to_table(
                "person_proof",
                records=[(new_id(), programme, i, "phone", i.bytes * 2, at) for i in ids],
                columns=["id", "programme_id", "person_id", "kind", "hmac", "created_at"],
            )
        return ids

    async def enter(self, people: list[UUID], *, ticked: int = 0) -> EnteredMany:
        """Enter people in turn for the county and the other district; the first ``ticked`` want it taken for them."""
        lines = tuple(
            EnterLine(person_id=person, place=(COUNTY, OTHER)[i % 2], accept_if_won=i < ticked)
            for i, person in enumerate(people)
        )
        counter = Principal("channel", self.campaign_id, self.office.programme_id, CHANNEL)
        return await enter_many(self.ctx, counter, None, self.campaign_id, EnterMany(entries=lines))

    async def draw_id(self) -> UUID:
        return (await show_campaign_draw(self.ctx, self.campaign_id)).draw_id

    async def freeze(self, command: FreezeDraw | None = None) -> UUID:
        """Let registration end and freeze."""
        await set_clock(self.ctx, self.times[1] + timedelta(seconds=1))
        answer = await freeze_draw(
            self.ctx, self.office.drawer, None, self.campaign_id, command or FreezeDraw()
        )
        return answer.draw_id

    async def draw(self) -> UUID:
        """Freeze, let every source's time pass, record the rehearsal round and draw."""
        draw_id = await self.freeze()
        await set_clock(self.ctx, self.times[1] + timedelta(hours=4))
        await rehearse_beacon(self.ctx, self.office.drawer, None, draw_id)
        await make_draw(self.ctx, self.office.drawer, None, draw_id)
        return draw_id

    async def award(self) -> UUID:
        """Draw and publish the awards."""
        draw_id = await self.draw()
        await award_draw(self.ctx, self.office.drawer, None, draw_id)
        return draw_id


CHANNEL = frozenset({"people.write", "entries.write", "vouchers.read", "vouchers.write", "codes.write"})


async def open_draw(
    ctx: Context,
    *,
    kinds: tuple[str, ...] = ("rehearsal",),
    gold: int = 10,
    quota: int = 6,
    waitlist: int = 10,
    code: str = "test-draw",
    office: Office | None = None,
    programme: str = "test",
) -> DrawWorld:
    """Publish a draw: ``gold`` of ¥20 by quota over two districts, and 5 packets sharing ¥50 for everybody.

    Sources are due one hour after the other, beginning an hour after registration ends; the beacon is the last.
    """
    office = office or await open_office(ctx, programme)
    now = await now_of(ctx)
    t = moments(now)
    times = tuple(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE) for text in t)
    dues = [(times[1] + timedelta(hours=i)).strftime("%Y-%m-%d %H:%M") for i in range(1, len(kinds) + 1)]
    sources = "\n".join(
        f'    - {{kind: {kind}, due: "{due}"}}' for kind, due in zip(kinds, dues, strict=True)
    )
    source = FILE.format(
        programme=programme, code=code, t=t, sources=sources, gold=gold, quota=quota, rest=gold - quota, waitlist=waitlist,
        budget_fen=gold * 2_000 + 5_000 + 4_001,
    )  # fmt: skip
    campaign_id = await published(ctx, office, source)
    return DrawWorld(ctx, office, campaign_id, times)
