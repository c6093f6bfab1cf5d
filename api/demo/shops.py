"""Simulated merchants with their stores and tills. Pure: a seed gives the same list."""

from random import Random
from typing import NamedTuple

from msgspec import structs
from stdnum.cn import uscc

from api.demo.behaviour import Behaviour
from campaigns.services.merchant_import import ImportRow

LABEL = "pingyin-2023"
OUTSIDE = "370102"  # a district of the same city
OTHER_SCENARIO = "medical"
MOST_WEIGHT = 12
_NAMES = ("惠民", "玫瑰", "云翠", "锦水", "翠屏", "福阿", "洪范", "圣母山", "金河", "玉带", "平安", "万家")
_RETAIL = (
    ("超市", "5411"),
    ("便利店", "5499"),
    ("百货", "5311"),
    ("餐馆", "5812"),
    ("粮油店", "5499"),
    ("家电", "5732"),
)
_CULTURE = (("书店", "5942"), ("影院", "7832"), ("体育馆", "7941"), ("农庄", "7033"))
_PHARMACY = ("药房", "5912")


class Till(NamedTuple):
    """A till as the plan names it. ``kind`` is listed, not_listed, outside or other_scenario."""

    terminal: str
    merchant: str
    channel: str
    kind: str
    weight: int


class Shops(NamedTuple):
    """The list to import and the tills in it."""

    rows: tuple[ImportRow, ...]
    tills: tuple[Till, ...]


def make_shops(behaviour: Behaviour, seed: int, count: int, operators: tuple[str, ...]) -> Shops:
    """``count`` merchants, those that do not fit the campaign included."""
    chance = Random(f"{seed}|shops")
    plan = behaviour.shops
    odd = ["not_listed"] * plan.not_listed + ["outside"] * plan.outside
    odd += ["other_scenario"] * plan.other_scenario
    kinds = ["listed"] * (count - len(odd)) + odd
    rows: list[ImportRow] = []
    tills: list[Till] = []
    for number, kind in enumerate(kinds, start=1):
        row = _row(chance, behaviour, number, kind, operators[number % len(operators)])
        channels = ["in_store"]
        if kind == "listed" and number <= plan.unattended:
            channels.append("unattended")
        elif kind == "listed" and chance.randrange(10_000) < plan.online_bp:
            channels.append("online")
        weight = 1 + int(chance.paretovariate(1.3))  # a few shops are visited far more than others
        for place, channel in enumerate(channels, start=1):
            terminal = f"t{number:04d}-{place}"
            rows.append(structs.replace(row, terminal=terminal, channel=channel))
            tills.append(Till(terminal, row.merchant, channel, kind, min(weight, MOST_WEIGHT)))
    return Shops(tuple(rows), tuple(tills))


def _row(chance: Random, behaviour: Behaviour, number: int, kind: str, operator: str) -> ImportRow:
    """A merchant with its store; the till is put in afterwards."""
    plan = behaviour.shops
    place = chance.choices(list(plan.places), list(plan.places.values()))[0]
    scenario, (what, mcc) = "retail", chance.choice(_RETAIL)
    if chance.randrange(10_000) < plan.culture_bp:
        scenario, (what, mcc) = "culture_tourism_sports", chance.choice(_CULTURE)
    if kind == "other_scenario":
        scenario, (what, mcc) = OTHER_SCENARIO, _PHARMACY
    name = f"{chance.choice(_NAMES)}{what}{number}号"
    return ImportRow(
        merchant=f"m{number:04d}",
        name=name,
        credit_code=_credit_code(number),
        operator=operator,
        mcc=mcc,
        store=f"s{number:04d}",
        store_name=f"{name}店",
        place=OUTSIDE if kind == "outside" else place,
        scenario=scenario,
        terminal="",
        tags=() if kind == "not_listed" else (LABEL,),
    )


def _credit_code(number: int) -> str:
    """A unified social credit code (GB 32100) with its check character, of no company that exists."""
    front = f"91370124MA0D{number:05d}"
    return front + str(uscc.calc_check_digit(front))
