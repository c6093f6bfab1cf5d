"""Attempts that the rules refuse, put between the purchases of a plan: one kind for each refusal to be shown. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from api.demo.behaviour import PACKETS_OF_COUNTS, moment
from api.demo.holder_plan import Holder, World, choose_till
from api.demo.plan import REDEEM, Step

EARLY_AND_LATE = ("06:20", "22:40")
AFTER_MIDNIGHT = "00:10"
PLAIN_BASKET_FEN = 8_800
SMALL_BASKET_FEN = (1_200, 4_900)
MOST_USES = 6

Try = Callable[[World, Holder, Random], bool]  # False where the holder's plan has no room for it


def add_refusals(world: World, holders: list[Holder], packets: int) -> None:
    """Add every kind, each as often as the behaviour file says for so many packets, at least once."""
    chance = Random(f"{world.seed}|refused")
    counts = world.behaviour.refused
    for name, attempt in KINDS.items():
        wanted = max(1, round(getattr(counts, name) * packets / PACKETS_OF_COUNTS))
        order = chance.sample(holders, len(holders))
        for holder in order:
            if wanted == 0:
                break
            wanted -= attempt(world, holder, chance)


def _try(holder: Holder, slot: datetime, terminal: str, code: str, basket_fen: int = PLAIN_BASKET_FEN, tobacco_fen: int = 0) -> bool:  # fmt: skip
    holder.add(slot, REDEEM, terminal=terminal, basket_fen=basket_fen, tobacco_fen=tobacco_fen, expected=code)
    return True


def _till(world: World, chance: Random, kind: str, channel: str = "in_store") -> str | None:
    found = [till.terminal for till in world.tills if till.kind == kind and till.channel == channel]
    return chance.choice(found) if found else None


def _slot(world: World, holder: Holder, chance: Random) -> datetime | None:
    """A moment at which the holder's packet is alive and shops may take it."""
    if holder.accepted_at is None or len(holder.visits) >= MOST_USES:
        return None
    since = max(holder.accepted_at, world.spending_start)
    day = since.astimezone(world.zone).date()
    days = [day + timedelta(days=n) for n in range((holder.last_day - day).days + 1)]
    open_ = [s for d in days if d not in world.terms.blackout_dates for s in world.slots_of(d) if s > since]
    return chance.choice(open_) if open_ else None


def _at_till(kind: str, code: str, channel: str = "in_store") -> Try:
    def attempt(world: World, holder: Holder, chance: Random) -> bool:
        slot, terminal = _slot(world, holder, chance), _till(world, chance, kind, channel)
        return slot is not None and terminal is not None and _try(holder, slot, terminal, code)

    return attempt


def _early(world: World, holder: Holder, chance: Random) -> bool:
    slot = moment(world.behaviour.timeline.early, world.zone)
    accepted = holder.accepted_at
    if accepted is None or accepted > slot:
        return False
    return _try(holder, slot, choose_till(world, holder, slot.date()).terminal, "window_not_open")


def _hour(world: World, holder: Holder, chance: Random) -> bool:
    slot = _slot(world, holder, chance)
    if slot is None or holder.accepted_at is None or slot.date() <= holder.accepted_at.date():
        return False
    late = world.at(slot.date(), chance.choice(EARLY_AND_LATE))
    return _try(holder, late, choose_till(world, holder, late.date()).terminal, "hour_not_allowed")


def _blackout(world: World, holder: Holder, chance: Random) -> bool:
    if holder.accepted_at is None:
        return False
    days = [d for d in world.terms.blackout_dates if holder.accepted_at.date() < d <= holder.last_day]
    if not days:
        return False
    slot = chance.choice(world.slots_of(chance.choice(days)))
    return _try(holder, slot, choose_till(world, holder, slot.date()).terminal, "blackout_date")


def _category(world: World, holder: Holder, chance: Random) -> bool:
    slot, terminal = _slot(world, holder, chance), _till(world, chance, "listed")
    if slot is None or terminal is None:
        return False
    return _try(holder, slot, terminal, "category_excluded", tobacco_fen=PLAIN_BASKET_FEN)


def _small(world: World, holder: Holder, chance: Random) -> bool:
    slot, terminal = _slot(world, holder, chance), _till(world, chance, "listed")
    if slot is None or terminal is None:
        return False
    return _try(holder, slot, terminal, "below_minimum_spend", chance.randrange(*SMALL_BASKET_FEN))


def _same_shop(world: World, holder: Holder, chance: Random) -> bool:
    """Again at the same shop on the same day, with value left."""
    left_fen, least_fen = holder.winner.face_fen, world.steps[0][1]
    for step, saved in holder.visits:
        left_fen -= saved
        alone = len(holder.visits_on(step.slot.date())) == 1
        if alone and step.then in ("", "capture") and left_fen >= least_fen:
            return _try(holder, step.slot, step.terminal, "cap_reached_person_merchant_day")
    return False


def _used_up(world: World, holder: Holder, chance: Random) -> bool:
    if holder.ends_open or not holder.visits or holder.balance_fen >= world.steps[0][1]:
        return False
    slot, last = _slot(world, holder, chance), holder.visits[-1][0].slot
    if slot is None or slot <= last:
        return False
    return _try(holder, slot, choose_till(world, holder, slot.date()).terminal, "balance_too_small")


def _expired(world: World, holder: Holder, chance: Random) -> bool:
    """Online, just after the midnight at which the packet expired while spending goes on."""
    day = holder.last_day + timedelta(days=1)
    slot, terminal = world.at(day, AFTER_MIDNIGHT), _till(world, chance, "listed", "online")
    if holder.accepted_at is None or terminal is None or slot >= world.spending_end or not holder.visits:
        return False
    return _try(holder, slot, terminal, "voucher_expired")


def seventh_use(world: World, holder: Holder) -> Step | None:
    """Once more after the last use, where there is a slot for it."""
    last = holder.visits[-1][0].slot
    day = last.date() + timedelta(days=1)
    while day in world.terms.blackout_dates:
        day += timedelta(days=1)
    if day > holder.last_day or len(holder.visits) < MOST_USES:
        return None
    slot = world.slots_of(day)[0]
    return holder.add(
        slot, REDEEM, terminal=choose_till(world, holder, day).terminal, basket_fen=PLAIN_BASKET_FEN,
        expected="uses_exhausted",
    )  # fmt: skip


KINDS: dict[str, Try] = {
    "window_not_open": _early,
    "hour_not_allowed": _hour,
    "blackout_date": _blackout,
    "merchant_not_listed": _at_till("not_listed", "merchant_not_listed"),
    "outside": _at_till("outside", "merchant_not_listed"),
    "scenario_not_allowed": _at_till("other_scenario", "scenario_not_allowed"),
    "category_excluded": _category,
    "channel_not_allowed": _at_till("listed", "channel_not_allowed", "unattended"),
    "below_minimum_spend": _small,
    "cap_reached_person_merchant_day": _same_shop,
    "balance_too_small": _used_up,
    "voucher_expired": _expired,
}
