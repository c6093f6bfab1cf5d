"""Rules about the place of the payment: store, whitelist, scenario, goods, channel, position."""

from campaigns.domain.terms.amount import excluded_amount
from campaigns.domain.terms.geofence import inside
from campaigns.domain.terms.names import CATEGORY_NAMES, CHANNEL_NAMES, in_both
from campaigns.domain.terms.rules import Case, Rules
from campaigns.domain.terms.when import No


def place(rules: Rules, case: Case) -> No | None:
    """The store's region code begins with one of the places named."""
    places = rules.terms.places
    if places and not case.purchase.store.place.startswith(places):
        return "place_not_allowed", {"places": ", ".join(places)}
    return None


def whitelist(rules: Rules, case: Case) -> No | None:
    """The store matches every list that is not empty; ``list`` says which it missed first."""
    store = case.purchase.store
    missed = None
    if rules.listed_merchants and store.merchant not in rules.listed_merchants:
        missed = "merchants"
    elif rules.listed_tags and rules.listed_tags.isdisjoint(store.tags):
        missed = "tags"
    elif rules.listed_places and not store.place.startswith(rules.listed_places):
        missed = "places"
    elif rules.listed_zones and rules.listed_zones.isdisjoint(store.zones):
        missed = "zones"
    elif rules.listed_mcc and store.mcc not in rules.listed_mcc:
        missed = "mcc"
    return ("merchant_not_listed", {"list": missed}) if missed else None


def scenario(rules: Rules, case: Case) -> No | None:
    """What is paid for is one of the scenarios named."""
    if rules.scenarios and case.purchase.store.scenario not in rules.scenarios:
        return "scenario_not_allowed", {
            "scenario": case.purchase.store.scenario,
            "scenarios": ", ".join(rules.terms.scenarios),
        }
    return None


def merchant_category(rules: Rules, case: Case) -> No | None:
    """The store's ISO 18245 code is one of those named."""
    if rules.mcc and case.purchase.store.mcc not in rules.mcc:
        return "mcc_not_allowed", {"mcc": case.purchase.store.mcc, "allowed": ", ".join(rules.terms.mcc)}
    return None


def excluded_category(rules: Rules, case: Case) -> No | None:
    """Goods of excluded categories do not count; a store tagged with one, or nothing else, is refused."""
    excluded = rules.excluded_categories
    if not excluded:
        return None
    store_excluded = not excluded.isdisjoint(case.purchase.store.tags)
    if not store_excluded:
        case.eligible_fen -= excluded_amount(case.purchase.items, excluded)
        if case.eligible_fen > 0:
            return None
    zh, en = in_both(rules.terms.excluded_categories, CATEGORY_NAMES)
    return "category_excluded", {"categories_zh": zh, "categories_en": en, "store": store_excluded}


def channel(rules: Rules, case: Case) -> No | None:
    """In store, online or unattended, as named."""
    if case.purchase.channel not in rules.terms.channels:
        zh, en = in_both(rules.terms.channels, CHANNEL_NAMES)
        return "channel_not_allowed", {"channels_zh": zh, "channels_en": en}
    return None


def geofence(rules: Rules, case: Case) -> No | None:
    """Within one of the circles; without a position there is no payment (fails closed)."""
    circles = rules.terms.geofence
    if not circles:
        return None
    position = case.purchase.position
    if position is None:
        return "geofence_no_position", {}
    if not any(inside(position, circle) for circle in circles):
        return "geofence_outside", {}
    return None
