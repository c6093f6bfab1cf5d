"""The load: simulated clients, each drawing visits from a seed: a code, a payment, and what becomes of it."""

import asyncio
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from tests.crash.client import ATTEMPTS_MAX, COPIES, Client, Intent, Weather
from tests.crash.history import (
    CAPTURE,
    CODE,
    HOLD,
    LOOK,
    REDEEM,
    REFUND,
    STORE_HOLD,
    UNDO,
    VOID,
    WISH,
    History,
)
from tests.crash.town import Till, Town

CLIENTS = 24
IN_COPIES = 0.08  # of the operations are sent several times at once under one key
PARTS_MAX = 3
BETWEEN_VISITS_SECONDS = 0.2  # mean: people do not come as fast as a machine can take them
DRAIN_SECONDS_MAX = 60.0
PROBE_SECONDS = 1.0  # that a probing payment waits for each answer


class Load:
    """Clients at the ``ports`` of a deployment, until `stop`; each ends its visit before it leaves."""

    def __init__(
        self, town: Town, ports: Sequence[int], history: History, seed: str, weather: Weather, clients: int = CLIENTS
    ) -> None:  # fmt: skip
        self._town = town
        self._stopping = False
        self._numbers = count(1)

        def make(
            port: int, chance: Random, weather: Weather = weather, attempts: int = ATTEMPTS_MAX
        ) -> Client:
            return Client(
                port, town.shops.channel_key, history, self._numbers, weather, chance, attempts_max=attempts
            )

        self._make = make
        self._clients = [
            self._make(ports[n % len(ports)], Random(f"{seed}|client {n}")) for n in range(clients)
        ]
        probing = Weather(patience_seconds=PROBE_SECONDS)
        self._probes = {
            port: make(port, Random(f"{seed}|probe {n}"), probing, 1)
            for n, port in enumerate(dict.fromkeys(ports))
        }
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Let the clients come."""
        self._tasks = [asyncio.create_task(self._visits(client)) for client in self._clients]

    def serves(self, port: int) -> bool:
        """Whether clients come through this port."""
        return port in self._probes

    async def probe(self, port: int) -> bool:
        """One payment at this port, asked for once; whether it was answered with success."""
        client = self._probes[port]
        chance = client.chance
        return await self._pay(client, REDEEM, self._town.prober, chance.choice(self._town.shops.tills)) != {}

    async def stop(self) -> None:
        """Let everybody end their visit. Raises what broke a client, TimeoutError when they do not end."""
        self._stopping = True
        try:
            async with asyncio.timeout(DRAIN_SECONDS_MAX):
                await asyncio.gather(*self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for client in (*self._clients, *self._probes.values()):
                client.close()

    async def _visits(self, client: Client) -> None:
        chance = client.chance
        while not self._stopping:
            await asyncio.sleep(chance.expovariate(1 / BETWEEN_VISITS_SECONDS))
            person, till = chance.choice(self._town.people), chance.choice(self._town.shops.tills)
            kind = chance.choices((REDEEM, HOLD, STORE_HOLD), (55, 35, 10))[0]
            payment = await self._pay(client, kind, person, till)
            if payment and kind == REDEEM:
                await self._give_back(client, payment, person, till)
            elif payment:
                await self._end_hold(client, payment, person, till, kind)

    # -- paying

    async def _pay(self, client: Client, kind: str, person: UUID, till: Till) -> dict[str, Any]:
        """A payment; empty when there is none."""
        basket_fen = self._town.basket(client.chance, person, till)
        content: dict[str, Any] = {"basket_fen": basket_fen}
        if kind == STORE_HOLD:
            path, content["store_code"] = "/v1/holder/authorizations", till.store_code
        else:
            path = "/v1/redemptions" if kind == REDEEM else "/v1/authorizations"
            ask = Intent(
                kind=CODE, path="/v1/payment-codes", content={}, person=person, till=till, as_holder=True
            )
            code = await client.perform(ask)
            if code is None:
                return {}
            content["payment_code"] = code["code"]
        intent = Intent(
            kind=kind, path=path, content=content, person=person, till=till, amount_fen=basket_fen,
            as_holder=kind == STORE_HOLD,
        )  # fmt: skip
        return await client.perform(intent, copies=self._copies(client.chance)) or {}

    def _copies(self, chance: Random) -> int:
        return COPIES if chance.random() < IN_COPIES else 1

    async def _change(
        self, client: Client, kind: str, payment: dict[str, Any], person: UUID, till: Till, amount_fen: int = 0
    ) -> dict[str, Any] | None:  # fmt: skip
        """Capture (``amount_fen`` 0: whole), void, refund, undo, wish or look at a payment."""
        payment_id = payment["id"]
        content: dict[str, Any] | None = {}
        path = f"/v1/payments/{payment_id}/{kind}"
        if kind == CAPTURE and amount_fen:
            content = {"basket_fen": amount_fen}
        elif kind == REFUND:
            path, content = f"/v1/payments/{payment_id}/refunds", {"returned_goods_fen": amount_fen}
        elif kind == WISH:
            path = f"/v1/holder/payments/{payment_id}/undo"
        elif kind == LOOK:
            path, content = f"/v1/payments/{payment_id}", None
        intent = Intent(
            kind=kind, path=path, content=content, person=person, till=till, payment=payment_id,
            amount_fen=amount_fen, as_holder=kind == WISH,
        )  # fmt: skip
        copies = 1 if kind == LOOK else self._copies(client.chance)
        return await client.perform(intent, copies=copies)

    # -- what becomes of a payment

    async def _end_hold(
        self, client: Client, payment: dict[str, Any], person: UUID, till: Till, kind: str
    ) -> None:
        chance = client.chance
        what = chance.choices(("whole", "part", "void", "both", "leave"), (40, 20, 15, 10, 15))[0]
        part_fen = chance.randint(1, payment["basket_fen"])
        captured = None
        if what == "whole":
            captured = await self._change(client, CAPTURE, payment, person, till)
        elif what == "part":
            captured = await self._change(client, CAPTURE, payment, person, till, part_fen)
        elif what == "void":
            await self._change(client, VOID, payment, person, till)
        elif what == "both":  # two people of one shop press two buttons
            other = self._make_beside(client)
            captured, _ = await asyncio.gather(
                self._change(client, CAPTURE, payment, person, till),
                self._change(other, VOID, payment, person, till),
            )
            other.close()
        if chance.random() < 0.2:
            await self._change(client, LOOK, payment, person, till)
        if captured and chance.random() < 0.4:
            await self._give_back(client, captured, person, till)

    def _make_beside(self, client: Client) -> Client:
        return self._make(client.port, Random(client.chance.random()))

    async def _give_back(self, client: Client, payment: dict[str, Any], person: UUID, till: Till) -> None:
        chance = client.chance
        what = chance.choices(("keep", "goods", "undo", "both"), (35, 40, 15, 10))[0]
        if what == "goods":
            await self._refunds(client, payment, person, till)
        elif what == "undo":
            if chance.random() < 0.4:
                await self._change(client, WISH, payment, person, till)
            await self._change(client, UNDO, payment, person, till)
        elif what == "both":
            other = self._make_beside(client)
            goods_fen = chance.randint(1, payment["captured_basket_fen"])
            await asyncio.gather(
                self._change(client, UNDO, payment, person, till),
                self._change(other, REFUND, payment, person, till, goods_fen),
            )
            other.close()
        if chance.random() < 0.2:
            await self._change(client, LOOK, payment, person, till)

    async def _refunds(self, client: Client, payment: dict[str, Any], person: UUID, till: Till) -> None:
        """Goods come back in parts, mostly to the last fen; sometimes one more part that is too much."""
        chance = client.chance
        parts = split(chance, payment["captured_basket_fen"], chance.randint(1, PARTS_MAX))
        if chance.random() < 0.3:
            parts = parts[:-1] or parts
        if chance.random() < 0.3:
            parts.append(payment["captured_basket_fen"] + 1)
        for part_fen in parts:
            await self._change(client, REFUND, payment, person, till, part_fen)


def split(chance: Random, whole_fen: int, parts: int) -> list[int]:
    """Different amounts that come to the whole: the amount marks a refund among those of its payment."""
    for _ in range(100):
        cuts = sorted(chance.sample(range(1, whole_fen), parts - 1)) if whole_fen > parts else []
        found = [high - low for low, high in zip([0, *cuts], [*cuts, whole_fen], strict=True)]
        if len(set(found)) == len(found):
            return found
    return [whole_fen]
