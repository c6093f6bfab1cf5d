"""The audit finds what is wrong and names it: each tampering below is a query of the audit seen red."""

import asyncpg
import pytest

from campaigns.services.auditing import audit
from campaigns.services.context import Context
from campaigns.services.paying import redeem
from tests.support.payworld import PayWorld, asked


@pytest.fixture
async def books(ctx: Context) -> Context:
    """A campaign in which one voucher of 5,000 fen was redeemed for 3,000 fen."""
    world = await PayWorld(ctx).start()
    campaign, person, shop = await world.campaign(), await world.person(), await world.merchant()
    await world.voucher(campaign, person, 5_000)
    till, spend = world.till(shop), await world.spend(person, 3_000)
    await redeem(ctx, till, asked(till, spend), spend)
    return ctx


async def test_sound_books_have_no_finding(books: Context) -> None:
    result = await audit(books)
    assert (result.violations, result.findings) == (0, ())
    assert result.invariants_checked == (1, 3, 4, 5, 6, 8, 9, 14, 15)


async def test_progress_names_every_check(books: Context) -> None:
    heard: list[str] = []
    result = await audit(books, heard.append)
    assert len(heard) == result.checks


# Tampering as a superuser would do it: triggers off. (what is done, the checks that must name it)
TAMPERED = [
    ("DELETE FROM transfer WHERE kind = 'redeem'", {"payment_in_books", "accounts_against_rows"}),
    ("DELETE FROM transfer WHERE kind = 'fund'", {"funding_in_books", "accounts_against_rows", "no_negative_account", "campaign_adds_up"}),
    ("DELETE FROM transfer WHERE kind = 'grant'", {"grant_in_books", "accounts_against_rows", "no_negative_account"}),
    ("UPDATE transfer SET amount_fen = 2999 WHERE kind = 'redeem'", {"payment_in_books", "accounts_against_rows"}),
    ("UPDATE transfer SET credit_id = gen_random_uuid() WHERE kind = 'redeem'", {"payable_of_its_merchant"}),
    ("UPDATE transfer SET credit_kind = 'paid' WHERE kind = 'redeem'", {"legal_transfers"}),
    ("UPDATE payment SET captured_fen = 2999", {"payment_against_lines"}),
    ("UPDATE payment SET person_id = gen_random_uuid()", {"line_of_one_person"}),
    ("UPDATE payment SET authorized_at = authorized_at - interval '1 year', captured_at = captured_at", {"decided_in_time"}),
    ("UPDATE payment SET captured_at = hold_until + interval '1 second'", {"decided_in_time"}),
    ("UPDATE payment_line SET captured_fen = 2999", {"voucher_against_lines", "payment_against_lines", "payment_in_books"}),
    ("UPDATE voucher SET uses = 0", {"voucher_against_lines"}),
    ("UPDATE voucher SET balance_fen = balance_fen + 1, face_fen = face_fen + 1", {"voucher_as_allotted", "grant_in_books", "accounts_against_rows"}),
    ("UPDATE voucher SET operator_id = gen_random_uuid()", {"voucher_as_allotted", "grant_in_books", "accounts_against_rows", "line_of_one_person"}),
    ("UPDATE allotment SET state = 'free'", {"allotment_state", "accounts_against_rows"}),
    ("UPDATE allotment SET face_fen = 5001", {"voucher_as_allotted", "accounts_against_rows"}),
    ("DELETE FROM allotment", {"voucher_as_allotted", "accounts_against_rows"}),
    ("DELETE FROM turn", {"turns_per_person"}),
    ("DELETE FROM funding", {"funding_in_books", "granted_within_funds", "accounts_against_rows", "campaign_adds_up"}),
]  # fmt: skip


@pytest.mark.parametrize(("tampering", "named"), TAMPERED, ids=[change for change, _ in TAMPERED])
async def test_tampering_is_named(
    books: Context, owner: asyncpg.Connection, tampering: str, named: set[str]
) -> None:
    await owner.execute("ALTER TABLE transfer DISABLE TRIGGER USER; ALTER TABLE voucher DISABLE TRIGGER USER")
    await owner.execute(tampering)
    result = await audit(books)
    assert named <= {finding.check for finding in result.findings}
    assert result.violations == len(result.findings)


async def test_a_broken_voucher_sum_is_named_even_without_its_check(
    books: Context, owner: asyncpg.Connection
) -> None:
    await owner.execute("ALTER TABLE voucher DROP CONSTRAINT voucher_balanced")
    await owner.execute("UPDATE voucher SET balance_fen = balance_fen + 1")
    checks = {finding.check for finding in (await audit(books)).findings}
    assert {"voucher_parts", "accounts_against_rows"} <= checks


async def test_a_voucher_too_many_is_named_even_without_its_index(
    books: Context, owner: asyncpg.Connection
) -> None:
    await owner.execute("DROP INDEX voucher_allotment")
    await owner.execute(
        "INSERT INTO voucher SELECT gen_random_uuid(), campaign_id, gen_random_uuid(), allotment_id, operator_id,"
        " terms_version_id, face_fen, face_fen, 0, 0, 0, 0, 0, 'live', granted_at, expires_at FROM voucher"
    )
    checks = {finding.check for finding in (await audit(books)).findings}
    assert {"holders_within_allotments", "turns_per_person", "grant_in_books"} <= checks
