"""The plan of one holder: when they accept, where and for how much they buy, what comes back. Pure."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from api.demo.behaviour import Behaviour
from api.demo.plan import ACCEPT, HOLD, REDEEM, Step
from api.demo.shops import Till
from campaigns.domain.terms.amount import amount
from campaigns.domain.terms.model import SpendAndSave, Terms

MOST_VISITS = 6


class Winner(NamedTuple):
    """Who may hold a packet: its value, whether it is theirs already (the tick) and from when they may act."""

    entry: str
    face_fen: int
    ticked: bool
    since: datetime
    until: datetime  # of acceptance


@dataclass(frozen=True)
class World:
    """What every holder's plan is made in."""

    behaviour: Behaviour
    seed: int
    terms: Terms
    zone: ZoneInfo
    spending_start: datetime
    spending_end: datetime
    tills: tuple[Till, ...]

    def listed(self, channel: str) -> list[Till]:
        return [till for till in self.tills if till.kind == "listed" and till.channel == channel]

    def slots_of(self, day: date) -> list[datetime]:
        """The moments of a day at which holders come."""
        return [self.at(day, hour) for hour in self.behaviour.visits.hours]

    def at(self, day: date, hour: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(hour), self.zone)

    @property
    def steps(self) -> list[tuple[int, int]]:
        benefit = self.terms.benefit
        assert isinstance(benefit, SpendAndSave), "the demonstration is of spend and save"
        return sorted((step.spend_fen, step.save_fen) for step in benefit.steps)


@dataclass
class Holder:
    """A holder's plan as it grows. ``balance_fen`` is what stays if all goes as planned."""

    winner: Winner
    chance: Random
    accepted_at: datetime | None
    balance_fen: int
    last_day: date
    steps: list[Step] = field(default_factory=list)
    visits: list[tuple[Step, int]] = field(default_factory=list)  # with the saving
    ends_open: bool = False  # something comes back at the end, so the balance is not known

    def add(self, slot: datetime, kind: str, **rest: object) -> Step:
        step = Step(slot, self.winner.entry, len(self.steps) + 1, kind, **rest)  # type: ignore[arg-type]
        self.steps.append(step)
        return step

    def saved_on(self, day: date) -> int:
        return sum(saved for step, saved in self.visits if step.slot.date() == day)

    def visits_on(self, day: date) -> list[Step]:
        return [step for step, _ in self.visits if step.slot.date() == day]


def start_holder(world: World, winner: Winner, day_weights: tuple[int, ...]) -> Holder:
    """Decide whether and when a winner accepts; one who never does has no further steps."""
    chance = Random(f"{world.seed}|{winner.entry}")
    accepted = winner.since if winner.ticked else _acceptance(world, winner, chance, day_weights)
    granted_on = (accepted or winner.until).astimezone(world.zone).date()
    days = world.terms.valid_days or 10_000
    last_day = min(granted_on + timedelta(days=days - 1), (world.spending_end - timedelta(seconds=1)).date())
    holder = Holder(winner, chance, accepted, winner.face_fen, last_day)
    if accepted is not None and not winner.ticked:
        holder.add(accepted, ACCEPT)
    return holder


def _acceptance(world: World, winner: Winner, chance: Random, weights: tuple[int, ...]) -> datetime | None:
    never = chance.randrange(10_000) < world.behaviour.acceptance.never_bp
    first = max(winner.since, world.spending_start).astimezone(world.zone).date()
    day = first + timedelta(days=chance.choices(range(len(weights)), weights)[0])
    slots = [s for d in (day, first) for s in world.slots_of(d) if max(winner.since, world.spending_start) < s < winner.until]  # fmt: skip
    if never or not slots:
        return None
    return chance.choice([slot for slot in slots if slot.date() == slots[0].date()])


def plan_visits(world: World, holder: Holder, saves: tuple[int, ...] = ()) -> None:
    """Let the holder come again and again until the packet is used, they stop, or it expires.

    ``saves`` fixes the saving of each visit instead of chance.
    """
    plan, chance = world.behaviour.visits, holder.chance
    slot = first_slot(world, holder)
    for number in range(MOST_VISITS):
        if slot is None or holder.balance_fen < world.steps[0][1]:
            return
        save_fen = saves[number] if saves else _wish(world, holder)
        visit(world, holder, slot, save_fen, exactly=bool(saves))
        if saves and number + 1 == len(saves):
            return
        if not saves and chance.randrange(10_000) < plan.stop_bp:
            return
        slot = next_slot(world, holder, slot)


def first_slot(world: World, holder: Holder) -> datetime | None:
    """The first moment the holder comes, within a few days of acceptance."""
    assert holder.accepted_at is not None
    since = max(holder.accepted_at, world.spending_start)
    gaps = world.behaviour.visits.gap_days
    day = since.astimezone(world.zone).date() + timedelta(
        days=holder.chance.choices(range(len(gaps)), gaps)[0]
    )
    return _slot_from(world, holder, min(day, holder.last_day), since)


def next_slot(world: World, holder: Holder, after: datetime) -> datetime | None:
    """The next moment the holder comes, or None when the packet will have expired."""
    gaps = world.behaviour.visits.gap_days
    day = after.date() + timedelta(days=holder.chance.choices(range(len(gaps)), gaps)[0])
    return _slot_from(world, holder, min(day, holder.last_day), after)


def _slot_from(world: World, holder: Holder, day: date, after: datetime) -> datetime | None:
    """A slot on ``day`` or the next one that is open, not before ``after``."""
    weights = world.behaviour.visits.hours
    while day <= holder.last_day:
        open_ = [] if day in world.terms.blackout_dates else [s for s in world.slots_of(day) if s > after]
        if open_:
            return holder.chance.choices(open_, [weights[f"{s:%H:%M}"] for s in open_])[0]
        day += timedelta(days=1)
    return None


def _wish(world: World, holder: Holder) -> int:
    """The saving the holder shops for: a step the balance and the day still allow."""
    weights = world.behaviour.visits.steps
    fits = [
        (save, w) for (_, save), w in zip(world.steps, weights, strict=True) if save <= holder.balance_fen
    ]
    return holder.chance.choices([save for save, _ in fits], [w for _, w in fits])[0]


def visit(world: World, holder: Holder, slot: datetime, save_fen: int, *, exactly: bool = False) -> Step:
    """Plan a purchase that saves ``save_fen`` or what the rules leave of it that day; never more if ``exactly``."""
    chance = holder.chance
    left_fen = _left_on(world, holder, slot.date())
    spend_fen = next(spend for spend, save in world.steps if save == save_fen)
    basket_fen = spend_fen + min(int(chance.expovariate(1 / world.behaviour.visits.extra_fen)), 3 * spend_fen)
    if exactly:
        basket_fen = spend_fen
    tobacco_fen = 0
    if chance.randrange(10_000) < world.behaviour.visits.tobacco_bp:
        tobacco_fen = chance.randrange(1_000, 5_000)
    available = min(holder.balance_fen, world.terms.max_per_use_fen or holder.balance_fen, left_fen)
    saved = amount(world.terms, basket_fen, available)
    till = choose_till(world, holder, slot.date())
    kind, then, then_fen = REDEEM, "", 0
    if not holder.ends_open and not exactly:
        kind, then, then_fen = _after(world, holder, basket_fen)
    step = holder.add(
        slot, kind, terminal=till.terminal, basket_fen=basket_fen + tobacco_fen, tobacco_fen=tobacco_fen,
        then=then, then_fen=then_fen, quote=chance.randrange(10_000) < world.behaviour.visits.quote_bp,
    )  # fmt: skip
    holder.visits.append((step, saved))
    holder.balance_fen -= saved
    return step


def _left_on(world: World, holder: Holder, day: date) -> int:
    caps = [c.amount_fen for c in world.terms.caps if c.scope == "person" and c.period == "day"]
    most = min((cap for cap in caps if cap is not None), default=10**9)
    return most - holder.saved_on(day)


def choose_till(world: World, holder: Holder, day: date) -> Till:
    """A listed shop where the holder has not bought that day."""
    chance = holder.chance
    been = {step.terminal.split("-")[0] for step in holder.visits_on(day)}
    channel = "online" if chance.randrange(10_000) < world.behaviour.visits.online_bp else "in_store"
    tills = [
        t for t in world.listed(channel) or world.listed("in_store") if t.terminal.split("-")[0] not in been
    ]
    if not tills:
        tills = [t for t in world.listed("in_store") if t.terminal.split("-")[0] not in been]
    return chance.choices(tills, [till.weight for till in tills])[0]


def _after(world: World, holder: Holder, basket_fen: int) -> tuple[str, str, int]:
    """How the payment is made and what follows at once: (kind, then, then_fen)."""
    plan, roll = world.behaviour.visits, holder.chance.randrange(10_000)
    for share, outcome in (
        (plan.capture_bp, (HOLD, "capture", 0)),
        (
            plan.capture_part_bp,
            (HOLD, "capture", max(1, basket_fen * holder.chance.randrange(40, 95) // 100)),
        ),
        (plan.void_bp, (HOLD, "void", 0)),
        (plan.undo_bp, (REDEEM, "undo", 0)),
    ):
        if roll < share:
            holder.ends_open = holder.ends_open or outcome[1:] != ("capture", 0)
            return outcome
        roll -= share
    return REDEEM, "", 0
