"""Locust scenarios: tills that redeem at once, hold and capture, refund, and look payments up.

    locust -f loadtests/locustfile.py --host https://... --keys keys.json --headless -u 50 -r 5 -t 60s

Real payments are made with real vouchers: see the README before a deployment is driven. A refusal by a rule (409) is a
good answer and counts under its own name; everything else but 200 and 201 is a failure named by its code.
"""

from __future__ import annotations

import json
import os
import random
import uuid
from collections import deque
from pathlib import Path
from typing import Any

from locust import FastHttpUser, between, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.exception import StopUser

from loadtests.keys import Keys, KeysUnusable, read_keys

MOST_USERS = 500
KEPT_PAYMENTS = 50
GOOD = (200, 201)
REFUSED = 409
NOT_OURS = (401, 403)
LEAST_FEN, MOST_FEN = 100, 900
RETURNED_FEN = 50
_keys: Keys | None = None


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _arguments(parser: LocustArgumentParser) -> None:
    parser.add_argument(
        "--keys", default=os.environ.get("LOAD_KEYS", "keys.json"), help="file of keys and residents"
    )


@events.init.add_listener  # type: ignore[untyped-decorator]
def _begin(environment: Environment, **_: object) -> None:
    """Read the keys, and refuse more users than anybody means."""
    global _keys
    options = environment.parsed_options
    assert options is not None, "started by its command"
    if (options.num_users or 1) > MOST_USERS:
        raise SystemExit(f"at most {MOST_USERS} users")
    try:
        _keys = read_keys(Path(options.keys))
    except KeysUnusable as error:
        raise SystemExit(str(error)) from None


class Till(FastHttpUser):
    """One till; its customers show it their codes."""

    wait_time = between(0.5, 2.0)

    def on_start(self) -> None:
        """Take a till's key for good."""
        assert _keys is not None, "read at the start"
        self.keys = _keys
        self.till = random.choice(_keys.tills)
        self.payments: deque[str] = deque(maxlen=KEPT_PAYMENTS)

    @task(6)
    def redeem(self) -> None:
        """Pay at once."""
        paid = self._pay("/v1/redemptions")
        if paid is not None:
            self.payments.append(paid["id"])

    @task(2)
    def hold_and_capture(self) -> None:
        """Pay in two steps; one in five is given up."""
        held = self._pay("/v1/authorizations")
        if held is None:
            return
        path = f"/v1/payments/{held['id']}"
        if random.random() < 0.2:
            self._post(f"{path}/void", {}, self.till, "/v1/payments/ID/void")
        elif self._post(f"{path}/capture", {}, self.till, "/v1/payments/ID/capture") is not None:
            self.payments.append(held["id"])

    @task(1)
    def refund(self) -> None:
        """Take goods back from an earlier customer."""
        if self.payments:
            path = f"/v1/payments/{self.payments.popleft()}/refunds"
            self._post(path, {"returned_goods_fen": RETURNED_FEN}, self.till, "/v1/payments/ID/refunds")

    @task(2)
    def status(self) -> None:
        """Look a payment up."""
        if self.payments:
            headers = {"Authorization": f"Bearer {self.till}"}
            path = f"/v1/payments/{random.choice(self.payments)}"
            self._ask("GET", path, "/v1/payments/ID", headers=headers)

    def _pay(self, path: str) -> Any:
        """A customer's code, and the payment with it; None where one of them was refused."""
        person = {"Hongbao-Person": random.choice(self.keys.people)}
        code = self._post("/v1/payment-codes", {}, self.keys.channel, "/v1/payment-codes", person)
        if code is None:
            return None
        body = {"basket_fen": random.randint(LEAST_FEN, MOST_FEN), "payment_code": code["code"]}
        return self._post(path, body, self.till, path)

    def _post(
        self, path: str, body: dict[str, object], key: str, name: str, headers: dict[str, str] | None = None
    ) -> Any:
        given = {"Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid.uuid4()), **(headers or {})}
        return self._ask("POST", path, name, json=body, headers=given)

    def _ask(self, method: str, path: str, name: str, **more: Any) -> Any:
        """The answer's body; None where it is no good one. A key that is not taken ends this user."""
        with self.client.request(method, path, name=name, catch_response=True, **more) as response:
            status, found = response.status_code, _object(response.content)
            code = found.get("code", "no answer")
            if status == REFUSED:
                response.request_meta["name"] = f"{name} refused: {code}"
            if status in GOOD or status == REFUSED:
                response.success()
            else:
                response.failure(f"{status} {code}")
        if status in NOT_OURS:
            raise StopUser
        return found if status in GOOD else None


def _object(content: bytes | None) -> dict[str, Any]:
    """A body's members; none where it is no JSON object."""
    try:
        found = json.loads(content or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
