"""Whatever is written into a campaign file, the answer is a definition that can be planned, or problems."""

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.domain.definition.load import load
from campaigns.domain.definition.plan import funding_plan, issue_plan
from campaigns.domain.definition.templates import template_names, template_text

TEMPLATES = [template_text(name) for name in template_names()]
TRAPS = [
    "no", "~", "1.5", "1e999", ".inf", "0x10", "010", "1_000", "12:30", "2023-02-30", "٣", "９", "-1", "99999999999999999999",
    "[]", "{}", "[[[]]]", "{a: 1}", "<<", "*a", "&a b", "!!python/none", "!x", "'", '"', "? ", "- ", ": ", "#", "%", "@", "\t",
    "\x00", "\ud800", "\u2028", "\ufeff", "¥30", "30元", "true", "24:00", "é", "|", ">", "---", "...", "370100", '"370100"', "{{}}", "{line}",
]  # fmt: skip
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def examine(source: str | bytes) -> None:
    definition, problems = load(source)
    assert (definition is None) == bool(problems)
    for problem in problems:
        assert problem.line >= 1 and problem.column >= 1
        assert problem.say("zh") and problem.say("en")
    if definition is not None:
        plan = issue_plan(definition)
        assert plan.planned_fen + plan.remainder_fen == definition.budget_fen
        assert sum(fen for _, fen in plan.remainder_by_funder) == plan.remainder_fen
        assert sum(fen for _, _, fen in funding_plan(definition)) == definition.budget_fen


@SETTINGS
@given(st.data())
def test_cut_and_pasted_templates(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEMPLATES))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.sampled_from([0, 1, 2, 5, 40, 400])))
        text = text[:start] + data.draw(st.sampled_from(TRAPS) | st.text(max_size=5)) + text[end:]
    examine(text)


@SETTINGS
@given(st.data())
def test_templates_with_values_replaced(data: st.DataObject) -> None:
    plain = yaml.load(data.draw(st.sampled_from(TEMPLATES)), Loader=yaml.BaseLoader)
    for _ in range(data.draw(st.integers(1, 3))):
        replace_one(plain, data)
    examine(yaml.dump(plain, allow_unicode=True, sort_keys=False))


def replace_one(node: Any, data: st.DataObject) -> None:
    """Walk down to some value and put another one there, or take it away."""
    while True:
        if not node:
            return
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        child = node[key]
        if isinstance(child, dict | list) and data.draw(st.integers(0, 4)):
            node = child
            continue
        if data.draw(st.booleans()):
            del node[key]
        else:
            node[key] = data.draw(values)
        return


values = st.recursive(
    st.sampled_from(TRAPS[:19])
    | st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.none()
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "count", "kind", "x"]), inner)
    ),
    max_leaves=5,
)


@SETTINGS
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_or_bytes(source: str | bytes) -> None:
    examine(source)


@SETTINGS
@given(
    st.lists(st.integers(1, 4000), min_size=1, max_size=4),
    st.lists(st.integers(1, 50), min_size=1, max_size=4),
    st.lists(st.integers(1, 50), min_size=1, max_size=4),
    st.integers(0, 100_000),
)
def test_every_budget_that_validates_is_laid_out_exactly(
    amounts: list[int], funders: list[int], operators: list[int], spare: int
) -> None:
    plain = yaml.safe_load(template_text("list-subsidy"))
    name = {"zh": "名", "en": "name"}
    plain["funders"] = records(funders, name)
    plain["custody_operators"] = records(operators, name)
    plain["issuing"]["tiers"] = [
        {"id": f"t{i}", "name": name, "count": 7 + i, "amount": {"kind": "fixed", "amount_fen": amount}}
        for i, amount in enumerate(amounts)
    ]
    plain["budget_fen"] = sum((7 + i) * amount for i, amount in enumerate(amounts)) + spare
    definition, problems = load(json.dumps(plain))
    assert definition is not None, problems
    plan, funding = issue_plan(definition), funding_plan(definition)
    for operator in definition.custody_operators:
        held = sum(
            n * (tier.amount_fen or 0) for tier in plan.tiers for o, n in tier.units if o == operator.id
        )
        paid = sum(fen for _, o, fen in funding if o == operator.id)
        assert held <= paid
        # Kept to a voucher: two of the largest, as each tier may leave one over.
        target = plain["budget_fen"] * operator.share_bp / 10_000
        assert abs(paid - target) <= sum(amounts) + 1
    assert all(sum(n for _, n in tier.units) == tier.count for tier in plan.tiers)
    assert sum(fen for _, _, fen in funding) == definition.budget_fen
    assert all(fen > 0 for _, _, fen in funding)


def records(weights: list[int], name: dict[str, str]) -> list[dict[str, Any]]:
    """Shares in basis points in proportion to the weights; the last takes the rest."""
    shares = [weight * 10_000 // sum(weights) for weight in weights]
    shares[-1] += 10_000 - sum(shares)
    return [{"id": f"r{i}", "name": name, "share_bp": share} for i, share in enumerate(shares)]
