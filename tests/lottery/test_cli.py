"""`python -m lottery`: a whole draw from the command line, and its exit codes."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from lottery import Rules, format_rules, office_secret_digest
from lottery.__main__ import main
from tests.lottery import vectors
from tests.lottery.examples import COMMITTED_AT, DUE, RULES, SECRET, frozen_example


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def freeze_arguments(folder: Path, kind: str, rules: Rules = RULES) -> list[object]:
    frozen = frozen_example()
    (folder / "log.csv").write_bytes(frozen.log_csv)
    (folder / "struck.csv").write_bytes(frozen.struck_csv)
    (folder / "rules.json").write_bytes(format_rules(rules))
    return [
        "freeze", "--log", folder / "log.csv", "--struck", folder / "struck.csv", "--rules", folder / "rules.json",
        "--out", folder / "draw", "--campaign", "pingyin", "--draw", "demo", "--programme", "jinan",
        "--origin", "example.gov.cn/log", "--committed-at", COMMITTED_AT.isoformat(),
        "--source", kind, DUE.isoformat(), "wait", "", "--source", "office", DUE.isoformat(), "missing", "",
        "--office-secret-sha256", office_secret_digest(SECRET),
    ]  # fmt: skip


def test_a_draw_by_drand(tmp_path: Path) -> None:
    done = run(*freeze_arguments(tmp_path, "drand"))
    assert done.exit_code == 0, done.output
    assert vectors.ENTRIES_ROOT in done.output
    folder = tmp_path / "draw" / "r1"
    beacon = tmp_path / "1000.json"
    signature, randomness = vectors.QUICKNET_ROUNDS[1000]
    beacon.write_text(json.dumps({"round": 1000, "randomness": randomness, "signature": signature}))
    for _ in range(2):  # repeating it has no effect
        drawn = run("draw", folder, "--beacon", beacon, "--office", SECRET.hex())
        assert drawn.exit_code == 0, drawn.output
        assert "4 winners, 35000 fen, beacon verified" in drawn.output
    checked = run("verify", folder)
    assert (checked.exit_code, checked.output) == (0, "every check holds\n")
    other = run("draw", folder, "--beacon", beacon)
    assert other.exit_code == 2
    assert "differs" in other.output
    (folder / "winners.csv").write_bytes(b"")
    spoiled = run("verify", folder, "--backend", "py_ecc")
    assert spoiled.exit_code == 1
    assert "winners.csv: winners_differ:" in spoiled.output


def test_a_rehearsal(tmp_path: Path) -> None:
    assert run(*freeze_arguments(tmp_path, "rehearsal")).exit_code == 0
    folder = tmp_path / "draw" / "r1"
    drawn = run("draw", folder, "--rehearsal")
    assert drawn.exit_code == 0, drawn.output
    assert "beacon rehearsal" in drawn.output
    assert run("verify", folder).exit_code == 1
    assert run("verify", folder, "--rehearsal").exit_code == 0


def test_wrong_calls(tmp_path: Path) -> None:
    arguments = freeze_arguments(tmp_path, "drand")
    assert run(*arguments).exit_code == 0
    folder = tmp_path / "draw" / "r1"
    for call, message in (
        (["draw", folder], "exactly one"),
        (["draw", folder, "--rehearsal"], "names drand"),
        (["draw", folder, "--unverified", "ab"], "randomness_form"),
        (["draw", folder, "--unverified", "ab" * 32, "--notary", "01"], "unknown_source"),
        (["draw", folder, "--unverified", "ab" * 32, "--office", "00" * 32], "office_secret_differs"),
        (["draw", tmp_path / "draw", "--rehearsal"], "missing_file"),
        ([*arguments, "--round", 3], "the rules allow 2 rounds"),
        ([*arguments, "--committed-at", "2023-08-23T23:29:26"], "no offset"),
        ([*arguments, "--committed-at", "yesterday"], "not like"),
    ):
        failed = run(*call)
        assert failed.exit_code == 2, failed.output
        assert message in failed.output
    (tmp_path / "log.csv").write_bytes(b"A,x,1,1\nA,x,1,1\n")
    doubled = run(*arguments)
    assert doubled.exit_code == 2
    assert "log.csv:2: entry A occurs twice" in doubled.output


def test_beacon_verify(tmp_path: Path) -> None:
    path = tmp_path / "round.json"
    path.write_text(json.dumps({"round": 42, "signature": vectors.QUICKNET_ROUNDS[42][0]}))
    genuine = run("beacon", "verify", path)
    assert genuine.exit_code == 0
    assert vectors.QUICKNET_ROUNDS[42][1] in genuine.output
    assert run("beacon", "verify", path, "--chain", "rehearsal").exit_code == 1
    path.write_text(json.dumps({"round": 43, "signature": vectors.QUICKNET_ROUNDS[42][0]}))
    assert run("beacon", "verify", path, "--backend", "py_ecc").exit_code == 1
    path.write_text("{")
    assert run("beacon", "verify", path).exit_code == 2


def test_selftest() -> None:
    done = run("selftest")
    assert done.exit_code == 0
    assert "FAIL" not in done.output
    assert "ok  hashrank-1" in done.output
