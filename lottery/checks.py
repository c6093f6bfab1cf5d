"""Whether the published lists are those a commitment fixed; each difference is a named problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lottery.core.commitment import Commitment
from lottery.core.entries import Entry, parse_entries
from lottery.core.errors import LotteryError
from lottery.core.files import parse_log, parse_struck, split_lines
from lottery.core.freeze import digest_log, entries_of_log, summarize_entries
from lottery.core.rules import Rules, parse_rules, rules_digest


class Problem(NamedTuple):
    """Something wrong with a published draw: the file it shows in, a stable code, a sentence."""

    file: str
    code: str
    message: str


def check_committed(files: Mapping[str, bytes], commitment: Commitment) -> list[Problem]:
    """Compare entries, rules, log and struck list with the commitment, and the entries with the log less the struck."""
    problems: list[Problem] = []
    rules = _check_rules(files, commitment, problems)
    _check_entries(files, commitment, problems)
    _check_log(files, commitment, problems)
    if rules is not None:
        _check_log_less_struck(files, rules, problems)
    return problems


def _check_rules(files: Mapping[str, bytes], commitment: Commitment, problems: list[Problem]) -> Rules | None:
    data = files.get("rules.json")
    if data is None:
        return None
    if rules_digest(data) != commitment.rules_sha256:
        problems.append(Problem("rules.json", "rules_sha256", "not the rules that were committed to"))
    try:
        rules = parse_rules(data)
    except LotteryError as error:
        problems.append(Problem("rules.json", error.code, error.message))
        return None
    if commitment.round > rules.rounds:
        problems.append(Problem("commit.json", "round", f"round {commitment.round} of {rules.rounds}"))
    return rules


def _check_entries(files: Mapping[str, bytes], commitment: Commitment, problems: list[Problem]) -> None:
    data = files.get("entries.csv")
    if data is None:
        return
    try:
        found = summarize_entries(split_lines(data))
    except LotteryError as error:
        problems.append(Problem("entries.csv", error.code, error.message))
        return
    for name in ("sha256", "merkle_root", "count", "tickets", "strata"):
        committed, actual = getattr(commitment.entries, name), getattr(found, name)
        if committed != actual:
            problems.append(Problem("entries.csv", name, f"{name} is {actual}, committed was {committed}"))


def _check_log(files: Mapping[str, bytes], commitment: Commitment, problems: list[Problem]) -> None:
    log, struck = files.get("log.csv"), files.get("struck.csv")
    if log is None or struck is None:
        return
    found, committed = digest_log(log, struck, commitment.log.origin), commitment.log
    if found.size != committed.size:
        problems.append(
            Problem("log.csv", "log_size", f"{found.size} lines, committed were {committed.size}")
        )
    if found.root != committed.root:
        problems.append(
            Problem("log.csv", "log_root", f"Merkle root {found.root}, committed was {committed.root}")
        )
    if found.struck_sha256 != committed.struck_sha256:
        problems.append(Problem("struck.csv", "struck_sha256", "not the struck list that was committed to"))


def _check_log_less_struck(files: Mapping[str, bytes], rules: Rules, problems: list[Problem]) -> None:
    if not {"entries.csv", "log.csv", "struck.csv"} <= files.keys():
        return
    try:
        entries = tuple(parse_entries(split_lines(files["entries.csv"])))
    except LotteryError:
        return  # named by _check_entries
    file = "log.csv"
    try:
        log = parse_log(split_lines(files["log.csv"]))
        file = "struck.csv"
        struck = parse_struck(split_lines(files["struck.csv"]), rules.skip_reasons)
        expected = entries_of_log(log, struck)
    except LotteryError as error:
        problems.append(Problem(file, error.code, error.message))
        return
    if entries != expected:
        example = _first_difference(entries, expected)
        message = f"the entries are not the log less the struck; first at {example}"
        problems.append(Problem("entries.csv", "entries_not_log_less_struck", message))


def _first_difference(entries: tuple[Entry, ...], expected: tuple[Entry, ...]) -> str:
    return min(set(entries) ^ set(expected)).entry_id
