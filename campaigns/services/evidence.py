"""Make the evidence of one payment: see `campaigns.domain.evidence`. Who asks for it is noted in the log of acts."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from campaigns.domain.errors import Broken, TryAgain, not_found
from campaigns.domain.evidence import (
    FORMAT,
    NOTE,
    About,
    Evidence,
    LineState,
    PlaceLabel,
    RowPart,
    StatePart,
    StorePart,
    TermsPart,
    finished,
)
from campaigns.domain.evidence_contract import contract_lines, label_text, places_in
from campaigns.domain.places import full_name_zh
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require
from campaigns.domain.seals import Kind, split_list, way_down
from campaigns.domain.terms.compile import read_compiled
from campaigns.domain.terms.facts import Item
from campaigns.services.context import Context
from campaigns.services.seals import SEAL_SECONDS, seal_rows
from campaigns.store.audit_log import write_audit
from campaigns.store.evidence_rows import (
    FoundRow,
    block_of,
    found_rows,
    payment_about,
    payment_line_states,
    terms_parts,
    wanted_rows,
)
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.seal_rows import key_text
from campaigns.store.seals import newest_number, read_blocks, read_list
from lottery.core.merkle import Tree

SCOPE: Final = "audit.read"


async def make_evidence(ctx: Context, principal: Principal, payment_id: UUID) -> Evidence:
    """The evidence of a payment of the caller's programme, with all its rows sealed.

    Raises Denied ``scope_missing``, Refused ``not_found``, TryAgain ``not_sealed_yet`` while an older transaction
    still runs, Broken ``seal_violated`` for a row that is not as it was sealed.
    """
    require(principal, SCOPE)
    await seal_rows(ctx)
    async with (
        ctx.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        evidence = await _gather(connection, principal, payment_id)
    async with ctx.pool.acquire() as connection, connection.transaction():
        at = await campaign_now(connection)
        head = {"digest": evidence.digest}
        await write_audit(connection, at, None, principal, "evidence.make", payment_id, head)
    return evidence


async def _gather(connection: Connection, principal: Principal, payment_id: UUID) -> Evidence:
    payment = await payment_about(connection, principal.programme_id, payment_id)
    if payment is None:
        raise not_found("payment")
    lines = await payment_line_states(connection, payment_id)
    wanted = await wanted_rows(connection, payment, lines)
    newest = await newest_number(connection)
    parts = await _prove(connection, await found_rows(connection, wanted), newest)
    way = way_down(newest, [part.block for part in parts])
    blocks = await read_blocks(connection, way)
    terms = await terms_parts(connection, {line["terms_version_id"] for line in lines})
    login = await connection.fetchval("SELECT login FROM staff WHERE id = $1", principal.id)
    return finished(
        Evidence(
            format=FORMAT,
            note=NOTE,
            about=About(
                payment_id=payment_id,
                programme=payment["programme"],
                campaigns={str(row["campaign_id"]): row["code"] for row in terms},
                time_zone=terms[0]["time_zone"],
                made_at=await campaign_now(connection),
                made_by=login or principal.kind,
                acts_left_out=wanted.acts_left_out,
            ),
            terms=tuple(_terms(row) for row in terms),
            store=_store(payment),
            state=_state(payment, lines),
            refunds_without_value=wanted.without_value,
            rows=tuple(parts),
            chain=tuple(tuple(blocks[number].header.split("\n")[:-1]) for number in way if number in blocks),
            parts={},
            digest="",
        )
    )


async def _prove(connection: Connection, rows: Sequence[FoundRow], newest: int) -> list[RowPart]:
    """Each row with its way to the root of its list."""
    blocks: dict[int, int] = {}
    for tx in {row.tx for row in rows}:
        number = await block_of(connection, tx, newest)
        if number is None:
            raise _not_yet()
        blocks[tx] = number
    lists: dict[tuple[int, Kind], tuple[dict[bytes, bytes], Tree]] = {}
    parts = []
    for row in rows:
        number, name = blocks[row.tx], key_text(row.kind, row.key)
        if (number, row.kind) not in lists:
            leaves = await read_list(connection, number, row.kind)
            lists[number, row.kind] = await asyncio.to_thread(_tree, row.kind, leaves)
        there, tree = lists[number, row.kind]
        if there.get(row.key) != row.leaf:
            raise Broken("seal_violated", row=f"{row.kind} {name}", block=number)
        index = list(there).index(row.key)
        proof = tuple(step.hex() for step in tree.inclusion_proof(index))
        text = tuple(row.text.split("\n"))
        parts.append(RowPart(kind=row.kind, key=name, block=number, index=index, text=text, proof=proof))
    return parts


def _tree(kind: Kind, leaves: bytes) -> tuple[dict[bytes, bytes], Tree]:
    there = split_list(kind, leaves)
    return there, Tree.of_hashes(there.values())


def _not_yet() -> TryAgain:
    return TryAgain("not_sealed_yet", retry_after_seconds=int(SEAL_SECONDS))


def _terms(row: Any) -> TermsPart:
    compiled = read_compiled(row["compiled"].encode())
    own = row["place_names"] or {}
    labels = {code: _label(code, own.get(code, {})) for code in places_in(compiled)}
    return TermsPart(
        version_id=row["id"],
        campaign_id=row["campaign_id"],
        digest=row["digest"].hex(),
        compiled=row["compiled"],
        place_names=labels,
        contract_zh=contract_lines(compiled, "zh", labels),
        contract_en=contract_lines(compiled, "en", labels),
    )


def _label(code: str, own: Mapping[str, str]) -> PlaceLabel:
    """What the campaign calls a place, else the country's list in zh, else its code."""
    zh, en = (label_text(own.get(language, "")) for language in ("zh", "en"))
    return PlaceLabel(zh=zh or full_name_zh(code) or code, en=en or code)


def _store(payment: Any) -> StorePart:
    return StorePart(
        merchant=payment["merchant"],
        merchant_name=payment["merchant_name"],
        store_name=payment["store_name"],
        place=payment["place"],
        zones=tuple(payment["zones"]),
        tags=tuple(payment["tags"]),
        mcc=payment["mcc"],
        scenario=payment["scenario"],
    )


def _state(payment: Any, lines: Sequence[Any]) -> StatePart:
    return StatePart(
        state=payment["state"],
        captured_basket_fen=payment["captured_basket_fen"],
        captured_fen=payment["captured_fen"],
        returned_goods_fen=payment["returned_goods_fen"],
        refunded_fen=payment["refunded_fen"],
        gone_items=msgspec.convert(payment["gone_items"], tuple[Item, ...]),
        captured_at=payment["captured_at"],
        ended_at=payment["ended_at"],
        lines=tuple(
            LineState(line=n["line"], held_fen=n["held_fen"], captured_fen=n["captured_fen"], refunded_fen=n["refunded_fen"])
            for n in lines
        ),
    )  # fmt: skip
