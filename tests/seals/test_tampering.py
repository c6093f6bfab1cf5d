"""Whoever edits, deletes or puts in a sealed row is found out, and the row is named; superusers too."""

import asyncpg
import pytest

from campaigns.domain.errors import Broken, TryAgain
from campaigns.domain.seals import KINDS
from campaigns.services.seals import keep_sealing, seal_rows
from campaigns.store.seal_rows import key_text, rows_in_block
from campaigns.store.seals import MAX_ROWS_PER_BLOCK
from tests.seals.conftest import Sealed

# A superuser's statement, the kind of row, a query for the key that must be named, and what is said of it.
TAMPERED = [
    ("UPDATE transfer SET amount_fen = amount_fen + 1 WHERE kind = 'redeem'", "transfer",
     "SELECT cause_id || '/redeem/1' FROM transfer WHERE kind = 'redeem'", "edited"),
    ("DELETE FROM transfer WHERE kind = 'refund'", "transfer",
     "SELECT cause_id || '/refund/1' FROM transfer WHERE kind = 'refund'", "deleted"),
    ("UPDATE transfer SET at = at - interval '1 microsecond' WHERE kind = 'fund'", "transfer",
     "SELECT cause_id || '/fund/1' FROM transfer WHERE kind = 'fund'", "edited"),
    ("UPDATE transfer SET tx = '9999999' WHERE kind = 'grant'", "transfer",
     "SELECT cause_id || '/grant/1' FROM transfer WHERE kind = 'grant'", "edited"),
    ("UPDATE voucher SET person_id = gen_random_uuid()", "voucher", "SELECT id::text FROM voucher", "edited"),
    ("UPDATE voucher SET expires_at = expires_at + interval '1 day'", "voucher", "SELECT id::text FROM voucher", "edited"),
    ("DELETE FROM voucher", "voucher", "SELECT id::text FROM voucher", "deleted"),
    ("UPDATE audit SET facts = facts || '{\"note\": \"\"}' WHERE action = 'campaign.approve'", "audit",
     "SELECT id::text FROM audit WHERE action = 'campaign.approve'", "edited"),
    ("UPDATE audit SET campaign_id = programme_id WHERE campaign_id IS NULL", "audit",
     "SELECT id::text FROM audit WHERE campaign_id IS NULL", "edited"),
    ("DELETE FROM audit WHERE action = 'merchant.put'", "audit",
     "SELECT id::text FROM audit WHERE action = 'merchant.put'", "deleted"),
    ("UPDATE payment SET basket_fen = 5001 WHERE basket_fen = 5000", "payment",
     "SELECT id::text FROM payment WHERE basket_fen = 5000", "edited"),
    ("UPDATE payment_line SET eligible_fen = eligible_fen + 1 WHERE eligible_fen = 5000", "payment",
     "SELECT id::text FROM payment WHERE basket_fen = 5000", "edited"),
    ("DELETE FROM payment WHERE basket_fen = 16000", "payment",
     "SELECT id::text FROM payment WHERE basket_fen = 16000", "deleted"),
    ("UPDATE refund SET returned_goods_fen = returned_goods_fen + 1", "refund", "SELECT id::text FROM refund", "edited"),
    ("DELETE FROM refund", "refund", "SELECT id::text FROM refund", "deleted"),
    ("INSERT INTO audit (at, programme_id, actor_kind, actor_id, action, facts, tx) SELECT at, programme_id, 'staff',"
     " actor_id, 'campaign.approve', facts, tx FROM audit LIMIT 1", "audit", "SELECT (max(id) + 1)::text FROM audit", "put in"),
    ("INSERT INTO transfer SELECT * FROM (SELECT nextval('transfer_seq_seq'), gen_random_uuid(), kind, line, campaign_id,"
     " operator_id, debit_kind, debit_id, credit_kind, credit_id, amount_fen, at, tx FROM transfer WHERE kind = 'refund')",
     "transfer", None, "put in"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "kind", "named", "what"), TAMPERED, ids=[t[0][:60] for t in TAMPERED])
async def test_a_row_that_is_not_as_it_was_is_named(
    sealed: Sealed, superuser: asyncpg.Connection, statement: str, kind: str, named: str | None, what: str
) -> None:
    assert (await sealed.verify()).findings == []
    key = await superuser.fetchval(f"{named} ORDER BY 1 LIMIT 1") if named else None
    if "INSERT INTO transfer" in statement:
        statement = statement.replace("INSERT INTO transfer", "INSERT INTO transfer OVERRIDING SYSTEM VALUE")
    await superuser.execute(statement)
    findings = (await sealed.verify()).findings
    assert {(one.subject, one.what, one.block) for one in findings} == {(kind, what, 1)}
    assert key is None or key in [one.id for one in findings]


async def test_rows_of_a_campaign_say_so_and_a_deleted_one_cannot(
    sealed: Sealed, superuser: asyncpg.Connection
) -> None:
    await superuser.execute(
        "UPDATE refund SET back_fen = back_fen + 1; DELETE FROM transfer WHERE kind = 'fund'"
    )
    found = {one.subject: one.campaign_id for one in (await sealed.verify()).findings}
    assert found == {"refund": sealed.campaign_id, "transfer": None}


BLOCKS = [
    ("UPDATE seal_block SET header = replace(header, 'voucher 1', 'voucher 2') WHERE number = 2", "seal block", "2", "edited"),
    ("UPDATE seal_block SET header = header || ' ' WHERE number = 2", "seal block", "2", "edited"),
    ("UPDATE seal_block SET from_tx = '1' WHERE number = 2", "seal block", "2", "edited"),
    ("DELETE FROM seal_block WHERE number = 2", "seal block", "2", "deleted"),
    ("UPDATE seal_list SET leaves = substr(leaves, 1, length(leaves) - 1) WHERE number = 2 AND kind = 'voucher'", "seal list", "2/voucher", "edited"),
    ("UPDATE seal_list SET leaves = set_byte(leaves, 0, get_byte(leaves, 0) # 1) WHERE number = 2 AND kind = 'transfer'", "seal list", "2/transfer", "edited"),
    ("DELETE FROM seal_list WHERE number = 2 AND kind = 'payment'", "seal list", "2/payment", "edited"),
    # forged so that the block itself is whole: the next one does not know it
    ("UPDATE seal_block SET header = replace(header, '2026', '2027'), head = sha256(convert_to(replace(header, '2026', '2027'), 'UTF8')) WHERE number = 2",
     "seal block", "3", "the chain is broken"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "subject", "named", "what"), BLOCKS, ids=[b[0][:70] for b in BLOCKS])
async def test_an_edited_block_is_named(
    sealed: Sealed, superuser: asyncpg.Connection, statement: str, subject: str, named: str, what: str
) -> None:
    for _ in range(3):
        await sealed.pay()
        assert await seal_rows(sealed.ctx) == 1
    statement = statement.replace("'2026'", "'sealed_at 20'").replace("'2027'", "'sealed_at 19'")
    assert (await superuser.execute(statement)).endswith(" 1")
    findings = (await sealed.verify()).findings
    assert (subject, named) in [(one.subject, one.id) for one in findings if one.what.startswith(what)]


async def test_a_whole_forged_chain_is_found_by_a_head_that_was_noted(
    sealed: Sealed, superuser: asyncpg.Connection
) -> None:
    noted = await sealed.verify()
    await superuser.execute("UPDATE transfer SET amount_fen = amount_fen + 1 WHERE kind = 'redeem'")
    await superuser.execute("DELETE FROM seal_list; DELETE FROM seal_block")
    assert await seal_rows(sealed.ctx) == 1
    assert (await sealed.verify()).findings == []
    found = (await sealed.verify(noted.number, noted.head)).findings
    assert [one.subject for one in found] == ["seal block"] and noted.head.hex() in found[0].what


async def test_blocks_taken_from_the_end_are_found_by_a_later_number(
    sealed: Sealed, superuser: asyncpg.Connection
) -> None:
    await sealed.pay()
    await seal_rows(sealed.ctx)
    noted = await sealed.verify()
    await superuser.execute("DELETE FROM seal_list WHERE number = 2; DELETE FROM seal_block WHERE number = 2")
    assert [one.id for one in (await sealed.verify(noted.number, noted.head)).findings] == ["2"]


async def test_only_what_is_newer_is_looked_at_again(sealed: Sealed, superuser: asyncpg.Connection) -> None:
    first = await sealed.verify()
    await superuser.execute("UPDATE transfer SET amount_fen = amount_fen + 1 WHERE kind = 'redeem'")
    await sealed.pay()
    await seal_rows(sealed.ctx)
    second = await sealed.verify(first.number, first.head)
    assert (second.findings, second.number) == ([], 2)
    assert 0 < second.rows < first.rows
    assert len((await sealed.verify()).findings) == 1


async def test_keys_of_every_kind_are_read_back(sealed: Sealed, owner: asyncpg.Connection) -> None:
    names = {
        "transfer": "SELECT cause_id || '/' || kind || '/' || line FROM transfer",
        "voucher": "SELECT id::text FROM voucher",
        "audit": "SELECT id::text FROM audit",
        "payment": "SELECT id::text FROM payment",
        "refund": "SELECT id::text FROM refund",
    }
    for kind in KINDS:
        keys = [row["key"] for row in await owner.fetch(rows_in_block(kind), 1)]
        assert sorted(key_text(kind, key) for key in keys) == sorted(
            r[0] for r in await owner.fetch(names[kind])
        )
    assert MAX_ROWS_PER_BLOCK > 1


async def test_a_missing_block_stops_sealing_and_not_the_service(
    sealed: Sealed, superuser: asyncpg.Connection
) -> None:
    for _ in range(2):
        await sealed.pay()
        assert await seal_rows(sealed.ctx) == 1
    await superuser.execute("DELETE FROM seal_block WHERE number = 2")
    await sealed.pay()
    assert await seal_rows(sealed.ctx) == 1  # block 4 names block 3 alone
    await superuser.execute("DELETE FROM seal_block WHERE number = 4")
    await superuser.execute("UPDATE seal_block SET number = 5 WHERE number = 3")
    with pytest.raises(Broken, match="seal_violated"):  # block 6 has to name block 4
        await seal_rows(sealed.ctx)
    with pytest.raises(TryAgain):
        await keep_sealing(sealed.ctx)
    await sealed.pay()
    assert {one.id for one in (await sealed.verify()).findings if one.what == "deleted"} == {"2", "3", "4"}
