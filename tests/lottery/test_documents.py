"""rules.json, commit.json and the transcript: what they accept, and what each refusal is called."""

import dataclasses
import json
from datetime import timedelta

import pytest
from hypothesis import given

from lottery import (
    Commitment,
    CommitmentError,
    Group,
    Rules,
    RulesError,
    Source,
    Split,
    TranscriptError,
    beacon_source_due,
    build_transcript,
    commitment_digest,
    exclude_digest,
    format_commitment,
    format_rules,
    office_secret_digest,
    parse_commitment,
    parse_rules,
    parse_transcript,
)
from lottery.core import canonical
from lottery.core.sources import beacon_value
from lottery.core.transcript import check_transcript
from tests.lottery import strategies, vectors
from tests.lottery.examples import COMMITTED_AT, DUE, ROUND_1000, SECRET, VALUES, commitment_example

RULES_JSON = (
    b'{"algorithm":"hashrank-1","groups":[{"amount_fen":20000,"capacity":1,"name":"gold","stratum":"*"}],"rounds":1,'
    b'"skip_reasons":["not_accepted","withdrawn","duplicate_person","not_eligible"],"spill":"none","waitlist":2}\n'
)
GOLD = Group("gold", "*", 1, amount_fen=20_000)
DRAND = beacon_value(
    vectors.TRANSCRIPT.split(b"drand=")[1].split(b":")[0].decode(), 1000, ROUND_1000.randomness
)


def test_rules_as_published() -> None:
    rules = Rules((GOLD,), waitlist=2)
    assert format_rules(rules) == RULES_JSON
    assert parse_rules(RULES_JSON) == rules


@given(strategies.rules)
def test_rules_round_trip(rules: Rules) -> None:
    assert parse_rules(format_rules(rules)) == rules


def test_rules_with_a_split_round_trip() -> None:
    rules = Rules((Group("a", "440103", 9, split=Split(total=9000, count=9, low=1, high=2000)),))
    assert b'"split":{"count":9,"high":2000,"low":1,"total":9000}' in format_rules(rules)
    assert parse_rules(format_rules(rules)) == rules


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"algorithm": "hashrank-2"}, "algorithm", "algorithm"),
        ({"groups": []}, "group_count", "groups"),
        ({"groups": "x"}, "type", "groups"),
        ({"spill": "maybe"}, "spill", "spill"),
        ({"waitlist": -1}, "range", "waitlist"),
        ({"waitlist": "2"}, "type", "waitlist"),
        ({"rounds": 0}, "range", "rounds"),
        ({"skip_reasons": ["a", "a"]}, "duplicate_reason", "skip_reasons"),
        ({"skip_reasons": ["A"]}, "reason", "skip_reasons[0]"),
        ({"more": 1}, "unknown_member", ""),
        (
            {"groups": [{"amount_fen": 1, "capacity": 0, "name": "a", "stratum": "*"}]},
            "range",
            "groups[0].capacity",
        ),
        (
            {"groups": [{"amount_fen": 0, "capacity": 1, "name": "a", "stratum": "*"}]},
            "range",
            "groups[0].amount_fen",
        ),
        ({"groups": [{"capacity": 1, "name": "a", "stratum": "*"}]}, "amount_or_split", "groups[0]"),
        (
            {"groups": [{"amount_fen": 1, "capacity": 1, "name": "a,b", "stratum": "*"}]},
            "name",
            "groups[0].name",
        ),
        (
            {"groups": [{"amount_fen": 1, "capacity": 1, "name": "a", "stratum": "**"}]},
            "stratum",
            "groups[0].stratum",
        ),
        (
            {"groups": [{"amount_fen": 1, "capacity": 1, "name": "a", "stratum": "*"}] * 2},
            "duplicate_group",
            "groups[1]",
        ),
        (
            {
                "groups": [
                    {
                        "capacity": 2,
                        "name": "a",
                        "split": {"count": 1, "high": 9, "low": 1, "total": 5},
                        "stratum": "*",
                    }
                ]
            },
            "split_count",
            "groups[0].split.count",
        ),
        (
            {
                "groups": [
                    {
                        "capacity": 1,
                        "name": "a",
                        "split": {"count": 2, "high": 9, "low": 1, "total": 19},
                        "stratum": "*",
                    }
                ]
            },
            "split",
            "groups[0].split",
        ),
    ],
)
def test_rules_that_are_refused(change: dict[str, canonical.Value], code: str, where: str) -> None:
    value = json.loads(RULES_JSON) | change
    with pytest.raises(RulesError) as caught:
        parse_rules(canonical.dump_file(value))
    assert (caught.value.code, caught.value.where) == (code, where)


def test_rules_without_a_member_or_a_final_newline() -> None:
    value = json.loads(RULES_JSON)
    del value["spill"]
    with pytest.raises(RulesError, match="spill"):
        parse_rules(canonical.dump_file(value))
    with pytest.raises(RulesError, match="no_final_newline"):
        parse_rules(RULES_JSON[:-1])
    with pytest.raises(RulesError, match="not_canonical"):
        parse_rules(RULES_JSON + b"\n")


def test_commitment_round_trip() -> None:
    commitment = commitment_example()
    data = format_commitment(commitment)
    assert parse_commitment(data) == commitment
    assert data == canonical.dump_file(json.loads(data))
    assert json.loads(data)["committed_at"] == "2023-08-23T23:29:26+08:00"
    assert json.loads(data)["entries"]["sha256"] == vectors.ENTRIES_SHA256


def changed(**change: object) -> Commitment:
    return dataclasses.replace(commitment_example(), **change)  # type: ignore[arg-type]


def test_commitments_that_are_refused() -> None:
    beacon = beacon_source_due("drand", DUE)
    late = Source("notary", DUE + timedelta(seconds=1), "missing")
    cases: list[tuple[dict[str, object], str]] = [
        ({"campaign": "a b"}, "form"),
        ({"rules_sha256": "A" * 64}, "form"),
        ({"round": 0}, "range"),
        ({"committed_at": COMMITTED_AT.replace(tzinfo=None)}, "time"),
        ({"committed_at": COMMITTED_AT.replace(microsecond=1)}, "time"),
        ({"committed_at": DUE}, "due"),
        ({"sources": ()}, "source_count"),
        ({"sources": (Source("office", DUE, "missing"),)}, "beacon"),
        ({"sources": (beacon, beacon)}, "duplicate_source"),
        ({"sources": (beacon, beacon_source_due("rehearsal", DUE))}, "beacon"),
        ({"sources": (dataclasses.replace(beacon, missing="missing"),)}, "beacon_wait"),
        ({"sources": (dataclasses.replace(beacon, spec="quicknet:1000"),)}, "spec"),
        ({"sources": (beacon, late)}, "beacon_last"),
        ({"sources": (beacon, Source("ssq", DUE, "wait", "25001"))}, "spec"),
        ({"sources": (beacon,)}, "office"),
        ({"office_secret_sha256": ""}, "form"),
        ({"entries": dataclasses.replace(commitment_example().entries, strata={"440103": 7})}, "strata_sum"),
        ({"entries": dataclasses.replace(commitment_example().entries, tickets=801)}, "range"),
        ({"log": dataclasses.replace(commitment_example().log, size=7)}, "range"),
        ({"log": dataclasses.replace(commitment_example().log, origin="a\nb")}, "form"),
    ]
    for change, code in cases:
        with pytest.raises(CommitmentError) as caught:
            changed(**change)
        assert caught.value.code == code, change


def test_commitment_files_with_odd_times_are_refused() -> None:
    value = json.loads(format_commitment(commitment_example()))
    for text in (
        "2026-02-08 12:00:00+08:00",
        "2026-02-08T12:00:00Z",
        "2026-02-30T12:00:00+08:00",
        "2026-02-08T12:00:00",
    ):
        with pytest.raises(CommitmentError) as caught:
            parse_commitment(canonical.dump_file(value | {"committed_at": text}))
        assert (caught.value.code, caught.value.where) == ("time", "committed_at")


def test_office_secret_digest_is_over_the_bytes() -> None:
    assert (
        office_secret_digest(bytes(32)) == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    )
    with pytest.raises(ValueError, match="32 bytes"):
        office_secret_digest(b"0" * 64)


def transcript(round_number: int = 1, exclude: str = "", **values: str) -> bytes:
    commitment = commitment_example(round_number=round_number)
    digest = commitment_digest(format_commitment(commitment))
    return build_transcript(commitment, digest, {"drand": DRAND, **VALUES, **values}, exclude)


def test_transcript_in_the_committed_order() -> None:
    lines = transcript().decode().splitlines()
    assert lines[:3] == ["lottery-seed/1", "draw=demo-2026-01", "round=1"]
    assert lines[4:] == [
        f"source.01.drand={DRAND}",
        f"source.02.ssq={VALUES['ssq']}",
        f"source.03.office={SECRET.hex()}",
        "source.04.notary=31,07,22,18",
    ]


def test_missing_sources_and_later_rounds() -> None:
    assert b"source.03.office=missing\n" in transcript(office="missing")
    exclude = exclude_digest(["B", "A"])
    assert transcript(round_number=2, exclude=exclude).endswith(f"\nexclude={exclude}\n".encode())
    assert (
        exclude == "daee1cd25194ae952d046ad9b9c81d3c07dc5332440b58d6d7461b248be56712"
    )  # printf 'A\nB\n' | sha256sum


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"drand": "missing"}, "missing_not_allowed"),
        ({"drand": DRAND.replace(":1000:", ":1001:")}, "spec_differs"),
        ({"drand": DRAND[:-1]}, "source_value"),
        ({"ssq": "2025002:02,05,08,10,12,33+07"}, "spec_differs"),
        ({"ssq": "2025001:05,02,08,10,12,33+07"}, "source_value"),
        ({"ssq": "2025001:02,05,08,10,12,34+07"}, "source_value"),
        ({"ssq": "2025001:02,05,08,10,12,33+17"}, "source_value"),
        ({"office": "00" * 32}, "office_secret_differs"),
        ({"office": SECRET.hex().upper()}, "source_value"),
        ({"notary": "31,7"}, "source_value"),
        ({"notary": "31\nexclude=" + "0" * 64}, "source_value"),
        ({"notary": "３１"}, "source_value"),
        ({"rehearsal": DRAND}, "unknown_source"),
    ],
)
def test_values_that_are_refused(values: dict[str, str], code: str) -> None:
    with pytest.raises(TranscriptError) as caught:
        transcript(**values)
    assert caught.value.code == code


def test_a_value_must_be_given_for_each_source() -> None:
    commitment = commitment_example()
    with pytest.raises(TranscriptError) as caught:
        build_transcript(commitment, "0" * 64, {"drand": DRAND})
    assert caught.value.code == "value_absent"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"lottery-seed/1", b"lottery-seed/2", "version"),
        (b"round=1\n", b"round=01\n", "round"),
        (b"round=1\n", b"", "line_order"),
        (b"draw=demo-2026-01\nround=1\n", b"round=1\ndraw=demo-2026-01\n", "line_order"),
        (b"source.02", b"source.03", "source_number"),
        (b".ssq=", b".lotto=", "source_kind"),
        (b"source.04.notary=31,07,22,18\n", b"source.04.notary=31,07,22,18", "no_final_newline"),
        (b"source.04.notary=31,07,22,18\n", b"source.04.notary=31,07,22,18\r\n", "source_value"),
        (b"source.04.notary=31,07,22,18\n", b"\n", "source_line"),
        (b"round=1\n", b"round=2\n", "exclude_required"),
        (b"+07", b"+\xef\xbc\x97", "ascii"),
    ],
)
def test_malformed_transcripts(old: bytes, new: bytes, code: str) -> None:
    assert old in vectors.TRANSCRIPT
    with pytest.raises(TranscriptError) as caught:
        parse_transcript(vectors.TRANSCRIPT.replace(old, new))
    assert caught.value.code == code


def test_exclude_belongs_to_later_rounds_only() -> None:
    with pytest.raises(TranscriptError) as caught:
        parse_transcript(vectors.TRANSCRIPT + b"exclude=" + b"0" * 64 + b"\n")
    assert caught.value.code == "exclude_not_allowed"
    with pytest.raises(TranscriptError) as caught:
        transcript(round_number=2)
    assert caught.value.code == "exclude_required"


def test_transcript_against_another_commitment() -> None:
    commitment = commitment_example()
    digest = commitment_digest(format_commitment(commitment))
    parsed = parse_transcript(transcript())
    check_transcript(parsed, commitment, digest)
    swapped = dataclasses.replace(commitment, sources=(*commitment.sources[:2], *commitment.sources[:1:-1]))
    cases = [
        (dataclasses.replace(commitment, draw="other"), digest, "draw_differs"),
        (dataclasses.replace(commitment, round=2), digest, "round_differs"),
        (commitment, "0" * 64, "commit_differs"),
        (swapped, digest, "sources_differ"),
    ]
    for other, other_digest, code in cases:
        with pytest.raises(TranscriptError) as caught:
            check_transcript(parsed, other, other_digest)
        assert caught.value.code == code
