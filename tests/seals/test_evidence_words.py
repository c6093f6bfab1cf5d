"""What `hongbao evidence` and `hongbao seals verify` say where something is not as it should be, and what to do next."""

import asyncio
import stat
from pathlib import Path

import asyncpg
import click
import pytest
from click.testing import CliRunner, Result

from api.cli.evidence import evidence
from api.cli.seals import seals
from tests.seals.conftest import Sealed

_HEX = "0f" * 32


async def _run(command: click.Command, *arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command, list(arguments))


@pytest.mark.parametrize("content", [b"", b'{"format": "hongbao-evidence/1", "no', b"a report", b'{"a": 1}'])
@pytest.mark.parametrize(("language", "words"), [("zh", "不是完整的证据文件"), ("en", "Ask whoever made it")])
async def test_what_is_no_evidence_is_told_so(
    tmp_path: Path, content: bytes, language: str, words: str
) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(content)
    told = await _run(evidence, "verify", str(file), "--language", language)
    assert told.exit_code == 1 and words in told.stdout and told.stderr.startswith("file: ")


@pytest.mark.parametrize("head", ["", "yesterday's", _HEX[:-1], f"0:{_HEX}", f"4 {_HEX}"])
async def test_what_is_no_head_is_refused_before_the_file_is_judged(tmp_path: Path, head: str) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(b"{}")
    told = await _run(evidence, "verify", str(file), "--head", head)
    assert told.exit_code == 2 and "BLOCK:HEX" in told.stderr and not told.stdout


async def test_a_head_may_name_its_block_and_another_head_says_what_to_look_up(
    environment: Path, sealed: Sealed, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE staff SET roles = '[\"auditor\"]' WHERE id = $1", sealed.world.approver_id)
    file = environment / "evidence.json"
    file.touch(mode=0o644)
    make = (str(sealed.redeemed), "--as", str(sealed.world.approver_id), "--out")
    told = await _run(evidence, *make, str(environment / "nowhere" / "evidence.json"))
    assert told.exit_code == 2 and "没有目录" in told.stderr
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE action LIKE 'evidence%'") == 0
    told = await _run(evidence, *make, str(file))
    assert told.exit_code == 0, told.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    block, head = told.stdout.split()[-4], told.stdout.split()[-1]
    for given in (head, f"{block}:{head}", f"{block}:{head.upper()}"):
        assert (await _run(evidence, "verify", str(file), "--head", given)).exit_code == 0
    for language, words in (("zh", f"区块 {block} 的封存值"), ("en", f"head of block {block};")):
        told = await _run(evidence, "verify", str(file), "--head", _HEX, "--language", language)
        assert told.exit_code == 1 and words in told.stdout


async def test_a_head_of_a_block_that_is_not_there_is_not_told_as_the_newest(
    environment: Path, sealed: Sealed
) -> None:
    told = await _run(seals, "verify", "--head", f"9999:{_HEX}")
    assert told.exit_code == 1 and "of other books" in told.stdout
    assert "head 封存值" not in told.stdout
