"""Evidence of a payment: made from sealed rows, checked without a database, and worth nothing after any change."""

import asyncio
import subprocess
import sys
from datetime import timedelta

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.domain.errors import Broken, Denied, Refused, TryAgain
from campaigns.domain.evidence import Evidence, RowPart, encode, finished
from campaigns.domain.evidence_check import EvidenceCheck, verify_evidence
from campaigns.domain.principal import Principal
from campaigns.domain.terms.model import Terms
from campaigns.services.evidence import make_evidence
from campaigns.services.paying import authorize, redeem
from campaigns.services.refunding import undo
from campaigns.services.seals import heads, seal_rows
from tests.seals.conftest import STEPS, Sealed, approve
from tests.support.payworld import asked


def auditor(sealed: Sealed) -> Principal:
    """Who may read the books of the programme."""
    return Principal("staff", sealed.world.approver_id, sealed.world.programme_id, frozenset({"audit.read"}))


async def evidence_of(sealed: Sealed, payment_id: object) -> Evidence:
    return await make_evidence(sealed.ctx, auditor(sealed), payment_id)  # type: ignore[arg-type]


def subjects(check: EvidenceCheck) -> set[str]:
    return {problem.subject for problem in check.problems}


async def test_evidence_of_every_kind_of_payment_verifies(unsealed: Sealed) -> None:
    world, till = unsealed.world, unsealed.world.till(unsealed.merchant_id)
    person = await world.person()
    await world.voucher(unsealed.campaign_id, person, 10_000)
    spend = await world.spend(person, 10_000)
    undone = (await redeem(unsealed.ctx, till, asked(till, spend), spend)).id
    await undo(unsealed.ctx, till, asked(till, None), undone)
    spend = await world.spend(person, 5_000)
    held = (await authorize(unsealed.ctx, till, asked(till, spend), spend)).id
    for payment_id in (unsealed.redeemed, unsealed.captured, undone, held):
        evidence = await evidence_of(unsealed, payment_id)
        [newest] = await heads(unsealed.ctx, 1)
        check = verify_evidence(encode(evidence), newest.head)
        assert (check.problems, check.notes) == ((), ())
        assert (check.block, check.head) == (newest.block, newest.head)
        kinds = {part.kind for part in evidence.rows}
        assert kinds >= {"payment", "transfer", "voucher", "audit"}
        assert ("refund" in kinds) == (payment_id in (unsealed.captured, undone))


async def test_it_verifies_without_a_database_and_fails_by_a_head(sealed: Sealed) -> None:
    evidence = encode(await evidence_of(sealed, sealed.captured))
    program = (
        "import sys; from campaigns.domain.evidence_check import verify_evidence as v;"
        " print(len(v(sys.stdin.buffer.read()).problems), [n for n in sys.modules if n in ('asyncpg', 'redis', 'tortoise')])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    printed, _ = await process.communicate(evidence)
    assert printed == b"0 []\n"
    assert subjects(verify_evidence(evidence, "00" * 32)) == {"head"}


async def test_any_changed_byte_is_found(sealed: Sealed) -> None:
    data = encode(await evidence_of(sealed, sealed.captured))
    assert verify_evidence(data).problems == ()
    position = st.integers(0, len(data) - 1)

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(position, st.integers(1, 255))
    def flipped(at: int, mask: int) -> None:
        changed = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
        assert all(problem.what for problem in verify_evidence(changed).problems)
        assert verify_evidence(changed).problems

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(position, st.sampled_from([b" ", b"\n", b"0", b'"', b"\t"]))
    def put_in(at: int, byte: bytes) -> None:
        assert verify_evidence(data[:at] + byte + data[at:]).problems

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(position)
    def taken_out(at: int) -> None:
        assert verify_evidence(data[:at] + data[at + 1 :]).problems

    flipped()
    put_in()
    taken_out()
    for space in (i for i, byte in enumerate(data[:3_000]) if byte in b" \n"):
        assert verify_evidence(data[:space] + b"\t" + data[space + 1 :]).problems
    for changed in (b"", data + b"\n", data[:-1], b"\xff" + data, b"[]", b"{" * 100_000):
        assert verify_evidence(changed).problems


def _row(evidence: Evidence, kind: str, number: int = 0) -> RowPart:
    return [part for part in evidence.rows if part.kind == kind][number]


def _with_row(evidence: Evidence, old: RowPart, *new: RowPart) -> Evidence:
    rows = [one for part in evidence.rows for one in (new if part is old else [part])]
    return msgspec.structs.replace(evidence, rows=tuple(rows))


def _with_text(evidence: Evidence, kind: str, old: str, new: str) -> Evidence:
    """Change a text in the first row of a kind that has it."""
    part = next(p for p in evidence.rows if p.kind == kind and old in "\n".join(p.text))
    text = tuple("\n".join(part.text).replace(old, new).split("\n"))
    return _with_row(evidence, part, msgspec.structs.replace(part, text=text))


async def test_a_forger_who_makes_the_digests_again_is_named(sealed: Sealed) -> None:
    good = await evidence_of(sealed, sealed.captured)
    replace = msgspec.structs.replace
    state, about, terms = good.state, good.about, good.terms[0]
    forged = {
        "payment": _with_text(good, "payment", "basket_fen 16000", "basket_fen 17000"),
        "transfer": _with_text(good, "transfer", "kind capture", "kind redeem"),
        "voucher": _with_text(good, "voucher", "face_fen 10000", "face_fen 20000"),
        "audit": _with_text(good, "audit", "campaign.approve", "campaign.publish"),
        "refund": _with_text(good, "refund", "back_fen 1200", "back_fen 1300"),
        "state": replace(good, state=replace(state, captured_fen=state.captured_fen + 1)),
        "transfers": replace(good, state=replace(state, lines=(replace(state.lines[0], held_fen=1),))),
        "terms": replace(good, terms=(replace(terms, compiled=terms.compiled.replace("1000", "1001")),)),
        "rows": replace(good, about=replace(about, payment_id=sealed.redeemed)),
        "chain": replace(good, chain=()),
        "chain, header 1": replace(
            good, chain=(tuple(line.replace("block 1", "block 2") for line in good.chain[0]),)
        ),
    }
    for subject, evidence in forged.items():
        found = subjects(verify_evidence(encode(finished(evidence))))
        assert any(one.startswith(subject) for one in found), (subject, found)
    for wrong in ("held", "voided", "expired", "undone", "returned"):
        evidence = replace(good, state=replace(state, state=wrong))
        assert subjects(verify_evidence(encode(finished(evidence)))) == {"state"}
    without = [
        replace(good, rows=tuple(p for p in good.rows if p is not part))
        for part in good.rows
        if part.kind != "audit"
    ]
    assert all(verify_evidence(encode(finished(evidence))).problems for evidence in without)
    for part in good.rows:  # the same bytes under the digest, yet the last field hides behind the one before
        folded = (*part.text[:-2], "\n".join(part.text[-2:]))
        hidden = _with_row(good, part, msgspec.structs.replace(part, text=folded))
        assert verify_evidence(encode(finished(hidden))).problems, part.key
    part = _row(good, "transfer")
    twice = _with_row(good, part, part, part)
    assert verify_evidence(encode(finished(twice))).problems
    assert verify_evidence(encode(finished(good))).problems == ()


async def test_a_decision_that_the_terms_do_not_give_is_named(
    sealed: Sealed, superuser: asyncpg.Connection
) -> None:
    """A row that was wrong from the start is sealed as it is; deciding again finds it."""
    payment_id = await sealed.pay(10_000)
    await superuser.execute("UPDATE payment_line SET available_fen = 1000 WHERE payment_id = $1", payment_id)
    check = verify_evidence(encode(await evidence_of(sealed, payment_id)))
    assert subjects(check) == {"line 1", "state"}


async def test_a_store_that_was_changed_since_leaves_a_note(
    unsealed: Sealed, owner: asyncpg.Connection
) -> None:
    world = unsealed.world
    unsealed.campaign_id = await world.campaign(Terms(benefit=STEPS, mcc=("5411",)))
    await approve(world, owner, unsealed.campaign_id)
    payment_id = await unsealed.pay()
    assert verify_evidence(encode(await evidence_of(unsealed, payment_id))).notes == ()
    await owner.execute("UPDATE merchant SET mcc = '7999'")
    check = verify_evidence(encode(await evidence_of(unsealed, payment_id)))
    assert check.problems == () and [note.rpartition(" ")[2] for note in check.notes] == ["mcc_not_allowed"]


async def test_blocks_on_the_way_are_few(sealed: Sealed) -> None:
    for _ in range(20):
        await sealed.pay()
        assert await seal_rows(sealed.ctx) == 1
    evidence = await evidence_of(sealed, sealed.redeemed)
    numbers = [int(header[1].split()[1]) for header in evidence.chain]
    assert numbers[0] == 21 and numbers[-1] == 1 and len(numbers) <= 16
    assert verify_evidence(encode(evidence)).problems == ()
    gap = msgspec.structs.replace(evidence, chain=(evidence.chain[0], *evidence.chain[2:]))
    assert verify_evidence(encode(finished(gap))).problems


async def test_what_is_not_sealed_yet_is_said(unsealed: Sealed, owner: asyncpg.Connection) -> None:
    async with owner.transaction():
        await owner.execute(
            "INSERT INTO turn VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1)"
        )
        payment_id = await unsealed.pay()
        with pytest.raises(TryAgain) as refused:
            await evidence_of(unsealed, payment_id)
        assert refused.value.code == "not_sealed_yet"
    assert verify_evidence(encode(await evidence_of(unsealed, payment_id))).problems == ()


async def test_an_edited_row_makes_no_evidence(sealed: Sealed, superuser: asyncpg.Connection) -> None:
    await superuser.execute(
        "UPDATE transfer SET at = at + interval '1 second' WHERE cause_id = $1", sealed.redeemed
    )
    with pytest.raises(Broken) as broken:
        await evidence_of(sealed, sealed.redeemed)
    assert broken.value.code == "seal_violated" and str(sealed.redeemed) in str(broken.value.facts["row"])


async def test_only_auditors_of_the_programme_get_it_and_that_is_logged(
    sealed: Sealed, owner: asyncpg.Connection
) -> None:
    officer = Principal(
        "staff", sealed.world.author_id, sealed.world.programme_id, frozenset({"report.read"})
    )
    with pytest.raises(Denied):
        await make_evidence(sealed.ctx, officer, sealed.redeemed)
    foreign = Principal("staff", sealed.world.author_id, sealed.campaign_id, frozenset({"audit.read"}))
    with pytest.raises(Refused):
        await make_evidence(sealed.ctx, foreign, sealed.redeemed)
    evidence = await evidence_of(sealed, sealed.redeemed)
    row = await owner.fetchrow("SELECT actor_id, subject_id, facts FROM audit WHERE action = 'evidence.make'")
    assert (row["actor_id"], row["subject_id"]) == (sealed.world.approver_id, sealed.redeemed)
    assert evidence.digest in row["facts"]
    again = await evidence_of(sealed, sealed.redeemed)
    assert any('action "evidence.make"' in part.text for part in again.rows), "who asked before is part of it"
    assert again.about.made_at - evidence.about.made_at < timedelta(minutes=5)
