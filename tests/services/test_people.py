"""Persons: found or made by proofs, one and many; what belongs to them; wrong input leaves no row."""

import time
from uuid import uuid4

import asyncpg
import pytest

from campaigns.domain.errors import Denied, Invalid, Refused
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES
from campaigns.services.belongings import (
    BindToken,
    BindWallet,
    add_proof,
    belongings,
    bind_token,
    bind_wallet,
    revoke_token,
    whose_token,
)
from campaigns.services.context import Context
from campaigns.services.fields import Names
from campaigns.services.people import Identify, IdentifyMany, Proof, identify, identify_many
from campaigns.services.programmes import NamedCommand, add_operator
from campaigns.store.unit_of_work import request
from tests.support.office import Office, open_office

ID_NUMBER = "360426199101010071"


@pytest.fixture
async def office(ctx: Context) -> Office:
    return await open_office(ctx)


@pytest.fixture
def channel(office: Office) -> Principal:
    return Principal("channel", uuid4(), office.programme_id, KIND_SCOPES["channel"])


def phone(number: int | str) -> Proof:
    return Proof(kind="phone", value=str(number))


def one(*proofs: Proof) -> Identify:
    return Identify(proofs=proofs)


async def count(owner: asyncpg.Connection) -> tuple[int, int]:
    row = await owner.fetchrow("SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM person_proof)")
    return tuple(row)


async def test_the_same_phone_however_written_is_one_person(
    ctx: Context, channel: Principal, owner: asyncpg.Connection
) -> None:
    made = await identify(ctx, channel, None, one(phone("13812345678")))
    assert made.created
    for written in ("+86 138-1234-5678", "008613812345678", "１３８１２３４５６７８"):
        again = await identify(ctx, channel, None, one(phone(written)))
        assert (again.person_id, again.created) == (made.person_id, False)
    assert await count(owner) == (1, 1)
    assert await owner.fetchval("SELECT length(hmac) FROM person_proof") == 32


async def test_a_repeated_request_is_answered_as_before(ctx: Context, channel: Principal) -> None:
    command = one(phone("13812345678"))
    asked = request(channel.id, "k1", "identify", command)
    assert await identify(ctx, channel, asked, command) == await identify(ctx, channel, asked, command)


async def test_a_second_proof_is_bound_and_then_finds_the_person(ctx: Context, channel: Principal) -> None:
    made = await identify(ctx, channel, None, one(phone("13812345678")))
    paper = Proof(kind="id_number", value=ID_NUMBER)
    await identify(ctx, channel, None, one(phone("13812345678"), paper))
    found = await identify(ctx, channel, None, one(paper))
    assert found.person_id == made.person_id


async def test_proofs_of_two_people_disagree(
    ctx: Context, channel: Principal, owner: asyncpg.Connection
) -> None:
    await identify(ctx, channel, None, one(phone("13812345678")))
    paper = Proof(kind="id_number", value=ID_NUMBER)
    await identify(ctx, channel, None, one(phone("13912345678"), paper))
    for proofs in ((phone("13812345678"), paper), (phone("13712345678"), paper)):
        with pytest.raises(Refused, match="proofs_disagree"):
            await identify(ctx, channel, None, one(*proofs))
    assert await count(owner) == (2, 3)


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (phone("12345"), "proof_invalid"),
        (phone("1381234567x"), "proof_invalid"),
        (Proof(kind="id_number", value="360426199101010072"), "proof_invalid"),
        (Proof(kind="social_card", value="卡号123456"), "proof_invalid"),
        (Proof(kind="id_number", value=ID_NUMBER), "identifying_proof_missing"),
    ],
)
async def test_bad_proofs_leave_nothing(
    ctx: Context, channel: Principal, owner: asyncpg.Connection, proof: Proof, code: str
) -> None:
    with pytest.raises(Invalid, match=code):
        await identify(ctx, channel, None, one(proof))
    assert await count(owner) == (0, 0)


async def test_staff_without_the_scope_identify_nobody(ctx: Context, office: Office) -> None:
    with pytest.raises(Denied, match="scope_missing"):
        await identify(ctx, office.officer, None, one(phone("13812345678")))


async def test_thirty_thousand_in_seconds(
    ctx: Context, channel: Principal, owner: asyncpg.Connection
) -> None:
    known = await identify(ctx, channel, None, one(phone(13800000005)))
    people = tuple(one(phone(13800000000 + i)) for i in range(30_000))
    began = time.perf_counter()
    answer = await identify_many(ctx, channel, None, IdentifyMany(people=(*people, people[7])))
    assert time.perf_counter() - began < 20
    assert answer.created == 29_999
    assert answer.person_ids[5] == known.person_id
    assert answer.person_ids[-1] == answer.person_ids[7]
    assert await count(owner) == (30_000, 30_000)


async def test_one_bad_line_of_many_refuses_all_and_names_each(
    ctx: Context, channel: Principal, owner: asyncpg.Connection
) -> None:
    people = (one(phone(13800000000)), one(phone("x")), one(phone(13800000001)), one(phone("y")))
    with pytest.raises(Invalid, match="import_invalid") as caught:
        await identify_many(ctx, channel, None, IdentifyMany(people=people))
    assert (caught.value.facts["count"], caught.value.facts["line"]) == (2, 2)
    assert await count(owner) == (0, 0)


async def test_a_proof_of_somebody_else_is_not_added(ctx: Context, channel: Principal) -> None:
    mine = await identify(ctx, channel, None, one(phone(13800000000)))
    await identify(ctx, channel, None, one(phone(13800000001), Proof(kind="id_number", value=ID_NUMBER)))
    with pytest.raises(Refused, match="proof_taken"):
        await add_proof(ctx, channel, None, mine.person_id, Proof(kind="id_number", value=ID_NUMBER))
    with pytest.raises(Refused, match="proofs_disagree"):
        await add_proof(ctx, channel, None, mine.person_id, phone(13800000002))
    added = await add_proof(ctx, channel, None, mine.person_id, Proof(kind="social_card", value="SD1234567"))
    assert added.proof_kinds == ("phone", "social_card")


async def test_a_token_belongs_to_one_person_until_revoked(ctx: Context, channel: Principal) -> None:
    first = (await identify(ctx, channel, None, one(phone(13800000000)))).person_id
    second = (await identify(ctx, channel, None, one(phone(13800000001)))).person_id
    chat = BindToken(kind="chat", value="4711")
    bound = await bind_token(ctx, channel, None, first, chat)
    assert (await whose_token(ctx, channel, chat)).person_id == first
    with pytest.raises(Refused, match="token_taken"):
        await bind_token(ctx, channel, None, second, chat)
    with pytest.raises(Refused, match="not_found"):
        await revoke_token(ctx, channel, None, second, bound.tokens[0].id)
    await revoke_token(ctx, channel, None, first, bound.tokens[0].id)
    with pytest.raises(Refused, match="not_found"):
        await whose_token(ctx, channel, chat)
    await bind_token(ctx, channel, None, second, chat)
    assert (await whose_token(ctx, channel, chat)).person_id == second


async def test_a_wallet_is_bound_once_with_its_operators_word(
    ctx: Context, office: Office, channel: Principal
) -> None:
    person_id = (await identify(ctx, channel, None, one(phone(13800000000)))).person_id
    bank = await add_operator(
        ctx, office.admin, None, NamedCommand(code="bank-a", name=Names(zh="机构甲", en="Operator A"))
    )
    operator = Principal("operator", bank.id, office.programme_id, KIND_SCOPES["operator"])
    wallet = BindWallet(confirmation="A-1", newly_opened=True)
    bound = await bind_wallet(ctx, operator, None, person_id, wallet)
    assert [(w.operator, w.newly_opened) for w in bound.wallets] == [("bank-a", True)]
    with pytest.raises(Refused, match="wallet_bound"):
        await bind_wallet(ctx, channel, None, person_id, BindWallet(confirmation="A-2", operator="bank-a"))
    with pytest.raises(Invalid, match="operator_unknown"):
        await bind_wallet(ctx, channel, None, person_id, BindWallet(confirmation="A-2", operator="bank-z"))


async def test_another_programmes_person_is_not_found(ctx: Context, channel: Principal) -> None:
    person_id = (await identify(ctx, channel, None, one(phone(13800000000)))).person_id
    other = await open_office(ctx, "other")
    stranger = Principal("channel", uuid4(), other.programme_id, KIND_SCOPES["channel"])
    with pytest.raises(Refused, match="not_found"):
        await belongings(ctx, stranger, person_id)
    assert (await identify(ctx, stranger, None, one(phone(13800000000)))).created
