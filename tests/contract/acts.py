"""What must have happened just before a request for it to be right: a code shown, a payment made, an amount announced."""

import itertools
from random import Random
from typing import Any

import httpx

from tests.contract.world import Known

ANSWER_SECONDS = 60  # the server answers within 20; the machine may be busy
BASKETS_FEN = (100, 1_000, 12_345)


class Acts:
    """Calls of the harness's own, which no check looks at; `owners` learns whose each payment is."""

    def __init__(self, address: str, known: Known, random: Random) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=ANSWER_SECONDS)
        self._known = known
        self._random = random
        self._numbers = itertools.count(1)
        self.owners = dict(known.owners)
        self.buyers: dict[str, str] = {}

    def close(self) -> None:
        self._client.close()

    def till_spend(self) -> dict[str, Any]:
        """A basket with a fresh payment code of somebody's."""
        person = self._random.choice(self._known.persons)
        code = self._post("channel", "/v1/payment-codes", {}, person).get("code", "none")
        self.buyers[code] = person
        return {"payment_code": code, "basket_fen": self._random.choice(BASKETS_FEN)}

    def store_spend(self) -> dict[str, Any]:
        """A basket at the counter of the first store."""
        return {"store_code": self._known.store_codes[0], "basket_fen": self._random.choice(BASKETS_FEN)}

    def announced_spend(self) -> dict[str, Any]:
        """A basket at the first store's counter, announced by its till."""
        spend = self.store_spend()
        self._post("terminal", "/v1/announcements", {"amount_fen": spend["basket_fen"]})
        return spend

    def paid(self) -> dict[str, str]:
        """A payment taken at once."""
        return self._payment("/v1/redemptions")

    def held(self) -> dict[str, str]:
        """A payment held by the till."""
        return self._payment("/v1/authorizations")

    def held_by_holder(self) -> dict[str, str]:
        """A payment its holder made at a counter."""
        person = self._random.choice(self._known.persons)
        made = self._post("channel", "/v1/holder/authorizations", self.store_spend(), person)
        return self._owned(made, person)

    def resume(self, campaign_id: str) -> None:
        """Let a campaign go on that a request has paused."""
        self._post("staff", f"/v1/campaigns/{campaign_id}/resume", None)

    def _payment(self, path: str) -> dict[str, str]:
        spend = self.till_spend()
        return self._owned(self._post("terminal", path, spend), self.buyers[spend["payment_code"]])

    def _owned(self, made: dict[str, Any], person: str) -> dict[str, str]:
        if "id" not in made:
            return {}
        self.owners[made["id"]] = person
        return {"payment_id": made["id"]}

    def _post(self, kind: str, path: str, body: dict[str, Any] | None, person: str = "") -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self._known.keys[kind]}",
            "Idempotency-Key": f"f-{next(self._numbers)}",
            "Hongbao-Person": person,
        }
        told = self._client.post(path, headers=headers, json=body).json()
        assert isinstance(told, dict)
        return told
