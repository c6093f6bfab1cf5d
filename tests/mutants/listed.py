"""The changes: where, what stands there, what is put instead, and the tests that must notice."""

from typing import Final, NamedTuple


class Mutant(NamedTuple):
    """A one-line change of a file, and the tests (paths as for pytest) of which one must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


DECIDE = ("tests/domain",)
BATCH = ("tests/store/test_group_commit.py",)
PAY = ("tests/services/test_pay_redeem.py", "tests/services/test_pay_hold.py")
REFUND = ("tests/domain/test_refunds.py", "tests/services/test_refund.py")
SWEEP = ("tests/services/test_sweep.py",)
CLOSE = ("tests/services/test_closing.py", "tests/domain/test_return_to_funders.py")
RACES = "tests/races/test_{}.py"

MUTANTS: Final[tuple[Mutant, ...]] = (
    # Rules
    Mutant("the spending window includes its end", "campaigns/domain/terms/when.py", "if case.now >= rules.end:", "if case.now > rules.end:", DECIDE),
    Mutant("a voucher may be spent at its expiry", "campaigns/domain/terms/when.py", "if case.now >= case.voucher.expires_at:", "if case.now > case.voucher.expires_at:", DECIDE),
    Mutant("a cap lets one use too many through", "campaigns/domain/terms/decide.py", "used.uses >= cap.uses", "used.uses > cap.uses", DECIDE),
    Mutant("a cap on fen forgets what was used", "campaigns/domain/terms/decide.py", "cap.amount_fen - used.amount_fen)", "cap.amount_fen)", DECIDE),
    Mutant("a step is given below its threshold", "campaigns/domain/terms/amount.py", "if step.spend_fen <= eligible_fen and", "if", DECIDE),
    Mutant("stacked lines are cut from the first", "campaigns/domain/terms/stacking.py", "for offer in list(best.values())[:MAX_LINES]:", "for offer in list(best.values())[:MAX_LINES][::-1]:", DECIDE),
    Mutant("a week starts on Sunday", "campaigns/domain/terms/buckets.py", "timedelta(days=day.weekday())", "timedelta(days=day.isoweekday() % 7)", DECIDE),
    Mutant("a refund gives more than the goods returned", "campaigns/domain/refunds.py", "back_fen = min(captured_fen - amount_left(lines, basket_fen, gone_fen), returned_fen)", "back_fen = captured_fen - amount_left(lines, basket_fen, gone_fen)", REFUND),
    Mutant("a refund forgets the refunds before it", "campaigns/domain/refunds.py", "moved_fen = max(0, back_fen - sum(line.refunded_fen for line in lines))", "moved_fen = max(0, back_fen)", REFUND),
    # Locks and uniques
    Mutant("vouchers are read without a lock", "campaigns/store/vouchers.py", 'ORDER BY id FOR UPDATE"', 'ORDER BY id"', (RACES.format("same_voucher"),)),
    Mutant("usage counters are read without a lock", "campaigns/store/usage.py", "person_id, merchant_id FOR UPDATE OF usage_counter", "person_id, merchant_id", (RACES.format("caps"),)),
    Mutant("an announcement is read without its lock", "campaigns/store/payment_lists.py", '(" FOR UPDATE" if lock else "")', '""', (RACES.format("codes"),)),
    Mutant("whoever changes a campaign shares its lock", "campaigns/store/locks.py", '"SELECT pg_advisory_xact_lock($1, $2)"', '"SELECT pg_advisory_xact_lock_shared($1, $2)"', (RACES.format("budget"),)),
    Mutant("the look-up of a used payment code is left out", "campaigns/services/payment_plans.py", 'raise Refused("code_already_used")', "pass", PAY),
    Mutant("an award is accepted without its lock", "campaigns/store/acceptances.py", 'FOR UPDATE OF a, l"', '"', (RACES.format("acceptance"),)),
    Mutant("the stored answer is not looked up", "campaigns/store/group_batch.py", "ends = await _stored(connection, jobs)\n            fresh", "ends = {}\n            fresh", BATCH),
    Mutant("a batch takes over what was decided apart without its counters", "campaigns/domain/payments.py", "self.usage.update(part.usage)", "pass", ("tests/services/test_pay_batch.py",)),
    Mutant("a key that was taken meanwhile is not noticed", "campaigns/store/group_batch.py", "raise Overtaken\n        self.ends", "pass\n        self.ends", BATCH),
    # Group commit
    Mutant("an answer is told before COMMIT", "campaigns/store/group_batch.py", "raise Overtaken\n        self.ends", "raise Overtaken\n            for job in jobs:\n                if ends[job] is not HELD_UP:\n                    job.end.set_result(ends[job])\n                    job.end = job.end.get_loop().create_future()\n        self.ends", (RACES.format("answers"),)),
    Mutant("a double is told its first one's answer whatever its body", "campaigns/store/group_commit.py", "if asked.fingerprint == first.asked.fingerprint:", "if True:", (RACES.format("keys"),)),
    Mutant("a double is sent away instead of waiting", "campaigns/store/group_commit.py", "end = await asyncio.shield(first.end)", 'raise TryAgain("busy")', (RACES.format("keys"),)),
    Mutant("a poisoned request takes its batch along", "campaigns/store/group_batch.py", "if len(self._jobs) == 1:\n                    self.ends[self._jobs[0]] = Failed(error)", "if self._jobs:\n                    self.ends = dict.fromkeys(self._jobs, Failed(error))", BATCH),
    Mutant("a batch that was overtaken is not run again", "campaigns/store/group_batch.py", "continue\n            except asyncpg.DeadlockDetectedError:", "break\n            except asyncpg.DeadlockDetectedError:", (RACES.format("codes"), RACES.format("keys"))),
    Mutant("a full queue takes more", "campaigns/store/group_commit.py", "self._draining or self._waiting() >= self._max_waiting", "self._draining", BATCH),
    # Transfers and states
    Mutant("an expired voucher's hold returns to its balance", "campaigns/domain/ledger.py", 'credit = Account("escrow" if expired else "outstanding", operator_id)\n        self._add(kind, campaign_id, operator_id, Account("held"', 'credit = Account("outstanding", operator_id)\n        self._add(kind, campaign_id, operator_id, Account("held"', (*SWEEP, *PAY)),
    Mutant("a redemption leaves escrow instead of outstanding", "campaigns/domain/ledger.py", '"redeem",\n            campaign_id,\n            operator_id,\n            Account("outstanding", operator_id)', '"redeem",\n            campaign_id,\n            operator_id,\n            Account("escrow", operator_id)', PAY),
    Mutant("a void keeps the use", "campaigns/domain/settle.py", "_release(books, payment, line, kind, transfers, now, uses=1)", "_release(books, payment, line, kind, transfers, now, uses=0)", PAY),
    Mutant("a captured payment may be captured again", "campaigns/domain/states.py", '("held", "capture"): "captured",', '("held", "capture"): "captured",\n    ("captured", "capture"): "captured",', PAY),
    Mutant("the close gives each funder the same", "campaigns/domain/returns.py", "row = largest_remainder(amount_fen, left)", "row = largest_remainder(amount_fen, [1] * len(left))", CLOSE),
)  # fmt: skip
