"""Merchants, stores and tills: one by one and by the list, and what wrong lines leave unchanged."""

from typing import Any

import asyncpg
import msgspec
import pytest

from campaigns.domain.errors import Denied, Invalid, Refused
from campaigns.domain.merchant_csv import MAX_LINES, read_csv
from campaigns.domain.payment_code import looks_like_store_code
from campaigns.services.context import Context
from campaigns.services.fields import Names
from campaigns.services.merchant_import import ImportMerchants, ImportRow, import_merchants
from campaigns.services.merchants import (
    PutMerchant,
    PutStore,
    PutTerminal,
    list_merchants,
    list_terminals,
    put_merchant,
    put_store,
    put_terminal,
)
from campaigns.services.paging import PageQuery
from campaigns.services.programmes import NamedCommand, add_operator
from campaigns.store.unit_of_work import request
from tests.support.bearer import authenticate
from tests.support.office import Office, open_office

CREDIT_CODE = "91110000600037341L"
MERCHANT = PutMerchant(
    code="m-1", name="榆山便民超市", credit_code=CREDIT_CODE, operator="bank-a", mcc="5411", tags=("test",)
)
STORE = PutStore(code="s-1", name="一店", place="370124", scenario="retail")


@pytest.fixture
async def office(ctx: Context) -> Office:
    office = await open_office(ctx)
    name = Names(zh="机构甲", en="Operator A")
    await add_operator(ctx, office.admin, None, NamedCommand(code="bank-a", name=name))
    return office


def row(number: int, **changes: Any) -> ImportRow:
    members: dict[str, Any] = {
        "merchant": f"m-{number}", "name": f"商户{number}", "credit_code": CREDIT_CODE, "operator": "bank-a",
        "mcc": "5411", "store": "s-1", "store_name": "一店", "place": "370124", "scenario": "retail",
        "terminal": "t-1", "tags": ("test",),
    }  # fmt: skip
    return ImportRow(**{**members, **changes})


async def counts(owner: asyncpg.Connection) -> tuple[int, ...]:
    tables = ("merchant", "store", "terminal", "api_key")
    return tuple([await owner.fetchval(f"SELECT count(*) FROM {table}") for table in tables])


async def test_a_till_gets_its_store_code_and_key_once(ctx: Context, office: Office) -> None:
    merchant = await put_merchant(ctx, office.officer, None, MERCHANT)
    store = await put_store(ctx, office.officer, None, merchant.id, STORE)
    command = PutTerminal(code="t-1")
    asked = request(office.officer.id, "till", "terminal.put", command)
    made = await put_terminal(ctx, office.officer, asked, store.id, command)
    assert looks_like_store_code(made.store_code) and made.key is not None
    caller = await authenticate(ctx, made.key)
    assert (caller.kind, caller.id, caller.terminal_id) == ("terminal", merchant.id, made.id)
    assert caller.scopes == {"pay", "refund"}
    again = await put_terminal(ctx, office.officer, asked, store.id, command)
    assert (again.id, again.key, again.store_code) == (made.id, None, made.store_code)
    changed = await put_terminal(ctx, office.officer, None, store.id, PutTerminal(code="t-1", active=False))
    assert (changed.id, changed.key, changed.active) == (made.id, None, False)
    assert (await list_terminals(ctx, office.officer, store.id, PageQuery())).items == (changed,)
    with pytest.raises(Denied, match="key_unknown"):
        await authenticate(ctx, made.key)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"credit_code": "911100006000373410"}, "credit_code_invalid"),
        ({"credit_code": "９１110000600037341L"}, "credit_code_invalid"),
        ({"mcc": "54a1"}, "mcc_invalid"),
        ({"tags": ("a b",)}, "import_value"),
    ],
)
async def test_a_wrong_merchant_is_not_written(
    ctx: Context, office: Office, owner: asyncpg.Connection, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await put_merchant(ctx, office.officer, None, msgspec.structs.replace(MERCHANT, **changes))
    assert caught.value.facts["first"] == code
    with pytest.raises(Invalid, match="operator_unknown"):
        await put_merchant(ctx, office.officer, None, msgspec.structs.replace(MERCHANT, operator="bank-z"))
    assert await counts(owner) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"place": "370100"}, "place_unknown"),
        ({"place": "999999"}, "place_unknown"),
        ({"scenario": "tax"}, "scenario_unknown"),
        ({"latitude_e6": 1}, "position_half"),
    ],
)
async def test_a_wrong_store_is_not_written(
    ctx: Context, office: Office, owner: asyncpg.Connection, changes: dict[str, Any], code: str
) -> None:
    merchant = await put_merchant(ctx, office.officer, None, MERCHANT)
    with pytest.raises(Invalid) as caught:
        await put_store(ctx, office.officer, None, merchant.id, msgspec.structs.replace(STORE, **changes))
    assert caught.value.facts["first"] == code
    assert await counts(owner) == (1, 0, 0, 0)


async def test_who_lacks_the_scope_and_who_is_of_another_programme(ctx: Context, office: Office) -> None:
    with pytest.raises(Denied, match="scope_missing"):
        await put_merchant(ctx, office.finance, None, MERCHANT)
    merchant = await put_merchant(ctx, office.officer, None, MERCHANT)
    other = await open_office(ctx, "other")
    with pytest.raises(Refused, match="not_found"):
        await put_store(ctx, other.officer, None, merchant.id, STORE)
    assert (await list_merchants(ctx, other.officer, PageQuery())).items == ()


async def test_a_list_is_imported_and_imported_again(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    rows = (*(row(i) for i in range(100)), row(7, terminal="t-2"), row(7, store="s-2"))
    answer = await import_merchants(ctx, office.officer, None, ImportMerchants(rows=rows))
    assert (answer.merchants, answer.stores, len(answer.terminals)) == (100, 101, 102)
    assert await counts(owner) == (100, 101, 102, 102)
    till = answer.terminals[101]
    assert (till.merchant, till.store, till.terminal) == ("m-7", "s-2", "t-1")
    assert till.key is not None
    assert (await authenticate(ctx, till.key)).terminal_id == till.terminal_id
    changed = (row(7, name="新名", terminal="t-2"), row(200))
    again = await import_merchants(ctx, office.officer, None, ImportMerchants(rows=changed))
    assert [item.key is None for item in again.terminals] == [True, False]
    assert again.terminals[0].store_code == answer.terminals[100].store_code
    assert await counts(owner) == (101, 102, 103, 103)


async def test_an_import_leaves_switched_off_what_the_office_switched_off(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    command = ImportMerchants(rows=(row(1),))
    [till] = (await import_merchants(ctx, office.officer, None, command)).terminals
    for table in ("merchant", "store", "terminal"):
        await owner.execute(f"UPDATE {table} SET active = false")
    renamed = ImportMerchants(rows=(row(1, name="新名"), row(2)))
    await import_merchants(ctx, office.officer, None, renamed)
    rows = await owner.fetch(
        "SELECT m.name, m.active, s.active, t.active FROM merchant m JOIN store s ON s.merchant_id = m.id"
        " JOIN terminal t ON t.store_id = s.id ORDER BY m.code"
    )
    assert [tuple(found) for found in rows] == [("新名", False, False, False), ("商户2", True, True, True)]
    again = PutTerminal(code="t-1", active=True)
    assert (await put_terminal(ctx, office.officer, None, till.store_id, again)).active


async def test_every_wrong_line_is_named_and_nothing_imported(
    ctx: Context, office: Office, owner: asyncpg.Connection
) -> None:
    rows = (
        row(1), row(1), row(2, credit_code="x"), row(3, operator="bank-z"), row(1, name="别名", terminal="t-9"),
        row(5, place="37012", scenario="tax"),
    )  # fmt: skip
    with pytest.raises(Invalid, match="import_invalid") as caught:
        await import_merchants(ctx, office.officer, None, ImportMerchants(rows=rows, first_line=2))
    problems = msgspec.json.decode(str(caught.value.facts["problems"]))
    assert [(p["line"], p["code"]) for p in problems] == [
        (3, "line_doubled"), (4, "credit_code_invalid"), (5, "operator_unknown"), (6, "merchant_differs"),
        (7, "place_unknown"), (7, "scenario_unknown"),
    ]  # fmt: skip
    assert await counts(owner) == (0, 0, 0, 0)


HEAD = "商户编号,商户名称,统一社会信用代码,收单机构,商户类别码,门店编号,门店名称,地区代码,场景,终端编号,标签,纬度,经度"
LINE = "m-1,榆山超市,９１110000600037341L,bank-a,５４１１,s-1,一店,370124,retail,t-1,test；县城,36289000,116456000"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_csv_of_either_encoding_and_full_width_digits(
    ctx: Context, office: Office, encoding: str
) -> None:
    table = read_csv(f"{HEAD}\r\n{LINE}\r\n\r\n".encode(encoding))
    assert table.problems == []
    rows = msgspec.convert(table.rows, tuple[ImportRow, ...])
    assert rows[0].tags == ("test", "县城") and rows[0].mcc == "5411"
    answer = await import_merchants(ctx, office.officer, None, ImportMerchants(rows=rows, first_line=2))
    assert answer.merchants == 1


@pytest.mark.parametrize(
    ("content", "line", "code"),
    [
        (f"{HEAD},电话\n{LINE},1", 1, "import_column_unknown"),
        (f"{HEAD}\n{LINE},1", 2, "import_cells"),
        (f"{HEAD}\n{LINE}".replace("36289000", "36.2"), 2, "import_value"),
        (f"{HEAD}\n{LINE}".replace("商户编号,", "").replace("m-1,", ""), 1, "import_column_missing"),
    ],
)
def test_csv_problems_name_their_line(content: str, line: int, code: str) -> None:
    problems = read_csv(content.encode()).problems
    assert (problems[0].line, problems[0].code) == (line, code)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xff\xff", "import_not_text"),
        (b"", "import_empty"),
        (b"merchant\n" * (MAX_LINES + 2), "import_too_many"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        read_csv(content)
