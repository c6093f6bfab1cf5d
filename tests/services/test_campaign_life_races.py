"""Acts at the same moment: one of them happens; and grants that would give one allotment twice leave nothing."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from campaigns.domain.errors import Broken, HongbaoError
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.campaigns import approve_campaign, create_campaign, submit_campaign, withdraw_campaign
from campaigns.services.context import Context
from campaigns.services.funding import Fund, campaign_funding, fund_campaign, fund_whole_plan
from campaigns.services.granting import Grant, grant
from campaigns.services.people import Identify, IdentifyMany, Proof, identify, identify_many
from campaigns.services.publishing import publish_campaign
from campaigns.store.locks import campaign_now
from campaigns.store.unit_of_work import request
from tests.support.campaign_files import draw_file, list_file
from tests.support.office import Office, approved, now_of, open_office, published

T = TypeVar("T")
AT_ONCE = 8


@pytest.fixture
async def office(ctx: Context) -> Office:
    return await open_office(ctx)


async def together(acts: Sequence[Awaitable[T]]) -> tuple[list[T], list[str]]:
    """Run acts at once; answers what came of them and the codes of those refused."""

    async def one(act: Awaitable[T]) -> T | HongbaoError:
        try:
            return await act
        except HongbaoError as error:
            return error

    found = await asyncio.gather(*(one(act) for act in acts))
    codes = [answer.code for answer in found if isinstance(answer, HongbaoError)]
    return [answer for answer in found if not isinstance(answer, HongbaoError)], codes


async def test_one_key_at_once_makes_one_campaign(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    command = CampaignSource(source=draw_file(await now_of(ctx)))
    asked = request(office.officer.id, "k", "create", command)
    made, codes = await together(
        [create_campaign(ctx, office.officer, asked, command) for _ in range(AT_ONCE)]
    )
    assert len({answer.id for answer in made}) == 1
    assert set(codes) <= {"busy"}, "who met an equal key at work may be told to try again, never code_taken"
    assert await owner.fetchval("SELECT count(*) FROM campaign") == 1


async def test_approval_and_withdrawal_exclude_each_other(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    source = CampaignSource(source=draw_file(await now_of(ctx)))
    campaign_id = (await create_campaign(ctx, office.officer, None, source)).id
    await submit_campaign(ctx, office.officer, None, campaign_id)
    done, codes = await together(
        [approve_campaign(ctx, office.approver, None, campaign_id) for _ in range(AT_ONCE // 2)]
        + [withdraw_campaign(ctx, office.officer, None, campaign_id) for _ in range(AT_ONCE // 2)]
    )
    assert len(done) == 1 and set(codes) == {"wrong_state"}
    settled = await owner.fetchval("SELECT count(*) FROM terms_version")
    assert settled == (1 if done[0].state == "approved" else 0)


async def test_money_at_once_never_passes_the_plan(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await approved(ctx, office, draw_file(await now_of(ctx)))
    line = (await campaign_funding(ctx, office.finance, campaign_id)).lines[0]
    half = Fund(funder=line.funder, operator=line.operator, amount_fen=line.planned_fen // 2)
    done, codes = await together(
        [fund_campaign(ctx, office.finance, None, campaign_id, half) for _ in range(AT_ONCE)]
    )
    assert len(done) == 2 and set(codes) == {"funding_over_plan"}
    assert await owner.fetchval("SELECT sum(amount_fen)::bigint FROM transfer") == 2 * half.amount_fen


async def test_publication_at_once_makes_the_allotments_once(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id = await approved(ctx, office, list_file(await now_of(ctx)))
    await fund_whole_plan(ctx, office.finance, None, campaign_id)
    done, codes = await together(
        [publish_campaign(ctx, office.officer, None, campaign_id) for _ in range(AT_ONCE)]
    )
    assert len(done) == 1 and set(codes) == {"wrong_state"}
    assert await owner.fetchval("SELECT count(*) FROM allotment") == 15


async def test_one_phone_at_once_is_one_person(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    channel = Principal("channel", uuid4(), office.programme_id, KIND_SCOPES["channel"])
    person = Identify(proofs=(Proof(kind="phone", value="13800000000"),))
    acts = [identify(ctx, channel, None, person) for _ in range(AT_ONCE)]
    found, codes = await together(acts)
    assert codes == [] and len({answer.person_id for answer in found}) == 1
    many = IdentifyMany(
        people=tuple(Identify(proofs=(Proof(kind="phone", value=str(13800000000 + i)),)) for i in range(50))
    )
    everyone, codes = await together([identify_many(ctx, channel, None, many) for _ in range(4)])
    assert codes == [] and len({answer.person_ids for answer in everyone}) == 1
    assert await owner.fetchval("SELECT count(*) FROM person") == 50


async def test_an_allotment_is_never_granted_twice(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    campaign_id: UUID = await published(ctx, office, list_file(await now_of(ctx)))
    rows = await owner.fetch(
        "SELECT id, operator_id, face_fen FROM allotment WHERE tier = 1 ORDER BY id LIMIT 2"
    )
    grants = [Grant(uuid4(), row["id"], row["operator_id"], row["face_fen"]) for row in rows]
    wrong = (
        [grants[0], grants[1], grants[0]],
        [grants[0]._replace(face_fen=grants[0].face_fen + 1)],
        [grants[0]._replace(operator_id=uuid4())],
    )
    for attempt in wrong:
        async with ctx.pool.acquire() as connection:
            at = await campaign_now(connection)
            with pytest.raises(Broken, match="invariant"):
                async with connection.transaction():
                    await grant(connection, ctx.terms, at, campaign_id, attempt)
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 0
    async with ctx.pool.acquire() as connection, connection.transaction():
        granted = await grant(connection, ctx.terms, await campaign_now(connection), campaign_id, grants)
    assert len(granted.voucher_ids) == 2
    async with ctx.pool.acquire() as connection:
        with pytest.raises(Broken, match="invariant"):
            async with connection.transaction():
                await grant(connection, ctx.terms, at, campaign_id, grants[:1])
    assert await owner.fetchval("SELECT count(*) FROM voucher") == 2
    assert await owner.fetchval("SELECT count(*) FROM transfer WHERE kind = 'grant'") == 2
