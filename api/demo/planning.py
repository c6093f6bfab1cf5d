"""From the winners of a draw to the whole plan: each holder by themselves, then the attempts that are refused. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from api.demo.behaviour import PACKETS_OF_COUNTS
from api.demo.holder_plan import (
    Holder,
    Winner,
    World,
    choose_till,
    first_slot,
    plan_visits,
    start_holder,
    visit,
)
from api.demo.misuse import add_refusals, seventh_use
from api.demo.plan import REDEEM, REFUND, Step

BIG_FEN = 10_000


def plan_winners(world: World, winners: Sequence[Winner]) -> list[Step]:
    """The plan of those whom the draw awarded, with the attempts that are refused."""
    winners = sorted(winners)
    chance = Random(f"{world.seed}|special")
    packets, counts = len(winners), world.behaviour.refused
    big = [w.entry for w in winners if w.face_fen == BIG_FEN and w.ticked]
    heavy = _some(counts.cap_reached_person_day, packets)
    often = _some(counts.uses_exhausted, packets)
    special = chance.sample(big, min(len(big), heavy + often))
    heavies, oftens = set(special[:heavy]), set(special[heavy:])
    holders = [start_holder(world, winner, world.behaviour.acceptance.days) for winner in winners]
    plain: list[Holder] = []
    for holder in holders:
        if holder.accepted_at is None:
            continue
        if holder.winner.entry in oftens:
            plan_visits(world, holder, saves=(world.steps[0][1],) * 6)
            seventh_use(world, holder)
        elif holder.winner.entry in heavies:
            _heavy_day(world, holder)
        else:
            plan_visits(world, holder)
            _returns(world, holder)
            plain.append(holder)
    add_refusals(world, plain, packets)
    return [step for holder in holders for step in holder.steps]


def plan_substitutes(world: World, winners: Sequence[Winner]) -> list[Step]:
    """The plan of those who came from the waitlist."""
    steps: list[Step] = []
    for winner in sorted(winners):
        holder = start_holder(world, winner, world.behaviour.acceptance.substitute_days)
        if holder.accepted_at is not None:
            plan_visits(world, holder)
            _returns(world, holder)
            steps += holder.steps
    return steps


def _some(count: int, packets: int) -> int:
    return max(1, round(count * packets / PACKETS_OF_COUNTS))


def _heavy_day(world: World, holder: Holder) -> None:
    """Twice the most for one payment on one day, and a third time against the cap of the day."""
    slot = first_slot(world, holder)
    most_fen = world.steps[-1][1]
    assert slot is not None and world.spending_start < slot
    day = slot.date() + timedelta(days=1)
    while day in world.terms.blackout_dates:
        day += timedelta(days=1)
    slots = world.slots_of(day)
    for at in slots[:2]:
        visit(world, holder, at, most_fen, exactly=True)
    holder.add(
        slots[2], REDEEM, terminal=choose_till(world, holder, day).terminal,
        basket_fen=world.steps[-1][0], expected="cap_reached_person_day",
    )  # fmt: skip


def _returns(world: World, holder: Holder) -> None:
    """Goods that come back in a later slot, of one purchase at most."""
    plan, chance = world.behaviour.visits, holder.chance
    for step, _ in holder.visits:
        roll = chance.randrange(10_000)
        if (
            step.then
            or step.kind != REDEEM
            or holder.ends_open
            or roll >= plan.refund_bp + plan.refund_part_bp
        ):
            continue
        goods_fen = step.basket_fen - step.tobacco_fen
        if roll >= plan.refund_bp:
            goods_fen = max(1, goods_fen * chance.randrange(20, 80) // 100)
        else:
            goods_fen = step.basket_fen
        later = [s for n in (0, 1, 2) for s in world.slots_of(step.slot.date() + timedelta(days=n))]
        slots = [slot for slot in later if step.slot < slot < world.spending_end]
        if slots:
            holder.ends_open = True
            holder.add(
                chance.choice(slots), REFUND, terminal=step.terminal, then_fen=goods_fen, of=step.number
            )
