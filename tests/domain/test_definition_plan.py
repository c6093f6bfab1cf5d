"""Plans, schema, summary and the command line over campaign files."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from msgspec import inspect

from api.cli.campaign_file import campaign
from campaigns.domain.definition.limits import LISTS, MAX_COUNT, RANGES
from campaigns.domain.definition.load import from_plain, load, load_or_raise, to_plain
from campaigns.domain.definition.members import MEMBERS
from campaigns.domain.definition.model import Definition, RandomSplit
from campaigns.domain.definition.nodes import MAX_FILE_BYTES, MAX_NODES
from campaigns.domain.definition.plan import PlannedTier, funding_plan, issue_plan
from campaigns.domain.definition.problems import MAX_PROBLEMS
from campaigns.domain.definition.scalars import MAX_TEXT
from campaigns.domain.definition.schema import json_schema
from campaigns.domain.definition.summary import WORDS, summarize, summary_lines
from campaigns.domain.definition.templates import template_names, template_text
from campaigns.domain.errors import Refused
from campaigns.domain.scenarios import SCENARIOS, scenario_name, spendable_ids

PINGYIN = "pingyin-spend-and-save"


def definition_of(text: str) -> Definition:
    return load_or_raise(text)


def test_the_demo_campaign_is_planned_as_its_file_says() -> None:
    plan = issue_plan(definition_of(template_text(PINGYIN)))
    assert (plan.count, plan.planned_fen, plan.remainder_fen) == (3000, 19_000_000, 1_000_000)
    assert plan.remainder_by_funder == (("county-finance", 750_000), ("commerce-centre", 250_000))
    assert [tier.number for tier in plan.tiers] == list(range(1, 11))
    assert [tier.stratum for tier in plan.tiers[8:]] == ["*", "*"]
    assert plan.tiers[0].count == 180 and plan.tiers[0].stratum == "370124001"
    assert plan.tiers[9].split == RandomSplit(total_fen=5_000_000, low_fen=3_000, high_fen=6_000)
    assert plan.tiers[9].amount_fen is None and len(plan.tiers[9].units) == 1


def test_a_remainder_that_does_not_divide_goes_by_largest_remainder() -> None:
    text = template_text(PINGYIN).replace("budget_fen: 20000000", "budget_fen: 20000003")
    plan = issue_plan(definition_of(text))
    assert plan.remainder_by_funder == (("county-finance", 750_002), ("commerce-centre", 250_001))


def test_a_split_with_quotas_is_divided_over_them_exactly() -> None:
    text = template_text(PINGYIN).replace(
        "amount: {kind: split, total_fen: 5000000, low_fen: 3000, high_fen: 6000}",
        "amount: {kind: split, total_fen: 5000001, low_fen: 3000, high_fen: 6000}\n"
        '      quotas: [{place: "370124001", count: 700}, {place: "370124002", count: 500}]',
    )
    tiers = [tier for tier in issue_plan(definition_of(text)).tiers if tier.split]
    assert [(tier.stratum, tier.count, tier.total_fen) for tier in tiers] == [
        ("370124001", 700, 2_916_667),
        ("370124002", 500, 2_083_334),
    ]
    assert all(_feasible(tier) for tier in tiers)


def _feasible(tier: PlannedTier) -> bool:
    assert tier.split is not None
    return tier.count * tier.split.low_fen <= tier.split.total_fen <= tier.count * tier.split.high_fen


def test_funding_has_exact_rows_and_columns() -> None:
    text = template_text(PINGYIN).replace("budget_fen: 20000000", "budget_fen: 20000003")
    funding = funding_plan(definition_of(text))
    assert funding == [
        ("county-finance", "bank-a", 7_500_001),
        ("county-finance", "bank-b", 7_500_001),
        ("commerce-centre", "bank-a", 2_500_001),
        ("commerce-centre", "bank-b", 2_500_000),
    ]


def test_a_voucher_that_no_share_can_hold_lies_whole_at_one_operator() -> None:
    """Two operators with half of ¥10,000 each, and one packet pool of ¥10,000: one of them holds it all."""
    text = template_text("list-subsidy").replace("budget_fen: 10000000", "budget_fen: 1000000")
    text = text.replace(
        "share_bp: 10000}\n\nissuing",
        'share_bp: 5000}\n  - {id: bank-b, name: {zh: "乙", en: "B"}, share_bp: 5000}\n\nissuing',
    )
    household = next(line for line in text.splitlines() if "id: household" in line)
    definition = definition_of(text.replace(household + "\n", ""))
    assert [tier.units for tier in issue_plan(definition).tiers] == [(("bank-a", 200),)]
    assert funding_plan(definition) == [("county-finance", "bank-a", 1_000_000)]


def test_fixed_vouchers_are_kept_to_the_share_and_the_rest_evens_it_out() -> None:
    """Three packets of ¥100 and ¥50 more over two halves: two and one, and the rest to the one below its share."""
    text = template_text("stored-value-draw").replace("budget_fen: 1000000000", "budget_fen: 35000")
    text = text.replace(
        "count: 50000, amount: {kind: fixed, amount_fen: 20000}",
        "count: 3, amount: {kind: fixed, amount_fen: 10000}",
    )
    for operator in ("bank-c", "bank-d"):
        line = next(line for line in text.splitlines() if f"id: {operator}" in line)
        text = text.replace(line + "\n", "")
    definition = definition_of(text.replace("share_bp: 2500", "share_bp: 5000"))
    assert [tier.units for tier in issue_plan(definition).tiers] == [(("bank-a", 2), ("bank-b", 1))]
    assert [(operator, fen) for _, operator, fen in funding_plan(definition)] == [
        ("bank-a", 20_000),
        ("bank-b", 15_000),
    ]


def test_each_funder_pays_each_operator_in_proportion_to_the_fen() -> None:
    """Cells are within a fen of row times column: what is left over by rounding never gathers in one of them."""
    name = '{zh: "名", en: "name"}'
    text = template_text("list-subsidy").replace("budget_fen: 10000000", "budget_fen: 10000001")
    for member, shares in (("funders", (3333, 3333, 3334)), ("custody_operators", (2000, 3000, 5000))):
        line = text.split(f"{member}:\n")[1].split("\n")[0]
        records = [f"  - {{id: r{i}, name: {name}, share_bp: {share}}}" for i, share in enumerate(shares)]
        text = text.replace(line, "\n".join(records), 1)
    funding = funding_plan(definition_of(text))
    rows = {f: sum(fen for funder, _, fen in funding if funder == f) for f in ("r0", "r1", "r2")}
    columns = {o: sum(fen for _, operator, fen in funding if operator == o) for o in ("r0", "r1", "r2")}
    assert sum(rows.values()) == sum(columns.values()) == 10_000_001
    for funder, operator, fen in funding:
        assert abs(fen - rows[funder] * columns[operator] / 10_000_001) < 1, (funder, operator)


def test_a_definition_survives_storage() -> None:
    for name in template_names():
        definition = definition_of(template_text(name))
        assert from_plain(json.loads(json.dumps(to_plain(definition)))) == definition


def test_an_unknown_template_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        template_text("../scenarios")
    assert caught.value.code == "template_unknown"


# The schema for editors


def plain_of(text: str) -> Any:
    """What an editor sees: YAML 1.2 keeps dates and times as text."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


@pytest.mark.parametrize("name", template_names())
def test_templates_fit_the_schema(name: str) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    assert [error.message for error in validator.iter_errors(plain_of(template_text(name)))] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("budget_fen: 20000000", "budget_fen: 0"),
        ("budget_fen: 20000000", "budget_fen: 2.5"),
        ("budget_fen: 20000000", "budget_fenn: 20000000"),
        ("scenario: retail", "scenario: star_community"),
        ("kind: rehearsal", "kind: dice"),
        ('places: ["370124"]\n#', "places: [370124]\n#"),
        ("hold_seconds: 600", "hold_seconds: 86401"),
        ("2023-10-09 09:00", "2023-10-09T09:00"),
        ("[mon, tue, wed, thu, fri, sat, sun]", "[]"),
    ],
)
def test_the_schema_refuses_what_validation_refuses(old: str, new: str) -> None:
    text = template_text(PINGYIN).replace(old, new, 1)
    validator = jsonschema.Draft202012Validator(json_schema())
    assert not validator.is_valid(plain_of(text)) and load(text).problems


def test_every_member_has_words_an_example_and_limits() -> None:
    defs = json_schema()["$defs"]
    for struct, described in defs.items():
        tags = {"kind", "method"} if struct not in ("Source",) else set()
        for member, rules in described["properties"].items():
            if member in tags:
                continue
            assert member in MEMBERS[struct], (struct, member)
            assert rules["title"] and rules["description"] and rules["examples"]
    assert {name for struct in MEMBERS.values() for name in struct} >= {*RANGES, *LISTS} - {"count"}
    names = {t.cls.__name__ for t in _structs(inspect.type_info(Definition))}
    assert names == set(MEMBERS)


def _structs(kind: Any) -> list[inspect.StructType]:
    if isinstance(kind, inspect.StructType):
        return [kind, *(s for field in kind.fields for s in _structs(field.type))]
    inner = [getattr(kind, name) for name in ("item_type", "value_type") if hasattr(kind, name)]
    return [s for t in [*inner, *getattr(kind, "types", ())] for s in _structs(t)]


def test_examples_fit_their_own_place_in_the_schema() -> None:
    schema = json_schema()
    for struct, described in schema["$defs"].items():
        for member, rules in described["properties"].items():
            for example in rules.get("examples", ()):
                here = {"$defs": schema["$defs"], **rules}
                errors = list(jsonschema.Draft202012Validator(here).iter_errors(example))
                assert not errors, (struct, member, errors[0].message)


# Scenarios


def test_scenarios_are_those_of_the_programmes() -> None:
    assert len(SCENARIOS) == 30
    assert {"retail", "transport", "utilities"} <= set(spendable_ids())
    assert not {"zone", "star_community", "social_security_card", "consumption_subsidy", "tax"} & set(
        spendable_ids()
    )
    assert scenario_name("retail", "zh") == "零售消费" and scenario_name("retail", "en") == "Retail"
    assert scenario_name("other", "en") == "other"


# Summary and command line


def test_the_summary_says_money_and_remainder_in_both_languages() -> None:
    definition = definition_of(template_text(PINGYIN))
    for language, word in (("zh", "不发放、关闭时退回"), ("en", "Not issued, returns at closing")):
        lines = summary_lines(definition, language)
        assert f"{word}: ¥10,000.00" in lines
        assert "  county-finance → bank-a: ¥75,000.00" in lines
    assert all(zh and en for zh, en in WORDS.values())
    assert summarize(definition)["funding"][0]["amount_fen"] == 7_500_000


def run(*arguments: str, text: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(campaign, arguments, input=text)
    return result.exit_code, result.output


def test_validate_names_file_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(template_text(PINGYIN).replace("count: 800", "count: 8O0"), encoding="utf-8")
    code, output = run("validate", str(file), "--language", "en")
    assert code == 1
    assert output.startswith(f"{file}:75:14  issuing.tiers[0].count  '8O0' is not a whole number — ")
    code, output = run("validate", str(file), "--language", "zh")
    assert code == 1 and "不是整数——" in output


def test_validate_answers_json(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("code: no\n", encoding="utf-8")
    code, output = run("validate", str(file), "--json")
    answer = json.loads(output)
    assert code == 1 and answer["valid"] is False and answer["summary"] is None
    assert {"code", "path", "line", "column", "facts", "zh", "en"} == set(answer["problems"][0])
    code, output = run("validate", "-", "--json", text=template_text(PINGYIN))
    assert code == 0 and json.loads(output)["summary"]["count"] == 3000


def test_validate_says_what_a_good_file_will_issue() -> None:
    code, output = run("validate", "-", "--language", "en", text=template_text(PINGYIN))
    assert code == 0 and "3,000 vouchers, ¥190,000.00 of a budget of ¥200,000.00" in output
    assert "\x1b[" not in output


def test_a_missing_or_huge_file_is_one_sentence(tmp_path: Path) -> None:
    code, output = run("validate", str(tmp_path / "none.yaml"))
    assert code == 2 and "does not exist" in output
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as out:
        out.truncate(50_000_000)
    code, output = run("validate", str(huge), "--language", "en")
    assert code == 1 and "file_too_large" in output


def test_new_writes_a_template_and_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    assert run("new", "--template", "rush", str(file))[0] == 0
    assert file.read_text(encoding="utf-8") == template_text("rush")
    code, output = run("new", str(file))
    assert code == 1 and "exists" in output
    assert file.read_text(encoding="utf-8") == template_text("rush")


def test_show_prints_the_terms_and_schema_is_json() -> None:
    code, output = run("show", "-", "--language", "zh", text=template_text(PINGYIN))
    assert code == 0 and "平阴县（370124）" in output and "SHA-256" in output
    code, output = run("schema")
    assert code == 0 and json.loads(output)["$id"] == "urn:hongbao:campaign:1"


# Documents


@pytest.mark.parametrize(("name", "language"), [("campaign-file.md", "en"), ("campaign-file.zh.md", "zh")])
def test_the_documents_describe_every_member(name: str, language: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / name).read_text(encoding="utf-8")
    for members in MEMBERS.values():
        for member, words in members.items():
            meaning = words.zh if language == "zh" else words.en
            assert any(
                line.startswith(f"| `{member}` |") and meaning in line and words.example in line
                for line in text.splitlines()
            ), member
    for limit in (MAX_FILE_BYTES, MAX_NODES, MAX_TEXT, MAX_PROBLEMS, MAX_COUNT, LISTS["merchants"]):
        assert f"{limit:,}" in text or str(limit) in text, limit
