"""Merchants by the list: one line per till, all of them or none, every problem with its line."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from msgspec import Meta, Struct, structs

from campaigns.domain.errors import Fact
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES, require
from campaigns.domain.shops import (
    MerchantFields,
    StoreFields,
    TerminalFields,
    Wrong,
    check_merchant,
    check_store,
    check_terminal,
)
from campaigns.services.context import Context
from campaigns.services.keys import NewKey, new_key
from campaigns.services.merchants import new_store_code
from campaigns.services.problems import LineProblem, lines_invalid
from campaigns.store import merchants as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.programmes import insert_keys, operators_by_code
from campaigns.store.unit_of_work import Request, Work, perform

MAX_ROWS = 10_000
Cell = Annotated[str, Meta(max_length=2_000)]
Labels = Annotated[tuple[Cell, ...], Meta(max_length=200)]


class ImportRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One till with its store and merchant; a merchant or store of several tills is repeated alike."""

    merchant: Cell
    name: Cell
    credit_code: Cell
    operator: Cell
    mcc: Cell
    store: Cell
    store_name: Cell
    place: Cell
    scenario: Cell
    terminal: Cell
    tags: Labels = ()
    zones: Labels = ()
    latitude_e6: int | None = None
    longitude_e6: int | None = None
    channel: Cell = "in_store"


class ImportMerchants(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lines to import. ``first_line`` is the number of the first one, as problems name it."""

    rows: Annotated[tuple[ImportRow, ...], Meta(min_length=1, max_length=MAX_ROWS)]
    first_line: Annotated[int, Meta(ge=1, le=1_000)] = 1


class ImportedTerminal(Struct, frozen=True, kw_only=True):
    """A till of the list; ``key`` is shown once and only for a till without one."""

    merchant: str
    store: str
    terminal: str
    merchant_id: UUID
    store_id: UUID
    terminal_id: UUID
    store_code: str
    key: str | None = None


class Imported(Struct, frozen=True, kw_only=True):
    """What is there now, in the order of the lines."""

    merchants: int
    stores: int
    terminals: tuple[ImportedTerminal, ...]


class Line(NamedTuple):
    """A line taken apart."""

    merchant: MerchantFields
    store: StoreFields
    terminal: TerminalFields


async def import_merchants(
    ctx: Context, principal: Principal, asked: Request | None, command: ImportMerchants
) -> Imported:
    """Add or change every merchant, store and till of a list in one transaction; what is switched off stays so.

    Raises Invalid ``import_invalid`` with every problem and its line; nothing is imported then.
    """
    require(principal, "merchants.write")
    lines = [_line(row) for row in command.rows]
    problems = check_lines(lines, command.first_line)
    keys: dict[UUID, str] = {}

    async def act(connection: Connection) -> Imported:
        operators = await operators_by_code(connection, principal.programme_id)
        unknown = [
            LineProblem(number, "operator", "operator_unknown", {"given": line.merchant.operator[:60]})
            for number, line in enumerate(lines, start=command.first_line)
            if line.merchant.operator not in operators
        ]
        if problems or unknown:
            raise lines_invalid("import_invalid", [*problems, *unknown])
        at = await campaign_now(connection)
        answer = await _write(connection, principal, lines, operators, at)
        keys.update(await _give_keys(connection, principal, answer, at))
        facts: dict[str, Fact] = {
            "merchants": answer.merchants, "stores": answer.stores, "terminals": len(answer.terminals),
        }  # fmt: skip
        await write_audit(connection, at, None, principal, "merchant.import", None, facts)
        return answer

    answer = await perform(ctx.pool, asked, Work(Imported, act))
    shown = tuple(structs.replace(item, key=keys.get(item.terminal_id)) for item in answer.terminals)
    return structs.replace(answer, terminals=shown)


def check_lines(lines: Sequence[Line], first_line: int) -> list[LineProblem]:
    """Every problem of a list that can be seen without the database."""
    problems: list[LineProblem] = []
    seen: dict[tuple[str, ...], tuple[int, object]] = {}
    for number, line in enumerate(lines, start=first_line):
        merchant, shop, terminal = line
        wrong: list[Wrong] = check_merchant(merchant)
        wrong += [w._replace(member=f"store.{w.member}") for w in check_store(shop)]
        wrong += [w._replace(member=f"terminal.{w.member}") for w in check_terminal(terminal)]
        problems += [LineProblem(number, w.member, w.code, w.facts) for w in wrong]
        for key, value in (((merchant.code,), merchant), ((merchant.code, shop.code), shop)):
            first, was = seen.setdefault(key, (number, value))
            if was != value:
                facts: dict[str, Fact] = {"given": ".".join(key)[:80], "first_line": first}
                problems.append(LineProblem(number, "merchant", "merchant_differs", facts))
        till = (merchant.code, shop.code, terminal.code)
        first, _ = seen.setdefault(till, (number, None))
        if first != number:
            problems.append(LineProblem(number, "terminal", "line_doubled", {"first_line": first}))
    return problems


def _line(row: ImportRow) -> Line:
    return Line(
        MerchantFields(row.merchant, row.name, row.credit_code, row.operator, row.tags, row.mcc),
        StoreFields(
            row.store, row.store_name, row.place, row.zones, row.scenario, row.latitude_e6, row.longitude_e6
        ),
        TerminalFields(row.terminal, row.channel),
    )


async def _write(
    connection: Connection,
    principal: Principal,
    lines: Sequence[Line],
    operators: dict[str, UUID],
    at: datetime,
) -> Imported:
    merchants = {line.merchant.code: line.merchant for line in lines}
    merchant_ids = await store.upsert_merchants(
        connection,
        [
            store.MerchantRow(
                new_id(), principal.programme_id, m.code, m.name, m.credit_code, operators[m.operator],
                list(m.tags), m.mcc, True, at,
            )
            for m in merchants.values()
        ],
        keep_active=True,
    )  # fmt: skip
    by_code = {code: merchant_id for (_, code), merchant_id in merchant_ids.items()}
    stores = {(by_code[line.merchant.code], line.store.code): line.store for line in lines}
    store_ids = await store.upsert_stores(
        connection,
        [
            store.StoreRow(
                new_id(), merchant_id, s.code, s.name, s.place, list(s.zones), s.scenario, s.latitude_e6,
                s.longitude_e6, True,
            )
            for (merchant_id, _), s in stores.items()
        ],
        keep_active=True,
    )  # fmt: skip
    owners = [store_ids[by_code[line.merchant.code], line.store.code] for line in lines]
    terminal_ids = await store.upsert_terminals(
        connection,
        [
            store.TerminalRow(
                new_id(), owner, line.terminal.code, new_store_code(), line.terminal.channel, True
            )
            for owner, line in zip(owners, lines, strict=True)
        ],
        keep_active=True,
    )
    codes = await store.store_codes(connection, list(terminal_ids.values()))
    tills = [terminal_ids[owner, line.terminal.code] for owner, line in zip(owners, lines, strict=True)]
    return Imported(
        merchants=len(merchants),
        stores=len(stores),
        terminals=tuple(
            ImportedTerminal(
                merchant=line.merchant.code, store=line.store.code, terminal=line.terminal.code,
                merchant_id=by_code[line.merchant.code], store_id=owner, terminal_id=till, store_code=codes[till],
            )
            for line, owner, till in zip(lines, owners, tills, strict=True)
        ),
    )  # fmt: skip


async def _give_keys(
    connection: Connection, principal: Principal, answer: Imported, at: datetime
) -> dict[UUID, str]:
    """A key for every till that has none; answers their texts by till."""
    have = await store.keyed_subjects(connection, [item.terminal_id for item in answer.terminals])
    scopes = sorted(KIND_SCOPES["terminal"])
    drawn: list[tuple[ImportedTerminal, NewKey]] = [
        (item, new_key()) for item in answer.terminals if item.terminal_id not in have
    ]
    rows = [
        (key.id, key.digest, "terminal", item.terminal_id, principal.programme_id, item.terminal, scopes, at)
        for item, key in drawn
    ]
    if rows:
        await insert_keys(connection, rows)
    return {item.terminal_id: key.text for item, key in drawn}
