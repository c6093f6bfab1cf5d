"""Every way a campaign file can be wrong: code, line, both languages, and all of them at once."""

from string import Formatter

import pytest
import yaml

from campaigns.domain.codes import CODES
from campaigns.domain.definition import nodes
from campaigns.domain.definition.load import load, load_or_raise
from campaigns.domain.definition.nodes import MAX_FILE_BYTES
from campaigns.domain.definition.problems import MAX_PROBLEMS, codes_of
from campaigns.domain.definition.templates import template_names, template_text
from campaigns.domain.errors import Invalid
from tests.domain.definition_cases import CASES, PINGYIN, YAML_CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}:{case.new[:30]!a}")
def test_a_bad_file_is_refused_with_code_and_line(case: Case) -> None:
    definition, problems = load(case.text())
    assert definition is None
    assert {p.code for p in problems} == {case.code, *case.also}, [(p.code, p.say("en")) for p in problems]
    found = next(p for p in problems if p.code == case.code)
    assert found.line == case.expected_line(), found
    for problem in problems:
        meaning = CODES[problem.code]
        assert _fields(meaning.zh) == _fields(meaning.en) <= set(problem.facts), problem


def test_every_code_of_a_file_has_a_case() -> None:
    whole_file = {
        "file_more_problems",
        "file_too_large",
        "file_not_utf8",
        "file_byte_order_mark",
        "file_empty",
    }
    wanted = {code for code in CODES if code.startswith("file_")} - whole_file
    assert wanted - {case.code for case in CASES} == set()


def test_every_sentence_says_what_to_write_in_both_languages() -> None:
    for code, meaning in CODES.items():
        if code.startswith("file_"):
            assert "——" in meaning.zh and " — " in meaning.en, code
            assert _fields(meaning.zh) == _fields(meaning.en), code


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        (b"", "file_empty", 1),
        (b"# nothing\n\n", "file_empty", 1),
        (b"schema: x\nname: \xc6\xbd\xd2\xf5\n", "file_not_utf8", 2),
        (b"x" * (MAX_FILE_BYTES + 1), "file_too_large", 1),
        ("\ufeff" + template_text(PINGYIN), "file_byte_order_mark", 1),
        (template_text(PINGYIN).encode("utf-16"), "file_not_utf8", 1),
        (b"- a\n- b\n", "file_not_mapping", 1),
        (b"just text\n", "file_not_mapping", 1),
        (b"42\n", "file_not_mapping", 1),
    ],
)
def test_files_that_are_no_campaign_at_all(source: bytes | str, code: str, line: int) -> None:
    definition, problems = load(source)
    assert definition is None
    assert (codes_of(problems), problems[0].line) == ([code], line)


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    edits = {
        "code: pingyin-autumn-2023": "code: no",
        "scenario: retail": "scenario: star_community",
        "time_zone: Asia/Shanghai": "time_zone: Asia/Shangai",
        'start: "2023-10-14 12:00", end: "2023-10-18': 'start: "2023-10-14 11:00", end: "2023-10-18',
        "budget_fen: 20000000": "budget_fen: ¥200,000.00",
        "share_bp: 7500": "share_bp: 7000",
        "count: 800": "count: 8O0",
        '{place: "370124002"': '{place: "370199002"',
        "kind: rehearsal": "kind: dice",
        "spend_fen: 10000": "spend_fen: 5000",
        '["07:00-22:00"]': '["22:00-07:00"]',
        '["2023-10-23"]': '["2023-12-24"]',
        "valid_days: 14": "valid_day: 14",
        "scope: person, period": "scop: person, period",
        "hold_seconds: 600": "hold_seconds: 86401",
    }
    text = template_text(PINGYIN)
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new, 1)
    problems = load(text).problems
    assert codes_of(problems) == [
        "file_text_unquoted",
        "file_scenario_place",
        "file_time_zone_unknown",
        "file_windows_overlap",
        "file_amount_not_fen",
        "file_shares_sum",
        "file_not_integer",
        "file_place_unknown",
        "file_not_choice",
        "file_steps_unordered",
        "file_hours_form",
        "file_blackout_outside",
        "file_member_misspelt",
        "file_member_misspelt",
        "file_out_of_range",
    ]
    assert [p.line for p in problems] == sorted(p.line for p in problems)


def test_the_number_of_problems_has_a_limit_and_says_how_many_follow() -> None:
    unknown = "".join(f"zzzz{n}: 1\n" for n in range(MAX_PROBLEMS + 50))
    problems = load(template_text(PINGYIN) + unknown).problems
    assert len(problems) == MAX_PROBLEMS
    assert problems[-1].code == "file_more_problems"
    assert problems[-1].facts["count"] == 51


def test_an_amount_in_yuan_is_answered_with_the_fen_to_write() -> None:
    for given, fen in (("30.0", 3000), ("¥30", 3000), ("30元", 3000), ("30.50", 3050), ("￥1,200.5", 120050)):
        text = template_text(PINGYIN).replace("min_spend_fen: 2000", f"min_spend_fen: {given}")
        problem = load(text).problems[0]
        assert (problem.code, problem.facts["fen"]) == ("file_amount_not_fen", fen), given
        assert str(fen) in problem.say("zh") and str(fen) in problem.say("en")


def test_callers_meet_one_typed_error_with_the_first_problem() -> None:
    with pytest.raises(Invalid) as caught:
        load_or_raise("code: no\n")
    assert caught.value.code == "definition_invalid"
    assert caught.value.facts["count"] == len(load("code: no\n").problems)
    assert caught.value.facts["line"] == 1


@pytest.mark.parametrize("name", template_names())
def test_templates_are_valid_in_any_line_ending(name: str) -> None:
    text = template_text(name)
    assert load(text).problems == ()
    assert load(text.replace("\n", "\r\n").encode()).problems == ()


@pytest.mark.parametrize("case", YAML_CASES, ids=lambda case: f"{case.code}:{case.new[:30]!a}")
def test_both_yaml_parsers_agree(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML is built with or without its C parser; the answer is the same, lines included."""
    answers = []
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        monkeypatch.setattr(nodes, "_LOADER", loader)
        answers.append([(p.code, p.line) for p in load(case.text()).problems])
    assert answers[0] == answers[1]


def test_messages_never_repeat_control_characters_or_long_texts() -> None:
    for value in ('"\\e[31mred\\e[0m"', '"' + "x" * 100_000 + '"', "!<tag:%1B%5B31m> 1"):
        for line in (f"budget_fen: {value}", f"{value.replace('!<tag:%1B%5B31m> 1', 'y')}: 1"):
            problems = load(template_text(PINGYIN).replace("budget_fen: 20000000", line, 1)).problems
            assert problems
            for problem in problems:
                said = problem.say("en") + problem.say("zh") + problem.path
                assert "\x1b" not in said and len(said) < 3_000


def test_a_file_with_thousands_of_slips_is_answered_in_bounded_work() -> None:
    text = template_text(PINGYIN) + "".join(f"budget_{n}: 1\n" for n in range(9_000))
    problems = load(text).problems
    assert len(problems) == MAX_PROBLEMS and int(str(problems[-1].facts["count"])) > 8_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{scope: person_merchant, period: day, uses: 1}", "{scope: person, period: week, uses: 3}"),
        ('["07:00-22:00"]', '["00:00-07:00", "07:00-24:00"]'),
        ("{spend_fen: 5000, save_fen: 1000}", "{spend_fen: 2000, save_fen: 2000}"),
        ("max_per_use_fen: 3000", "max_per_use_fen: 100000000"),
        ("hold_seconds: 600", "hold_seconds: 86400"),
        ("valid_days: 14", "valid_days: null"),
        ('["2023-10-23"]', '["2023-10-14", "2023-10-31"]'),
        ("max_entries: 200000", "max_entries: 3000"),
        ("budget_fen: 20000000", "budget_fen: 19000000"),
        ("total_fen: 5000000", "total_fen: 3600000"),
        ('"2023-10-13 18:00", end: "2023-10-14 12:00"', '"2023-10-13 18:01", end: "2023-10-14 11:59"'),
    ],
)
def test_values_on_the_edge_are_allowed(old: str, new: str) -> None:
    text = template_text(PINGYIN)
    assert old in text
    assert load(text.replace(old, new, 1)).problems == ()
