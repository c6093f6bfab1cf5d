"""The attempts of one slot through the HTTP server: payment codes, payments, what follows them, refunds.

Holders come at the same time, each with their own steps in order. Everything sent and answered goes into the journal
first, so that a run that was killed goes on without paying twice and without losing what was promised.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.demo.client import Client, Reply
from api.demo.journal import Answer, Intent, Journal
from api.demo.plan import ACCEPT, HOLD, REFUND, Step
from campaigns.store.acknowledged import AwardedRow

MOST_TRIES = 5
STALE_CODES = frozenset({"code_unknown", "code_already_used"})
_ROUTES = {"redeem": "/v1/redemptions", HOLD: "/v1/authorizations"}


@dataclass
class Counts:
    """What was answered so far, for the eyes."""

    paid: int = 0
    attempts: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Unexpected(RuntimeError):
    """The server answered something no client should see."""


class Payers:
    """Plays steps. ``keys`` are by till."""

    def __init__(
        self,
        client: Client,
        journal: Journal,
        run: str,
        channel_key: str,
        keys: Mapping[str, str],
        connections: int,
    ) -> None:
        self._client = client
        self._journal = journal
        self._run = run
        self._channel_key = channel_key
        self._keys = keys
        self._persons: dict[str, UUID] = {}
        self._live: set[str] = set()
        self._connections = connections
        self.counts = Counts()
        for answer in journal.answers.values():
            self._count(answer)

    def know(self, rows: Iterable[AwardedRow]) -> None:
        """Learn which persons stand behind entries, and whose awards are still live."""
        self._persons |= {row.entry: row.person_id for row in rows}
        self._live |= {row.entry for row in rows if row.state == "live"}

    def person(self, entry: str) -> UUID:
        """The person of an entry that was awarded."""
        return self._persons[entry]

    def is_done(self, step: Step) -> bool:
        """Say whether the journal holds every answer of a step; of an acceptance, whether the award has ended."""
        if step.kind == ACCEPT:
            return step.entry not in self._live
        answer = self._journal.answers.get(step.op)
        if step.kind == REFUND:
            paid = self._journal.answers.get(f"{step.entry}-{step.of}")
            return answer is not None or (paid is not None and not paid.done)
        if answer is None:
            return False
        return not (answer.done and step.then) or f"{step.op}-{step.then}" in self._journal.answers

    async def play(self, chains: list[list[Step]]) -> None:
        """Play the chains of one slot, as many at a time as there are connections."""
        waiting = iter(chains)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._connections, len(chains))):
                group.create_task(self._work(waiting))

    async def _work(self, waiting: Iterator[list[Step]]) -> None:
        for chain in waiting:
            for step in chain:
                if step.kind == REFUND:
                    await self._refund(step)
                elif step.pays:
                    await self._pay(step)

    async def _pay(self, step: Step) -> None:
        answer = self._journal.answers.get(step.op)
        number = self._journal.tries.get(step.op, 0)
        while answer is None:
            intent = self._journal.intents.get(step.op)
            if intent is None:
                number += 1
                if number > MOST_TRIES:
                    raise Unexpected(f"{step.op}: no payment code lived long enough")
                intent = await self._fresh(step, number)
            answer = await self._send(step, intent)
        if answer.done and step.then:
            await self._follow(step, answer)

    async def _fresh(self, step: Step, number: int) -> Intent:
        """Ask for a payment code as the holder's channel."""
        key = f"{self._run}-{step.op}-code-{number}"
        person = str(self._persons[step.entry])
        reply = await self._client.post("/v1/payment-codes", self._channel_key, key, {}, person)
        if reply.status != 201:
            raise Unexpected(f"a payment code: {reply.status} {reply.body}")
        if step.quote and number == 1:
            await self._quote(step, reply.body["code"])
        intent = Intent(
            op=step.op, number=number, key=f"{self._run}-{step.op}-pay-{number}", code=reply.body["code"]
        )
        self._journal.write(intent)
        return intent

    async def _quote(self, step: Step, code: str) -> None:
        body = self._spend(step, code)
        await self._client.post("/v1/quotes", self._keys[step.terminal], f"{self._run}-{step.op}-quote", body)

    async def _send(self, step: Step, intent: Intent) -> Answer | None:
        """Pay; None when another payment code is needed."""
        body = self._spend(step, intent.code)
        reply = await self._client.post(_ROUTES[step.kind], self._keys[step.terminal], intent.key, body)
        stale = reply.body.get("code") in STALE_CODES
        answer = self._answer(step, step.kind, intent, reply, final=not stale)
        return answer if answer.final else None

    async def _follow(self, step: Step, paid: Answer) -> None:
        """Capture, void or undo right after."""
        op = f"{step.op}-{step.then}"
        body = {"basket_fen": step.then_fen} if step.then_fen else {}
        await self._once(step, op, step.then, f"/v1/payments/{paid.payment}/{step.then}", body)

    async def _refund(self, step: Step) -> None:
        paid = self._journal.answers.get(f"{step.entry}-{step.of}")
        if paid is None or not paid.done:
            return
        await self._once(
            step,
            step.op,
            REFUND,
            f"/v1/payments/{paid.payment}/refunds",
            {"returned_goods_fen": step.then_fen},
        )

    async def _once(self, step: Step, op: str, kind: str, path: str, body: Mapping[str, Any]) -> None:
        if op in self._journal.answers:
            return
        intent = Intent(op=op, number=1, key=f"{self._run}-{op}")
        self._journal.write(intent)
        reply = await self._client.post(path, self._keys[step.terminal], intent.key, body)
        self._answer(step, kind, intent, reply)

    def _answer(self, step: Step, kind: str, intent: Intent, reply: Reply, *, final: bool = True) -> Answer:
        if reply.status >= 500 or reply.status in (400, 401, 403, 422):
            raise Unexpected(f"{intent.op}: {reply.status} {reply.body}")
        done = reply.status < 300
        returned = kind in ("undo", REFUND)
        payment = (reply.body["payment"] if returned else reply.body) if done else {}
        amounts = {"capture": "captured_fen", "undo": "back_fen", REFUND: "back_fen"}
        answer = Answer(
            op=intent.op,
            number=intent.number,
            key=intent.key,
            status=reply.status,
            kind=kind,
            entry=step.entry,
            payment=payment.get("id", ""),
            refund=reply.body["id"] if done and returned else "",
            amount_fen=reply.body[amounts.get(kind, "subsidy_fen")] if done else 0,
            code="" if done else reply.body["code"],
            final=final,
        )
        self._journal.write(answer)
        self._count(answer)
        return answer

    def _count(self, answer: Answer) -> None:
        if answer.kind in _ROUTES and answer.final:
            self.counts.attempts += 1
        if not answer.done:
            self.counts.refused[answer.code] += 1
        elif answer.kind in ("redeem", "capture"):
            self.counts.paid += 1

    def _spend(self, step: Step, code: str) -> dict[str, Any]:
        body: dict[str, Any] = {"basket_fen": step.basket_fen, "payment_code": code}
        if step.tobacco_fen:
            body["items"] = [{"category": "tobacco", "amount_fen": step.tobacco_fen}]
        return body
