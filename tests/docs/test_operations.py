"""docs/operations.md in both languages: meters, checks, roles and commands are those of the code."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import asyncpg
import click
import pytest

from api.cli import main
from api.metrics import Metrics
from api.service import Service
from campaigns.domain.errors import TryAgain
from campaigns.gate.valkey import open_gate
from campaigns.runtime.engines import Engines
from campaigns.runtime.outages import is_outage
from campaigns.runtime.workers import service_loops
from campaigns.services.auditing import audit
from campaigns.services.codes import make_code
from campaigns.services.context import Context
from campaigns.services.paying import authorize, redeem
from campaigns.store.migrate import migrate
from tests.docs.tables import DOCS, rows
from tests.support.payworld import PayWorld

HEADS = {"operations.md": ("check", "meter"), "operations.zh.md": ("检查", "指标")}
DATABASE = "hongbao_by_hand"
documents = pytest.mark.parametrize("document", HEADS)


def _text(document: str) -> str:
    return (DOCS / document).read_text(encoding="utf-8")


@documents
def test_the_meters_are_those_that_are_scraped(document: str) -> None:
    listed = {row[0]: row[1] for row in rows(document, HEADS[document][1])}
    meters = [one for one in vars(Metrics()).values() if hasattr(one, "_labelnames")]
    shown = {
        f"{one._name}_total" if one._type == "counter" else one._name: ", ".join(one._labelnames) or "-"
        for one in meters
    }
    assert listed == shown


@documents
async def test_the_checks_are_those_of_readiness(document: str, engines: Engines, ctx: Context) -> None:
    loops = [f"loop_{loop.name}" for loop in service_loops(engines.settings)]
    lanes = [f"lanes_{name}" for name in ctx.lanes]
    named = {row[0] for row in rows(document, HEADS[document][0])}
    assert named == {"serving", "database", "schema", "valkey", *loops, *lanes}
    source = Service.readiness.__code__.co_consts
    assert {"serving", "database", "schema", "valkey"} <= {
        name
        for item in source
        for name in (item if isinstance(item, tuple) else (item,))
        if isinstance(name, str)
    }


def _command(words: list[str]) -> click.Command:
    found: click.Command = main
    for word in words:
        if not isinstance(found, click.Group):
            break
        found = found.commands[word]
    return found


@documents
def test_every_command_exists_with_its_options(document: str) -> None:
    lines = re.findall(r"^    (hongbao .*)$|`(hongbao [^`]*)`", _text(document), re.MULTILINE)
    assert len(lines) > 8
    for line in (one or other for one, other in lines):
        words = shlex.split(line)[1:]
        if words == ["--help"]:
            continue
        options = {option for parameter in _command(words).params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_both_languages_have_the_same_tables_commands_and_sql() -> None:
    english, chinese = (_text(document) for document in HEADS)
    assert english.count("\n|") == chinese.count("\n|")
    assert set(re.findall(r"`([^`\n]+)`", english)) == set(re.findall(r"`([^`\n]+)`", chinese))
    for pattern in (r"```sql\n(.*?)```", r"^    (\S[^\n]*)$"):
        found = [re.findall(pattern, text, re.MULTILINE | re.DOTALL) for text in (english, chinese)]
        assert found[0] == found[1]


async def test_a_database_made_by_the_sql_can_be_migrated(engines: Engines) -> None:
    (sql,) = re.findall(r"```sql\n(.*?)```", _text("operations.md"), re.DOTALL)
    statements = [one.strip().replace("DATABASE hongbao", f"DATABASE {DATABASE}") for one in sql.split(";")]
    roles = {found[1] for one in statements if (found := re.match(r"CREATE ROLE (\w+) LOGIN", one))}
    assert roles == {"owner", "app", "sweeper"}
    admin = await asyncpg.connect(engines.admin.dsn)
    try:
        for statement in statements:
            if statement and not statement.startswith("CREATE ROLE"):  # the session's engines have them
                await admin.execute(statement)
        await migrate(engines.owner.dsn.replace("/hongbao?", f"/{DATABASE}?"), "test")
        app = await asyncpg.connect(engines.app.dsn.replace("/hongbao?", f"/{DATABASE}?"))
        assert await app.fetchval("SELECT mode FROM clock") == "test"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("DELETE FROM transfer")
        await app.close()
        await admin.execute(f"DROP DATABASE {DATABASE}")
    finally:
        await admin.close()


async def test_marks_of_another_key_are_taken_out_by_the_sql(ctx: Context, owner: asyncpg.Connection) -> None:
    await PayWorld(ctx).start()
    assert (await audit(replace(ctx, hmac_key=bytes(32)))).violations == 0
    for _ in range(2):
        assert [one.check for one in (await audit(ctx)).findings] == ["audit_mark"]
    (sql,) = re.findall(r"^    (BEGIN; .*audit_mark.*)$", _text("operations.md"), re.MULTILINE)
    await owner.execute(sql)
    assert (await audit(ctx)).violations == 0
    assert await owner.fetchval("SELECT count(*) FROM audit_mark") == 1
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute("DELETE FROM audit_mark")


@pytest.mark.parametrize(
    ("sqlstate", "passes"),
    [("53100", True), ("53200", True), ("53300", True), ("57P03", True), ("23514", False), ("42P01", False)],
)
def test_what_a_full_disk_stops_is_waited_for_and_a_bug_is_not(sqlstate: str, passes: bool) -> None:
    error = asyncpg.PostgresError.new({"C": sqlstate, "M": "said by the server"})
    assert error.sqlstate == sqlstate and is_outage(error) is passes


async def test_store_codes_go_on_while_valkey_is_away(ctx: Context, tmp_path: Path) -> None:
    world = await PayWorld(ctx).start()
    shop, person = await world.merchant(), await world.person()
    await world.voucher(await world.campaign(), person, 20_000)
    spend = await world.spend(person, 1_000)
    silent = replace(ctx, gate=open_gate(f"unix://{tmp_path}/nobody"))
    for attempt in (
        lambda: make_code(silent, world.holder(person), None),
        lambda: redeem(silent, world.till(shop), None, spend),
    ):
        with pytest.raises(TryAgain, match="busy"):
            await attempt()
    paid = await authorize(silent, world.holder(person), None, world.at_counter(shop, 1_000))
    assert (paid.state, paid.subsidy_fen) == ("held", 1_000)
    await silent.gate.close()
