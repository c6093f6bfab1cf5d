"""A published folder: written whole, never overwritten, recomputed, and every tampering found and named."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from lottery import (
    BeaconError,
    BeaconRound,
    DirectoryError,
    LotteryError,
    beacon_source_due,
    build_commitment,
    check_beacon,
    commitment_files,
    draw_files,
    office_secret_digest,
    rehearsal_round,
    unverified_beacon,
    verify_directory,
    write_round,
)
from lottery.core import canonical
from lottery.publication import COMMITMENT_FILES
from tests.lottery import vectors
from tests.lottery.examples import (
    DUE,
    ROUND_1000,
    RULES,
    SECRET,
    VALUES,
    commitment_example,
    frozen_example,
    publish,
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("draw"))[0]


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(published, tmp_path / "r1"))


def codes(folder: Path, **options: bool) -> set[tuple[str, str]]:
    return {(problem.file, problem.code) for problem in verify_directory(folder, **options)}


def edit(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data, (path.name, old)
    path.write_bytes(data.replace(old, new, 1))


def relist(folder: Path) -> None:
    """Bring the digests of result.json up to date, as one who tampers with care would."""
    path = folder / "result.json"
    value = json.loads(path.read_bytes())
    value["sha256"] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in value["sha256"]
    }
    path.write_bytes(canonical.dump_file(value))


def test_a_published_draw_holds(published: Path) -> None:
    assert verify_directory(published) == []
    assert sorted(path.name for path in published.iterdir()) == [
        "commit.json", "cutoffs.csv", "entries.csv", "log.csv", "result.json", "rules.json", "seed-r1.txt",
        "struck.csv", "waitlist.csv", "winners.csv",
    ]  # fmt: skip
    assert (published / "entries.csv").read_bytes() == vectors.ENTRIES_CSV


def test_what_was_drawn(tmp_path: Path) -> None:
    _, drawn = publish(tmp_path)
    amounts = dict(zip((row.group for row in drawn.result.winners), drawn.amounts_fen, strict=False))
    assert amounts == {"gold": 20_000, "silver": 5_000}
    assert sum(drawn.amounts_fen) == 35_000
    result = json.loads(drawn.files["result.json"])
    assert result["beacon"]["status"] == "verified"
    assert result["counts"] == {
        "cutoffs": 4,
        "entries": 8,
        "log": 9,
        "struck": 1,
        "waitlist": 2,
        "winners": 4,
    }
    assert hashlib.sha256(drawn.files["seed-r1.txt"]).hexdigest() == drawn.seed


Spoil = Callable[[Path], None]
# What is done to the folder, with care (result.json brought up to date), and a problem that must be among those named.
TAMPERINGS: dict[str, tuple[Spoil, tuple[str, str]]] = {
    "entry dropped": (lambda d: edit(d / "entries.csv", b"A0000005,440105,1\n", b""), ("entries.csv", "merkle_root")),
    "entry moved": (lambda d: edit(d / "entries.csv", b"A0000005,440105", b"A0000005,440103"), ("entries.csv", "strata")),
    "tickets raised": (lambda d: edit(d / "entries.csv", b"A0000001,440103,1", b"A0000001,440103,9"), ("entries.csv", "tickets")),
    "entry added": (
        lambda d: (d / "entries.csv").write_bytes(vectors.ENTRIES_CSV + b"Z,440105,1\n"),
        ("entries.csv", "entries_not_log_less_struck"),
    ),
    "entries malformed": (lambda d: edit(d / "entries.csv", b"\n", b"\r\n"), ("entries.csv", "carriage_return")),
    "log reordered": (
        lambda d: (d / "log.csv").write_bytes(b"".join(reversed((d / "log.csv").read_bytes().splitlines(True)))),
        ("log.csv", "log_root"),
    ),
    "log shortened": (lambda d: edit(d / "log.csv", b"A0000009,440105,1,1692800002\n", b""), ("log.csv", "log_size")),
    "struck emptied": (lambda d: (d / "struck.csv").write_bytes(b""), ("struck.csv", "struck_sha256")),
    "struck with another reason": (lambda d: edit(d / "struck.csv", b"duplicate_person", b"because"), ("struck.csv", "reason")),
    "rules changed": (lambda d: edit(d / "rules.json", b"20000", b"90000"), ("rules.json", "rules_sha256")),
    "commitment changed": (lambda d: edit(d / "commit.json", b"pingyin", b"pingyan"), ("seed-r1.txt", "commit_differs")),
    "commitment malformed": (lambda d: edit(d / "commit.json", b'"round":1', b'"round": 1'), ("commit.json", "not_canonical")),
    "notary changed": (lambda d: edit(d / "seed-r1.txt", b"31,07", b"31,08"), ("winners.csv", "winners_differ")),
    "office dropped": (lambda d: edit(d / "seed-r1.txt", SECRET.hex().encode(), b"missing"), ("winners.csv", "winners_differ")),
    "office changed": (lambda d: edit(d / "seed-r1.txt", SECRET.hex().encode(), b"00" * 32), ("seed-r1.txt", "office_secret_differs")),
    "another round of the beacon": (lambda d: edit(d / "seed-r1.txt", b":1000:", b":1001:"), ("seed-r1.txt", "spec_differs")),
    "other randomness": (
        lambda d: edit(d / "seed-r1.txt", ROUND_1000.randomness.encode(), b"0" * 64),
        ("result.json", "beacon_randomness_differs"),
    ),
    "other signature": (
        lambda d: edit(d / "result.json", ROUND_1000.signature.encode(), vectors.QUICKNET_ROUNDS[42][0].encode()),
        ("result.json", "beacon_randomness_differs"),
    ),
    "winner exchanged": (lambda d: edit(d / "winners.csv", b",A", b",B"), ("winners.csv", "winners_differ")),
    "winner dropped": (
        lambda d: (d / "winners.csv").write_bytes(b"".join((d / "winners.csv").read_bytes().splitlines(True)[:-1])),
        ("winners.csv", "winners_differ"),
    ),
    "waitlist exchanged": (lambda d: edit(d / "waitlist.csv", b",A", b",B"), ("waitlist.csv", "waitlist_differ")),
    "cutoff changed": (lambda d: edit(d / "cutoffs.csv", b"silver,440103", b"silver,440106"), ("cutoffs.csv", "cutoffs_differ")),
    "count changed": (lambda d: edit(d / "result.json", b'"winners":4', b'"winners":5'), ("result.json", "counts_differ")),
    "beacon called unverified": (lambda d: edit(d / "result.json", b'"verified"', b'"unverified"'), ("result.json", "beacon_unverified")),
    "beacon called a rehearsal": (lambda d: edit(d / "result.json", b'"verified"', b'"rehearsal"'), ("result.json", "beacon_status")),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_named(folder: Path, name: str) -> None:
    spoil, expected = TAMPERINGS[name]
    spoil(folder)
    relist(folder)
    assert expected in codes(folder)


@pytest.mark.parametrize(
    "file", ["entries.csv", "seed-r1.txt", "winners.csv", "waitlist.csv", "cutoffs.csv", "rules.json"]
)
def test_careless_tampering_shows_in_the_digests(folder: Path, file: str) -> None:
    edit(folder / file, b"1", b"2")
    assert (file, "digest_differs") in codes(folder)


def test_every_missing_file_is_named(published: Path, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(published.iterdir())):
        copy = Path(shutil.copytree(published, tmp_path / str(number) / "r1"))
        (copy / path.name).unlink()
        assert (path.name, "missing_file") in codes(copy)
    assert codes(tmp_path / "nowhere") == {("nowhere", "no_folder")}


def test_wrong_folder_name(published: Path, tmp_path: Path) -> None:
    assert codes(Path(shutil.copytree(published, tmp_path / "r2"))) == {("commit.json", "folder_round")}


def test_a_commitment_younger_than_its_beacon_is_named(tmp_path: Path) -> None:
    """The due time is in the future, the committed round long past: the office could know it."""
    commitment = commitment_example()
    past = [dataclasses.replace(s, due=DUE + timedelta(days=1)) for s in commitment.sources]
    late = dataclasses.replace(commitment, committed_at=DUE + timedelta(hours=1), sources=tuple(past))
    files = commitment_files(frozen_example(), RULES, late)
    drawn = draw_files(files, VALUES, check_beacon(late, ROUND_1000))
    folder = write_round(tmp_path, 1, {**files, **drawn.files})
    assert codes(folder) == {("commit.json", "beacon_before_commitment"), ("commit.json", "beacon_not_due")}


def test_rehearsal_is_refused_unless_allowed(tmp_path: Path) -> None:
    commitment = commitment_example("rehearsal")
    with pytest.raises(BeaconError, match="rehearsal_refused"):
        check_beacon(commitment, rehearsal_round(1))
    folder, drawn = publish(tmp_path, "rehearsal")
    assert b"source.01.rehearsal=" in drawn.files["seed-r1.txt"]
    assert json.loads(drawn.files["result.json"])["beacon"]["status"] == "rehearsal"
    assert codes(folder) == {("commit.json", "rehearsal_beacon")}
    assert codes(folder, allow_rehearsal=True) == set()


def test_only_the_committed_and_genuine_round_counts() -> None:
    commitment = commitment_example()
    with pytest.raises(BeaconError, match="round_differs"):
        check_beacon(commitment, BeaconRound(1001, *vectors.QUICKNET_ROUNDS[1001]))
    with pytest.raises(BeaconError, match="signature_wrong"):
        check_beacon(commitment, BeaconRound(1000, *vectors.QUICKNET_ROUNDS[1001]))
    foreign = dataclasses.replace(commitment.sources[0], spec=f"{'0' * 64}:1000")
    with pytest.raises(BeaconError, match="chain_unknown"):
        check_beacon(dataclasses.replace(commitment, sources=(foreign, *commitment.sources[1:])), ROUND_1000)


def test_an_unverified_draw_says_so(tmp_path: Path) -> None:
    commitment = commitment_example()
    files = commitment_files(frozen_example(), RULES, commitment)
    drawn = draw_files(files, VALUES, unverified_beacon(commitment, ROUND_1000.randomness))
    folder = write_round(tmp_path, 1, {**files, **drawn.files})
    assert codes(folder) == {("result.json", "beacon_unverified")}
    with pytest.raises(BeaconError, match="randomness_form"):
        unverified_beacon(commitment, "ab")


def test_a_draw_needs_the_committed_files() -> None:
    commitment = commitment_example()
    files = commitment_files(frozen_example(), RULES, commitment)
    evidence = check_beacon(commitment, ROUND_1000)
    for name in COMMITMENT_FILES:
        with pytest.raises(LotteryError, match="missing_file"):
            draw_files({key: data for key, data in files.items() if key != name}, VALUES, evidence)
    spoiled = {**files, "entries.csv": files["entries.csv"].replace(b"440103,2", b"440103,3")}
    with pytest.raises(LotteryError, match="commitment_differs"):
        draw_files(spoiled, VALUES, evidence)
    with pytest.raises(LotteryError, match="exclude_not_allowed"):
        draw_files(files, VALUES, evidence, exclude=["A0000001"])
    with pytest.raises(LotteryError, match="commitment_differs"):
        commitment_files(frozen_example(), dataclasses.replace(RULES, waitlist=3), commitment)


def test_a_second_round_leaves_out_the_first_winners(tmp_path: Path) -> None:
    _, first = publish(tmp_path)
    winners = {row.entry_id for row in first.result.winners}
    # The round of the next commitment must be one whose signature is known here: a rehearsal round is.
    frozen = frozen_example()
    due = DUE + timedelta(hours=2)
    second = build_commitment(
        frozen, RULES, campaign="pingyin", draw_id="demo-2026-01", programme="jinan", round_number=2,
        committed_at=DUE + timedelta(hours=1), sources=(beacon_source_due("rehearsal", due),),
    )  # fmt: skip
    files = commitment_files(frozen, RULES, second)
    made = rehearsal_round(int(second.sources[0].spec.split(":")[1]))
    drawn = draw_files(files, {}, check_beacon(second, made, allow_rehearsal=True), exclude=winners)
    folder = write_round(tmp_path, 2, {**files, **drawn.files})
    assert winners.isdisjoint(row.entry_id for row in (*drawn.result.winners, *drawn.result.waitlist))
    assert codes(folder, allow_rehearsal=True) == set()
    assert b"\nexclude=" in (folder / "seed-r2.txt").read_bytes()
    shutil.rmtree(tmp_path / "r1")
    assert ("commit.json", "earlier_round") in codes(folder, allow_rehearsal=True)


def test_round_beyond_the_rules_is_refused() -> None:
    with pytest.raises(LotteryError, match="round"):
        build_commitment(
            frozen_example(), RULES, campaign="c", draw_id="d", programme="p", round_number=3,
            committed_at=DUE - timedelta(hours=1), sources=(beacon_source_due("drand", DUE),),
            office_secret_sha256=office_secret_digest(SECRET),
        )  # fmt: skip


def test_publishing_again_has_no_effect_and_something_else_is_refused(folder: Path) -> None:
    base = folder.parent
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    (folder / "waitlist.csv").unlink()
    with pytest.raises(DirectoryError) as caught:
        write_round(base, 1, {**files, "winners.csv": b"other\n"})
    assert (caught.value.code, caught.value.path.name) == ("differs", "winners.csv")
    assert not (folder / "waitlist.csv").exists()
    write_round(base, 1, files)
    after = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"waitlist.csv"}
    assert verify_directory(folder) == []


def test_a_crash_leaves_whole_files_and_the_marker_comes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commitment = commitment_example()
    files = commitment_files(frozen_example(), RULES, commitment)
    real, calls = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        calls.append(target.name)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(DirectoryError, match="No space left"):
        write_round(tmp_path, 1, files)
    present = [path for path in (tmp_path / "r1").iterdir() if not path.name.startswith(".")]
    assert len(present) == 2
    assert all(path.read_bytes() == files[path.name] for path in present)
    write_round(tmp_path, 1, files)
    assert calls[-1] == "commit.json"
    assert sorted(path.name for path in (tmp_path / "r1").iterdir()) == sorted(files)


def test_a_base_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "base").write_text("x")
    with pytest.raises(DirectoryError, match="io"):
        write_round(tmp_path / "base", 1, {})
