"""Faults as a superuser or a bug of ours would make them, each with the checks that must name it.

Those of ``new`` concern rows written since the mark, or what they touched: the newest payments and vouchers. An
incremental audit must find these; the others are for the audit of everything.
"""

from typing import Final, NamedTuple

import asyncpg

UNLOCK: Final = """
ALTER TABLE transfer DISABLE TRIGGER USER;
ALTER TABLE voucher DISABLE TRIGGER USER;
ALTER TABLE voucher DROP CONSTRAINT IF EXISTS voucher_balanced;
"""
_PAYMENT: Final = (
    "(SELECT id FROM payment WHERE state = 'captured' AND refunded_fen = 0 ORDER BY id DESC LIMIT 1)"
)
_HELD: Final = "(SELECT id FROM payment WHERE state = 'held' ORDER BY id DESC LIMIT 1)"
_REFUND: Final = "(SELECT id FROM refund WHERE back_fen > 0 ORDER BY id DESC LIMIT 1)"
_SPENT: Final = f"(SELECT voucher_id FROM payment_line WHERE payment_id = {_PAYMENT} ORDER BY line LIMIT 1)"
_VOUCHER: Final = "(SELECT id FROM voucher ORDER BY tx DESC, id DESC LIMIT 1)"
_OLD: Final = "(SELECT min(seq) FROM transfer WHERE kind = 'redeem')"


class Fault(NamedTuple):
    """One change of the data, and the checks that name it.

    Of an ``exact`` one both kinds of audit name the same rows. Where a row has gone, the other one shows it by the sums
    and leaves the name to the audit of everything.
    """

    change: str
    named: frozenset[str]
    new: bool = True
    exact: bool = True


def _fault(change: str, *named: str, new: bool = True, exact: bool = True) -> Fault:
    return Fault(" ".join(change.split()), frozenset(named), new, exact)


FAULTS: Final[tuple[Fault, ...]] = (
    _fault(f"DELETE FROM transfer WHERE kind = 'redeem' AND cause_id = {_PAYMENT}", "payment_in_books", "accounts_against_rows", exact=False),
    _fault(f"UPDATE transfer SET amount_fen = amount_fen + 1 WHERE cause_id = {_PAYMENT}", "payment_in_books", "accounts_against_rows"),
    _fault(f"UPDATE transfer SET amount_fen = amount_fen + 1 WHERE cause_id = {_REFUND}", "payment_in_books", "accounts_against_rows"),
    _fault(f"UPDATE transfer SET cause_id = gen_random_uuid() WHERE cause_id = {_REFUND}", "payment_in_books"),
    _fault(f"UPDATE transfer SET credit_id = gen_random_uuid() WHERE kind = 'redeem' AND cause_id = {_PAYMENT}", "payable_of_its_merchant"),
    _fault(f"UPDATE transfer SET credit_kind = 'returned' WHERE kind = 'redeem' AND cause_id = {_PAYMENT}", "legal_transfers"),
    _fault(f"UPDATE transfer SET debit_id = gen_random_uuid() WHERE kind = 'redeem' AND cause_id = {_PAYMENT}", "no_negative_account"),
    _fault("""INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id,
        amount_fen, at) SELECT gen_random_uuid(), 'bank_return', 1, campaign_id, operator_id, 'paid', credit_id, 'payable',
        credit_id, 5, at FROM transfer WHERE kind = 'redeem' LIMIT 1""", "no_negative_account"),
    _fault("""INSERT INTO transfer (cause_id, kind, line, campaign_id, operator_id, debit_kind, debit_id, credit_kind, credit_id,
        amount_fen, at) SELECT gen_random_uuid(), 'fund', 1, campaign_id, operator_id, debit_kind, debit_id, credit_kind,
        credit_id, 5, at FROM transfer WHERE kind = 'fund' LIMIT 1""", "funding_in_books", "accounts_against_rows", "campaign_adds_up"),
    _fault(f"UPDATE payment SET captured_fen = captured_fen - 1 WHERE id = {_PAYMENT}", "payment_against_lines"),
    _fault(f"UPDATE payment SET person_id = gen_random_uuid() WHERE id = {_PAYMENT}", "line_of_one_person"),
    _fault(f"UPDATE payment SET authorized_at = authorized_at - interval '1 year' WHERE id = {_PAYMENT}", "decided_in_time"),
    _fault(f"UPDATE payment SET captured_at = hold_until + interval '1 second' WHERE id = {_PAYMENT}", "decided_in_time"),
    _fault(f"UPDATE payment SET state = 'voided', captured_at = NULL WHERE id = {_PAYMENT}", "payment_against_lines", "voucher_against_lines"),
    _fault(f"DELETE FROM payment WHERE id = {_PAYMENT}", "line_of_one_person", "voucher_against_lines"),
    _fault(f"UPDATE payment_line SET captured_fen = captured_fen - 1 WHERE payment_id = {_PAYMENT}", "voucher_against_lines", "payment_against_lines", "payment_in_books"),
    _fault(f"UPDATE payment_line SET held_fen = held_fen - 1 WHERE payment_id = {_HELD}", "voucher_against_lines", "payment_in_books", "accounts_against_rows"),
    _fault(f"DELETE FROM refund WHERE id = {_REFUND}", "payment_against_lines"),
    _fault(f"UPDATE voucher SET uses = uses + 1 WHERE id = {_SPENT}", "voucher_against_lines", "counters_add_up"),
    _fault(f"UPDATE voucher SET balance_fen = balance_fen + 1 WHERE id = {_SPENT}", "voucher_parts", "accounts_against_rows"),
    _fault(f"UPDATE voucher SET balance_fen = balance_fen + 1, face_fen = face_fen + 1 WHERE id = {_VOUCHER}", "voucher_as_allotted", "grant_in_books", "accounts_against_rows"),
    _fault(f"UPDATE voucher SET operator_id = gen_random_uuid() WHERE id = {_VOUCHER}", "voucher_as_allotted", "grant_in_books", "accounts_against_rows"),
    _fault(f"DELETE FROM transfer WHERE cause_id = {_VOUCHER}", "grant_in_books", "accounts_against_rows"),
    _fault(f"UPDATE allotment SET state = 'free' WHERE id = (SELECT allotment_id FROM voucher WHERE id = {_VOUCHER})", "allotment_state", "allotments_add_up", "accounts_against_rows"),
    _fault(f"UPDATE allotment SET face_fen = face_fen + 1 WHERE id = (SELECT allotment_id FROM voucher WHERE id = {_VOUCHER})", "voucher_as_allotted", "accounts_against_rows"),
    _fault(f"DELETE FROM turn WHERE person_id = (SELECT person_id FROM voucher WHERE id = {_VOUCHER})", "turns_per_person"),
    _fault("UPDATE award SET state = 'lapsed', ended_at = awarded_at WHERE id = (SELECT id FROM award WHERE state = 'live' ORDER BY id DESC LIMIT 1)", "allotment_state", "allotments_add_up", exact=False),
    _fault("DELETE FROM funding WHERE id = (SELECT max(id::text)::uuid FROM funding)", "funding_in_books", "accounts_against_rows", "campaign_adds_up", exact=False),
    _fault("UPDATE funding SET amount_fen = 1", "granted_within_funds", "funding_in_books", "campaign_adds_up"),
    _fault("UPDATE usage_counter SET uses = uses + 1 WHERE ctid = (SELECT min(ctid) FROM usage_counter)", "counters_add_up", "counter_of_its_payments"),
    _fault("""UPDATE usage_counter SET uses = uses + CASE WHEN ctid = (SELECT min(ctid) FROM usage_counter WHERE uses > 1 AND cap = 0)
        THEN 1 ELSE -1 END WHERE ctid IN (SELECT ctid FROM usage_counter WHERE uses > 1 AND cap = 0 AND campaign_id =
        (SELECT campaign_id FROM usage_counter WHERE uses > 1 AND cap = 0 ORDER BY ctid LIMIT 1) ORDER BY ctid LIMIT 2)""",
        "counter_of_its_payments", new=False),
    _fault("""INSERT INTO voucher (id, campaign_id, person_id, allotment_id, operator_id, terms_version_id, face_fen, balance_fen,
        granted_at, expires_at) SELECT gen_random_uuid(), v.campaign_id, v.person_id, v.allotment_id, v.operator_id,
        v.terms_version_id, v.face_fen, v.face_fen, v.granted_at, v.expires_at FROM voucher v JOIN allotment a
        ON a.id = v.allotment_id WHERE (a.window_id, a.tier) = (SELECT window_id, tier FROM allotment ORDER BY id LIMIT 1)""",
        "holders_within_allotments", "turns_per_person", "grant_in_books", "allotments_add_up"),
    _fault(f"UPDATE transfer SET amount_fen = amount_fen + 1 WHERE seq = {_OLD}", "payment_in_books", "accounts_against_rows", new=False),
    _fault(f"UPDATE transfer SET credit_id = gen_random_uuid() WHERE seq = {_OLD}", "payable_of_its_merchant", new=False),
    _fault("UPDATE payment SET captured_at = hold_until + interval '1 second' WHERE id = (SELECT id FROM payment WHERE state = 'captured' ORDER BY id LIMIT 1)", "decided_in_time", new=False),
)  # fmt: skip


async def plant(owner: asyncpg.Connection, fault: Fault) -> None:
    """Make the fault; the connection's role owns the tables."""
    await owner.execute(UNLOCK)
    if fault.change.startswith("INSERT INTO voucher"):
        await owner.execute("DROP INDEX voucher_allotment")
    status = await owner.execute(fault.change)
    assert not status.endswith(" 0"), f"nothing to break: {fault.change}"
