"""What schemathesis cannot know: whose key a route takes, fresh payment codes, sound campaign files, new request keys.

A request is touched only where all of it is meant to be right; what is meant to be wrong is sent as it was made.
"""

import itertools
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from schemathesis import Case, HookContext
from schemathesis.core.transport import Response

from api.routing import JSON, Route
from tests.contract.acts import Acts
from tests.contract.world import Known
from tests.support.draw_world import COUNTY

FEED_SHARE = 0.5
PLACE_SHARE = 0.5
FRESH_KEY_SHARE = 0.9
OTHER_PRINCIPAL_SHARE = 0.4
RIGHTFUL_SHARE = 0.8
# What the second member of staff does, because the first may not approve what they wrote.
SECONDED = "campaign.approve"
PAUSE = "POST /v1/campaigns/{campaign_id}/pause"
CLOSE = "POST /v1/campaigns/{campaign_id}/close"
ENDS_ACCESS = ("DELETE /v1/keys/{key_id}", "PUT /v1/staff/{staff_id}")

Body = dict[str, Any]


class Feeder:
    """Hooks into every call before it is sent. ``random`` is seeded by the run's seed."""

    def __init__(self, address: str, known: Known, routes: Iterable[Route], seed: int) -> None:
        self._known = known
        self._random = Random(seed)
        self._numbers = itertools.count(1)
        self._routes = {route.name: route for route in routes}
        self._acts = acts = Acts(address, known, self._random)
        self._paths = self._make_paths()
        self._bodies: dict[str, Callable[[], Body]] = {
            "POST /v1/campaigns": self._new_campaign,
            "PUT /v1/campaigns/{campaign_id}": self._new_campaign,
            "POST /v1/campaigns/validate": self._new_campaign,
            "POST /v1/campaigns/{campaign_id}/entries": lambda: {"place": COUNTY},
            "POST /v1/campaigns/{campaign_id}/entries/bulk": self._entries,
            "POST /v1/campaigns/{campaign_id}/funding": self._funding,
            "POST /v1/campaigns/{campaign_id}/list": self._list,
            "POST /v1/campaigns/{campaign_id}/terms": self._wider,
            "POST /v1/draws/{draw_id}/sources": lambda: {"source": "notary", "value": "31,07,22,18"},
            "POST /v1/redemptions": acts.till_spend,
            "POST /v1/authorizations": acts.till_spend,
            "POST /v1/quotes": acts.till_spend,
            "POST /v1/holder/authorizations": acts.store_spend,
            "POST /v1/holder/redemptions": acts.announced_spend,
            "POST /v1/holder/quotes": acts.store_spend,
            "POST /v1/payments/{payment_id}/capture": dict,
            "POST /v1/payments/{payment_id}/refunds": lambda: {"returned_goods_fen": 1},
            "POST /v1/people/identify": lambda: {"proofs": [self._phone()]},
            "POST /v1/people/identify-many": lambda: {"people": [{"proofs": [self._phone()]}]},
            "POST /v1/people/by-token": lambda: {"kind": "chat", "value": "123450"},
            "POST /v1/me/proofs": self._phone,
            "POST /v1/me/tokens": lambda: {"kind": "chat", "value": str(6_000_000 + next(self._numbers))},
            "POST /v1/me/wallets": self._wallet,
            "POST /v1/people/{person_id}/wallets": self._wallet,
            "PUT /v1/merchants": self._merchant,
            "POST /v1/merchants/import": self._import,
            "PUT /v1/merchants/{merchant_id}/stores": lambda: {
                "code": self._code(), "name": "S", "place": COUNTY, "scenario": "retail",
            },
            "POST /v1/staff": lambda: {"login": self._code(), "name": "N", "roles": ["support"]},
            "PUT /v1/staff/{staff_id}": lambda: {"roles": ["support"], "active": True},
        }  # fmt: skip

    def _make_paths(self) -> dict[str, Callable[[], dict[str, str]]]:
        """Where a request must go for it to be right."""
        acts, named = self._acts, self._known.named

        def at(parameter: str, name: str) -> Callable[[], dict[str, str]]:
            return lambda: {parameter: named[name]}

        return {
            "POST /v1/payments/{payment_id}/capture": acts.held,
            "POST /v1/payments/{payment_id}/void": acts.held,
            "POST /v1/payments/{payment_id}/refunds": acts.paid,
            "POST /v1/payments/{payment_id}/undo": acts.paid,
            "POST /v1/holder/payments/{payment_id}/undo": acts.paid,
            "POST /v1/holder/payments/{payment_id}/void": acts.held_by_holder,
            "POST /v1/campaigns/{campaign_id}/funding": at("campaign_id", "approved"),
            "POST /v1/campaigns/{campaign_id}/publish": at("campaign_id", "funded"),
            "POST /v1/campaigns/{campaign_id}/submit": at("campaign_id", "draft"),
            "POST /v1/campaigns/{campaign_id}/withdraw": at("campaign_id", "submitted"),
            "POST /v1/campaigns/{campaign_id}/terms": at("campaign_id", "purse"),
            "POST /v1/campaigns/{campaign_id}/list": at("campaign_id", "purse"),
            "POST /v1/campaigns/{campaign_id}/entries": at("campaign_id", "open"),
            "POST /v1/campaigns/{campaign_id}/entry/withdraw": at("campaign_id", "open"),
            "POST /v1/campaigns/{campaign_id}/draw/freeze": at("campaign_id", "due"),
            "POST /v1/campaigns/{campaign_id}/terms/{change_id}/approve": lambda: {
                "campaign_id": named["purse"], "change_id": self._known.ids["change_id"][0],
            },
            "POST /v1/draws/{draw_id}/sources/office": at("draw_id", "ceremony"),
            "POST /v1/draws/{draw_id}/sources": at("draw_id", "ceremony"),
        }  # fmt: skip

    def close(self) -> None:
        self._acts.close()

    def before_call(self, context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
        """The hook: see the module."""
        route = self._routes.get(case.operation.label)
        if route is None or case.meta is None:
            return
        self._spare(route, case)
        if case.meta.generation.mode.is_negative:
            return
        if "Idempotency-Key" in case.headers and self._random.random() < FRESH_KEY_SHARE:
            case.headers["Idempotency-Key"] = f"k-{next(self._numbers)}"
        place = self._paths.get(route.name)
        if place is not None and self._random.random() < PLACE_SHARE:
            case.path_parameters.update(place())
        make = self._bodies.get(route.name)
        if make is not None and self._random.random() < FEED_SHARE:
            case.body = make()
        self._rightful(route, case)
        self._other_principal(route, case)

    def after_call(self, context: HookContext, case: Case, response: Response) -> None:
        """Remember whose the ids of a person's own answers are, and whose code paid for a payment."""
        route = self._routes.get(case.operation.label)
        if route is None or response.status_code >= 300 or response.headers.get("content-type") != [JSON]:
            return
        if route.name == PAUSE:
            self._acts.resume(case.path_parameters["campaign_id"])
        person = case.headers.get("Hongbao-Person") if route.acts_for_person else None
        if isinstance(case.body, dict):
            person = person or self._acts.buyers.get(str(case.body.get("payment_code")))
        told = response.json()
        for item in (told, *told.get("items", ())) if person and isinstance(told, dict) else ():
            if isinstance(item, dict) and "id" in item:
                self._acts.owners[item["id"]] = person

    def _rightful(self, route: Route, case: Case) -> None:
        """The person of a request is mostly the one whose voucher, award, payment or token it names."""
        known = self._acts.owners
        owners = [known[id_] for id_ in case.path_parameters.values() if id_ in known]
        if route.acts_for_person and owners and self._random.random() < RIGHTFUL_SHARE:
            case.headers["Hongbao-Person"] = owners[0]

    def key_of(self, label: str) -> str | None:
        """The key that an operation is asked with first."""
        route = self._routes[label]
        if route.scope is None:
            return None
        if route.scope == SECONDED:
            return self._known.second_staff
        return self._known.keys[route.principals[0]]

    def _other_principal(self, route: Route, case: Case) -> None:
        own = self.key_of(route.name)
        if len(route.principals) < 2 or self._random.random() >= OTHER_PRINCIPAL_SHARE:
            return
        if case.headers.get("Authorization") == f"Bearer {own}":
            other = self._known.keys[self._random.choice(route.principals[1:])]
            case.headers["Authorization"] = f"Bearer {other}"

    def _spare(self, route: Route, case: Case) -> None:
        """Nobody ends the access of those who ask: the rest of the run would hear 401 alone."""
        if route.name == CLOSE and case.path_parameters.get("campaign_id") in self._known.named.values():
            case.path_parameters["campaign_id"] = self._known.ids["campaign_id"][0]
        if route.name in ENDS_ACCESS:
            for name, value in case.path_parameters.items():
                if value in self._known.must_live:
                    case.path_parameters[name] = self._known.ids[name][0]

    def _code(self) -> str:
        return f"c-{next(self._numbers)}"

    def _phone(self) -> Body:
        return {"kind": "phone", "value": str(13_900_000_000 + next(self._numbers))}

    def _wallet(self) -> Body:
        return {"confirmation": self._code(), "operator": "bank-a"}

    def _new_campaign(self) -> Body:
        source = self._random.choice(self._known.files)
        return {"source": source.replace("code: new", f"code: {self._code()}-new")}

    def _entries(self) -> Body:
        person = self._random.choice(self._known.persons)
        return {"entries": [{"person_id": person, "place": COUNTY}]}

    def _funding(self) -> Body:
        return {"funder": "county", "operator": "bank-a", "amount_fen": 100}

    def _list(self) -> Body:
        return {"rows": [{"tier": "gold", "person_id": self._random.choice(self._known.persons)}]}

    def _wider(self) -> Body:
        """The purse's terms with a voucher's life longer than ever."""
        days = 15 + next(self._numbers)
        return {"source": self._known.purse_file.replace("valid_days: 14", f"valid_days: {days}")}

    def _merchant(self) -> Body:
        return {
            "code": self._code(), "name": "M", "credit_code": "91110000600037341L", "operator": "bank-a", "mcc": "5411",
        }  # fmt: skip

    def _import(self) -> Body:
        row = {"merchant": self._code(), "name": "M", "credit_code": "91110000600037341L", "operator": "bank-a",
               "mcc": "5411", "store": "s", "store_name": "S", "place": COUNTY, "scenario": "retail",
               "terminal": "t"}  # fmt: skip
        return {"rows": [row]}
