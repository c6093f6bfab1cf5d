"""Rules of `decide` about store, whitelist, goods, channel and position."""

import pytest

from campaigns.domain.terms.facts import Allowed, Denial, Position
from campaigns.domain.terms.model import Circle, Whitelist
from tests.domain.decide_cases import ask, code, given, items, stored


@pytest.mark.parametrize(
    ("places", "store", "expected"),
    [
        (("370124",), "370124101", "ok"),
        (("370124",), "370124", "ok"),
        (("370124",), "37012", "place_not_allowed"),
        (("370124",), "370125", "place_not_allowed"),
        (("370125", "3701"), "370124101", "ok"),
        (("3702", "3203"), "370124101", "place_not_allowed"),
        (("370124",), "", "place_not_allowed"),
        ((), "", "ok"),
    ],
)
def test_place_of_the_store(places: tuple[str, ...], store: str, expected: str) -> None:
    assert code(ask(stored(places=places), store={"place": store})) == expected


@pytest.mark.parametrize(
    ("whitelist", "missed"),
    [
        (Whitelist(), None),
        (Whitelist(merchants=("M000", "M001")), None),
        (Whitelist(merchants=("M000",)), "merchants"),
        (Whitelist(tags=("hotel", "restaurant")), None),
        (Whitelist(tags=("hotel",)), "tags"),
        (Whitelist(places=("3203", "3701")), None),
        (Whitelist(places=("3203",)), "places"),
        (Whitelist(zones=("harbour", "old-town")), None),
        (Whitelist(zones=("harbour",)), "zones"),
        (Whitelist(mcc=("5411", "5812")), None),
        (Whitelist(mcc=("5411",)), "mcc"),
        (
            Whitelist(
                merchants=("M001",), tags=("restaurant",), places=("37",), zones=("old-town",), mcc=("5812",)
            ),
            None,
        ),
        (Whitelist(merchants=("M001",), mcc=("5411",)), "mcc"),
        (Whitelist(merchants=("M000",), mcc=("5812",)), "merchants"),
    ],
)
def test_whitelist_needs_every_list_that_is_not_empty(whitelist: Whitelist, missed: str | None) -> None:
    decision = ask(whitelist=whitelist)
    assert code(decision) == ("merchant_not_listed" if missed else "ok")
    if isinstance(decision, Denial):
        assert decision.facts == {"list": missed}


@pytest.mark.parametrize(
    ("scenarios", "expected"),
    [((), "ok"), (("transport", "retail"), "ok"), (("transport",), "scenario_not_allowed")],
)
def test_scenario(scenarios: tuple[str, ...], expected: str) -> None:
    assert code(ask(stored(scenarios=scenarios))) == expected


@pytest.mark.parametrize(
    ("mcc", "expected"), [((), "ok"), (("5411", "5812"), "ok"), (("5411",), "mcc_not_allowed")]
)
def test_merchant_category(mcc: tuple[str, ...], expected: str) -> None:
    assert code(ask(stored(mcc=mcc))) == expected


def test_excluded_goods_do_not_count() -> None:
    decision = ask(purchase={"items": items(tobacco=4_000, food=3_000)})
    assert isinstance(decision, Allowed)
    assert (decision.amount_fen, decision.eligible_fen) == (6_000, 6_000)


def test_several_excluded_items_add_up() -> None:
    decision = ask(purchase={"items": items(tobacco=4_000, lottery=5_999)})
    assert isinstance(decision, Allowed)
    assert decision.eligible_fen == 1


def test_nothing_eligible_is_refused() -> None:
    decision = ask(purchase={"items": items(tobacco=10_000)})
    assert isinstance(decision, Denial)
    assert decision.code == "category_excluded"
    assert decision.facts == {
        "categories_zh": "彩票、烟草",
        "categories_en": "lottery, tobacco",
        "store": False,
    }


def test_a_store_of_an_excluded_category_is_refused() -> None:
    decision = ask(store={"tags": frozenset({"tobacco", "restaurant"})})
    assert isinstance(decision, Denial)
    assert decision.code == "category_excluded"
    assert decision.facts["store"] is True


def test_nothing_is_excluded_unless_named() -> None:
    terms = stored(excluded_categories=())
    assert given(ask(terms, purchase={"items": items(tobacco=10_000)})) == 10_000
    assert given(ask(terms, store={"tags": frozenset({"tobacco"})})) == 10_000


@pytest.mark.parametrize("basket_fen", [-5, 0, 100_000_001])
def test_a_basket_is_an_amount(basket_fen: int) -> None:
    assert code(ask(purchase={"basket_fen": basket_fen})) == "basket_invalid"


@pytest.mark.parametrize("basket_fen", [1, 100_000_000])
def test_the_smallest_and_largest_basket(basket_fen: int) -> None:
    assert code(ask(purchase={"basket_fen": basket_fen})) == "ok"


def test_items_fit_the_basket() -> None:
    assert code(ask(purchase={"items": items(food=4_000, drink=6_000)})) == "ok"
    assert code(ask(purchase={"items": items(food=4_000, drink=6_001)})) == "basket_invalid"
    assert code(ask(purchase={"items": items(food=0, drink=10_000)})) == "ok"
    assert code(ask(purchase={"items": items(food=-1, drink=10_000)})) == "basket_invalid"


@pytest.mark.parametrize("paid", ["in_store", "online", "unattended"])
@pytest.mark.parametrize("allowed", ["in_store", "online", "unattended"])
def test_channel(paid: str, allowed: str) -> None:
    expected = "ok" if paid == allowed else "channel_not_allowed"
    assert code(ask(stored(channels=(allowed,)), purchase={"channel": paid})) == expected
    assert code(ask(purchase={"channel": paid})) == "ok"


# one thousandth of a degree of latitude is 111.19 m
CIRCLE = Circle(latitude_e6=36_290_000, longitude_e6=116_450_000, radius_m=112)


@pytest.mark.parametrize(
    ("latitude_e6", "longitude_e6", "expected"),
    [
        (36_290_000, 116_450_000, "ok"),
        (36_291_000, 116_450_000, "ok"),
        (36_291_020, 116_450_000, "geofence_outside"),
        (36_288_980, 116_450_000, "geofence_outside"),
        (36_290_000, 116_451_240, "ok"),  # a degree of longitude is shorter here: 111.1 m
        (36_290_000, 116_451_260, "geofence_outside"),
        (-36_290_000, 116_450_000, "geofence_outside"),
        (36_290_000, 116_450_000 + 360_000_000, "geofence_outside"),
        (10**400, 0, "geofence_outside"),
    ],
)
def test_geofence(latitude_e6: int, longitude_e6: int, expected: str) -> None:
    position = Position(latitude_e6=latitude_e6, longitude_e6=longitude_e6)
    assert code(ask(stored(geofence=(CIRCLE,)), purchase={"position": position})) == expected
    far = Circle(latitude_e6=0, longitude_e6=0, radius_m=1)
    assert code(ask(stored(geofence=(far, CIRCLE)), purchase={"position": position})) == expected


def test_geofence_fails_closed_without_a_position() -> None:
    assert code(ask(stored(geofence=(CIRCLE,)))) == "geofence_no_position"
    assert code(ask(stored(geofence=()))) == "ok"


@pytest.mark.parametrize(
    ("latitude_e6", "longitude_e6", "expected"),
    [
        (90_000_000, 180_000_000, "ok"),
        (-90_000_000, -180_000_000, "ok"),
        (90_000_001, 0, "geofence_outside"),
        (-90_000_001, 0, "geofence_outside"),
        (0, 180_000_001, "geofence_outside"),
        (0, -180_000_001, "geofence_outside"),
    ],
)
def test_positions_on_the_globe(latitude_e6: int, longitude_e6: int, expected: str) -> None:
    everywhere = Circle(latitude_e6=0, longitude_e6=0, radius_m=21_000_000)
    position = Position(latitude_e6=latitude_e6, longitude_e6=longitude_e6)
    assert code(ask(stored(geofence=(everywhere,)), purchase={"position": position})) == expected
    point = Circle(latitude_e6=36_290_000, longitude_e6=116_450_000, radius_m=0)
    assert code(ask(stored(geofence=(point,)), purchase={"position": AT_POINT})) == "ok"


AT_POINT = Position(latitude_e6=36_290_000, longitude_e6=116_450_000)


def test_a_circle_off_the_globe_admits_nobody() -> None:
    nowhere = Circle(latitude_e6=91_000_000, longitude_e6=0, radius_m=10**9)
    position = Position(latitude_e6=36_290_000, longitude_e6=116_450_000)
    assert code(ask(stored(geofence=(nowhere,)), purchase={"position": position})) == "geofence_outside"
