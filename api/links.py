"""Where an id comes from: OpenAPI links from answers that tell one to the addresses that take it."""

from collections.abc import Sequence
from typing import Any

from api.routing import Route

# By the name of an answer: the parameter its id is for, and where in the answer it stands.
SOURCES = {
    "AwardAnswer": ("award_id", "/id"),
    "CampaignAnswer": ("campaign_id", "/id"),
    "DrawAnswer": ("draw_id", "/draw_id"),
    "KeyAnswer": ("key_id", "/id"),
    "KeyMade": ("key_id", "/id"),
    "MerchantAnswer": ("merchant_id", "/id"),
    "OpenCampaign": ("campaign_id", "/id"),
    "PaymentAnswer": ("payment_id", "/id"),
    "PersonAnswer": ("person_id", "/person_id"),
    "StaffAnswer": ("staff_id", "/id"),
    "StoreAnswer": ("store_id", "/id"),
    "TermsChange": ("change_id", "/id"),
    "VoucherAnswer": ("voucher_id", "/id"),
}
PERSON = "Hongbao-Person"


def links_of(route: Route, routes: Sequence[Route], operation_ids: dict[str, str]) -> dict[str, Any]:
    """The links of a route's success, by the operation they lead to.

    They begin where a subject is made, listed or found by something else, and lead to whoever may have been told of it: a person's own ids to
    that person's addresses, others to addresses that are nobody's own.
    """
    name, prefix = _answer(route.answer)
    links = {}
    if name in SOURCES and SOURCES[name][0] not in route.parameters:
        links = _by_id(route, routes, operation_ids, *SOURCES[name], prefix)
    if name == "PersonAnswer":
        own = [found for found in routes if found.acts_for_person and not found.parameters]
        links |= {
            operation_ids[found.name]: {f"header.{PERSON}": "$response.body#/person_id"} for found in own
        }
    return {target: {"operationId": target, "parameters": given} for target, given in links.items()}


def _by_id(
    route: Route, routes: Sequence[Route], operation_ids: dict[str, str], parameter: str, at: str, prefix: str
) -> dict[str, dict[str, str]]:
    links = {}
    for found in routes:
        others = [name for name in found.parameters if name != parameter]
        if (
            found is route
            or parameter not in found.parameters
            or any(name not in route.parameters for name in others)
        ):
            continue
        if found.acts_for_person and not route.acts_for_person and parameter != "campaign_id":
            continue
        given = {f"path.{parameter}": f"$response.body#{prefix}{at}"}
        given |= {f"path.{name}": f"$request.path.{name}" for name in others}
        if found.acts_for_person and route.acts_for_person:
            given[f"header.{PERSON}"] = f"$request.header.{PERSON}"
        links[operation_ids[found.name]] = given
    return links


def _answer(answer: Any) -> tuple[str, str]:
    """The name of what is told, and where the first of it stands."""
    arguments = getattr(answer, "__args__", ())
    return (arguments[0].__name__, "/items/0") if arguments else (getattr(answer, "__name__", ""), "")
