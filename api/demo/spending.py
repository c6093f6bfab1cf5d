"""Acceptance and payments: the plan played slot by slot, the campaign clock stepping from one to the next."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.demo.client import Client
from api.demo.folder import digest
from api.demo.holder_plan import Winner, World
from api.demo.journal import Journal
from api.demo.paying import Payers
from api.demo.plan import ACCEPT, Step, by_slot, chains, read_plan, write_plan
from api.demo.planning import plan_substitutes, plan_winners
from api.demo.stage import Stage, steady
from campaigns.domain.windows import parse_window
from campaigns.services.accepting import CHUNK, accept_many
from campaigns.services.acknowledged import awarded
from campaigns.services.lapsing import lapse_awards
from campaigns.store.acknowledged import AwardedRow

PLAN_OF_WINNERS = "plan-winners.csv"
PLAN = "plan.csv"
CONNECTIONS = 32


@dataclass
class Spent:
    """How the payment stage went."""

    seconds: float = 0.0
    captures: int = 0
    requests: int = 0
    plan_sha256: str = ""

    @property
    def per_second(self) -> float:
        """Captures a second of this run."""
        return self.captures / self.seconds if self.seconds else 0.0


class Spending:
    """The stage. It may begin anywhere in the plan: what the journal holds an answer of is not sent again."""

    def __init__(self, stage: Stage, client: Client, journal: Journal) -> None:
        self._stage = stage
        self._client = client
        self._journal = journal
        self._world = _world(stage)
        self.spent = Spent()

    async def run(self) -> None:
        """Play the whole plan."""
        stage, self._started = self._stage, time.monotonic()
        rows = await steady(lambda: awarded(stage.ctx, stage.campaign_id))
        first = self._plan_of_winners(rows)
        change = stage.at("substitutes")
        whole = stage.folder.get(PLAN)
        steps = first if whole is None else read_plan(whole.decode(), stage.zone)
        before = {slot: part for slot, part in by_slot(steps).items() if slot < change}
        self._payers = self._payers_of(rows)
        self._captures = self._payers.counts.paid
        total = len(steps)
        done = await self._play(before, 0, total)
        if whole is None:
            steps = await self._call_in(first)
            self._payers.know(await steady(lambda: awarded(stage.ctx, stage.campaign_id)))
        after = {slot: part for slot, part in by_slot(steps).items() if slot >= change}
        await self._play(after, done, len(steps))
        stage_plan = stage.folder.get(PLAN)
        assert stage_plan is not None
        self.spent = Spent(
            time.monotonic() - self._started,
            self._payers.counts.paid - self._captures,
            self._client.requests,
            digest(stage_plan),
        )

    def _plan_of_winners(self, rows: Sequence[AwardedRow]) -> list[Step]:
        stage = self._stage
        stored = stage.folder.get(PLAN_OF_WINNERS)
        if stored is not None:
            return read_plan(stored.decode(), stage.zone)
        change = stage.at("substitutes")
        winners = [
            Winner(row.entry, row.face_fen, row.accept_if_won, stage.at("award"), row.accept_until)
            for row in rows
            if row.awarded_at < change
        ]
        steps = plan_winners(self._world, winners)
        stage.folder.put(PLAN_OF_WINNERS, write_plan(steps).encode())
        return steps

    async def _call_in(self, first: list[Step]) -> list[Step]:
        """Lapse what was not accepted in time, and plan for those from the waitlist who take the places."""
        stage = self._stage
        change = stage.at("substitutes")
        await stage.clock_to(change)
        while await steady(lambda: lapse_awards(stage.ctx, stage.programme_id, stage.campaign_id)):
            pass
        rows = await steady(lambda: awarded(stage.ctx, stage.campaign_id))
        new = [
            Winner(row.entry, row.face_fen, row.accept_if_won, change, row.accept_until)
            for row in rows
            if row.awarded_at >= change
        ]
        steps = sorted([*first, *plan_substitutes(self._world, new)])
        stage.folder.put(PLAN, write_plan(steps).encode())
        return steps

    def _payers_of(self, rows: Sequence[AwardedRow]) -> Payers:
        stage = self._stage
        payers = Payers(
            self._client, self._journal, stage.run_name, stage.channel_key, stage.till_keys, CONNECTIONS
        )
        payers.know(rows)
        return payers

    async def _play(self, slots: dict[datetime, list[Step]], done: int, total: int) -> int:
        show, counts = self._stage.show, self._payers.counts
        for slot, steps in slots.items():
            if not all(self._payers.is_done(step) for step in steps):
                await self._stage.clock_to(slot)
                await self._accept(steps)
                await self._payers.play(chains([step for step in steps if step.kind != ACCEPT]))
                self._journal.sync()
            done += len(steps)
            refused = sum(counts.refused.values())
            rate = (counts.paid - self._captures) / max(0.001, time.monotonic() - self._started)
            show.refusals(counts.refused)
            await show.percent(
                done, total, f"{slot:%m-%d %H:%M} · {counts.paid:,} ✓ · {refused} ✗ · {rate:.0f}/s"
            )
        return done

    async def _accept(self, steps: Sequence[Step]) -> None:
        stage = self._stage
        persons = [
            self._payers.person(step.entry)
            for step in steps
            if step.kind == ACCEPT and not self._payers.is_done(step)
        ]
        for first in range(0, len(persons), CHUNK):
            part = persons[first : first + CHUNK]
            await steady(lambda: accept_many(stage.ctx, stage.channel, stage.campaign_id, part))  # noqa: B023


def _world(stage: Stage) -> World:
    spending = stage.definition.windows.spending
    start, end = parse_window(spending.start, spending.end, stage.zone)
    return World(
        stage.behaviour, stage.made.seed, stage.definition.terms, stage.zone, start, end, stage.shops.tills
    )
