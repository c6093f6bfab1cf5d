"""`hongbao seals` and `hongbao evidence` as an office, an auditor and an outsider run them."""

import asyncio
import stat
from pathlib import Path

import asyncpg
import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from api.cli.evidence import evidence
from api.cli.seals import seals
from api.evidence_facts import TITLES
from tests.seals.conftest import Sealed


@pytest.fixture
def environment(environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands' settings, and a folder of their own to write into."""
    monkeypatch.chdir(environment)
    return environment


async def _run(command: click.Command, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command, list(arguments))


async def _auditor(sealed: Sealed, owner: asyncpg.Connection) -> str:
    await owner.execute("UPDATE staff SET roles = '[\"auditor\"]' WHERE id = $1", sealed.world.approver_id)
    return str(sealed.world.approver_id)  # its login in that world


async def test_heads_are_printed_and_verified(
    environment: Path, unsealed: Sealed, superuser: asyncpg.Connection
) -> None:
    told = await _run(seals)
    assert told.exit_code == 0, told.output
    head = told.stdout.split()[0]
    assert head.startswith("1:") and len(head) == 66
    await unsealed.pay()
    listed = msgspec.json.decode((await _run(seals, "--json", "--limit", "5")).stdout)
    assert [one["block"] for one in listed] == [2, 1] and listed[1]["head"] == head[2:]
    for arguments in ((), ("--head", head)):
        told = await _run(seals, "verify", *arguments)
        assert told.exit_code == 0 and f"2:{listed[0]['head']}" in told.stdout
    assert (await _run(seals, "verify", "--head", f"1:{'0' * 64}")).exit_code == 1
    assert (await _run(seals, "verify", "--head", "yesterday's")).exit_code == 2
    await superuser.execute("DELETE FROM transfer WHERE kind = 'refund'")
    told = await _run(seals, "verify")
    assert told.exit_code == 1 and "/refund/1: deleted (block 区块 1)" in told.stdout


async def test_evidence_is_written_and_checked(
    environment: Path, sealed: Sealed, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = await _auditor(sealed, owner)
    told = await _run(evidence, str(sealed.captured), "--as", login)
    assert told.exit_code == 0, told.output
    file = environment / f"evidence-{sealed.captured}.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    head = told.stdout.split()[-1]
    digest = (await owner.fetchval("SELECT digest FROM terms_version")).hex()
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "postgresql://nobody@127.0.0.1:1/nothing")
    for language, words in (
        ("zh", "校验通过：上列已封存的事实与给出的封存值一致"),
        ("en", "Sound: the sealed facts listed lie under the head that was given"),
    ):
        told = await _run(evidence, "verify", str(file), "--head", head, "--language", language)
        assert (
            told.exit_code == 0
            and words in told.stdout
            and "¥160.00" in told.stdout
            and digest in told.stdout
            and all(title[language == "en"] in told.stdout for title in TITLES)
        ), told.output
    told = await _run(evidence, "verify", str(file), "--language", "en")
    assert told.exit_code == 0 and "Compare the head" in told.stdout
    assert (await _run(evidence, "verify", str(file), "--head", "00" * 32)).exit_code == 1
    data = file.read_bytes()
    file.write_bytes(data.replace(b"basket_fen 16000", b"basket_fen 16001"))
    told = await _run(evidence, "verify", str(file), "--language", "en")
    assert (
        told.exit_code == 1 and "Not sound" in told.stdout and f"payment {sealed.captured}: " in told.stderr
    )


async def test_evidence_on_standard_output_and_only_for_auditors(
    environment: Path, sealed: Sealed, owner: asyncpg.Connection
) -> None:
    login = await _auditor(sealed, owner)
    told = await _run(evidence, str(sealed.redeemed), "--as", login, "--out", "-")
    assert told.exit_code == 0 and msgspec.json.decode(told.stdout)["about"]["made_by"] == login
    told = await _run(evidence, str(sealed.redeemed), "--as", str(sealed.world.author_id))
    assert told.exit_code == 1 and "scope_missing" in told.output
    assert not await asyncio.to_thread(lambda: list(environment.glob("evidence-*")))
