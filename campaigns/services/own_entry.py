"""A person's own entry, and the proof that the list and the draw treated it rightly.

After the freeze: its line in `entries.csv` and the Merkle path to the committed root. After the draw: its key and
the cut-offs of the groups it could win in, so that the result is checked with `sha256sum` alone.
"""

import asyncio
from collections import OrderedDict
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from campaigns.domain.errors import not_found
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require
from campaigns.services.context import Context
from campaigns.services.draw_campaign import person_of, read_campaign
from campaigns.services.entering import Entered, entered_answer
from campaigns.store import draws as store
from campaigns.store.awards import award_of_entry, waitlist_rank
from campaigns.store.draws import DrawRow
from campaigns.store.entries import EntryRow, entry_of
from campaigns.store.pool import Connection
from lottery.core.draw import entry_key
from lottery.core.entries import Entry, format_entry
from lottery.core.files import parse_cutoffs, split_lines
from lottery.core.merkle import Tree
from lottery.core.rules import ANY_STRATUM

MOST_TREES: Final = 8
Outcome = Literal["won", "waiting", "not_drawn", "struck"]
_trees: OrderedDict[UUID, tuple[Tree, dict[bytes, int]]] = (
    OrderedDict()
)  # of published lists, which never change


class InclusionProof(Struct, frozen=True, kw_only=True):
    """The entry's ``line`` at 0-based ``index`` of ``size`` lines leads by ``path`` (hex, RFC 9162) to ``root``."""

    line: str
    index: int
    size: int
    path: tuple[str, ...]
    root: str


class CutoffAnswer(Struct, frozen=True, kw_only=True):
    """A group the entry could win in, and the key of its last winner (empty when it had none)."""

    group: str
    stratum: str
    key: str


class Result(Struct, frozen=True, kw_only=True):
    """What the draw gave: an entry with ``key`` wins in the first group whose cut-off is not below it."""

    seed: str
    key: str
    cutoffs: tuple[CutoffAnswer, ...]
    outcome: Outcome
    waitlist_rank: int | None
    award_id: UUID | None


class OwnEntry(Struct, frozen=True, kw_only=True):
    """An entry with what can be known of it now."""

    entered: Entered
    draw_id: UUID | None
    struck_reason: str | None
    proof: InclusionProof | None
    result: Result | None


async def own_entry(ctx: Context, principal: Principal, campaign_id: UUID) -> OwnEntry:
    """The entry of the person the channel acts for. Raises Refused ``not_found``."""
    require(principal, "vouchers.read")
    person_id = person_of(principal)
    async with ctx.pool.acquire() as connection:
        await read_campaign(connection, principal.programme_id, campaign_id)
        row = await entry_of(connection, campaign_id, person_id)
        if row is None:
            raise not_found("entry")
        draw = await store.draw_of_campaign(connection, campaign_id)
        assert draw is not None
        frozen = draw.state != "open"
        proof = await _proof(connection, draw, row) if frozen and row.struck_reason is None else None
        result = await _result(connection, draw, row) if draw.seed is not None else None
    return OwnEntry(
        entered=entered_answer(campaign_id, row),
        draw_id=draw.id if frozen else None,
        struck_reason=row.struck_reason,
        proof=proof,
        result=result,
    )


async def _proof(connection: Connection, draw: DrawRow, row: EntryRow) -> InclusionProof:
    if draw.id not in _trees:
        content = await store.draw_file(connection, draw.id, "entries.csv")
        assert content is not None
        _trees[draw.id] = await asyncio.to_thread(_tree, content)
        while len(_trees) > MOST_TREES:
            _trees.popitem(last=False)
    tree, places = _trees[draw.id]
    line = format_entry(Entry(row.code, row.stratum, row.tickets))[:-1]
    index = places[line]
    path = tuple(node.hex() for node in tree.inclusion_proof(index))
    return InclusionProof(
        line=line.decode("ascii"), index=index, size=tree.size, path=path, root=tree.root().hex()
    )


def _tree(content: bytes) -> tuple[Tree, dict[bytes, int]]:
    lines = [line[:-1] for line in split_lines(content)]
    return Tree(lines), {line: index for index, line in enumerate(lines)}


async def _result(connection: Connection, draw: DrawRow, row: EntryRow) -> Result:
    assert draw.seed is not None
    content = await store.draw_file(connection, draw.id, "cutoffs.csv")
    assert content is not None
    award = await award_of_entry(connection, row.id)
    rank = await waitlist_rank(connection, draw.id, row.id)
    return Result(
        seed=draw.seed.hex(),
        key=entry_key(draw.seed.hex(), row.code, row.tickets),
        cutoffs=tuple(
            CutoffAnswer(group=c.group, stratum=c.stratum, key=c.key)
            for c in parse_cutoffs(split_lines(content))
            if c.stratum in (ANY_STRATUM, row.stratum)
        ),
        outcome=_outcome(row, won=award is not None, waits=rank is not None),
        waitlist_rank=rank,
        award_id=award.id if award is not None else None,
    )


def _outcome(row: EntryRow, *, won: bool, waits: bool) -> Outcome:
    if row.struck_reason is not None:
        return "struck"
    if won:
        return "won"
    return "waiting" if waits else "not_drawn"
