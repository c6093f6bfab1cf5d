"""May this voucher be spent on this purchase now, and how much does it give?

`decide` is pure and total: it answers every well-typed question and raises nothing. It asks the rules of
`RULES` in that fixed order and answers with the first refusal, so that a payment that breaks several rules
always hears the same one; the later a refusal stands in the table, the nearer the payment came.
"""

from collections.abc import Callable
from datetime import datetime

from campaigns.domain.money import is_amount
from campaigns.domain.terms import when, where
from campaigns.domain.terms.amount import amount, minimum_spend
from campaigns.domain.terms.buckets import next_bucket
from campaigns.domain.terms.facts import Allowed, Decision, Denial, Holder, Purchase, Used, Voucher
from campaigns.domain.terms.model import Cap
from campaigns.domain.terms.rules import Case, Rules
from campaigns.domain.terms.when import No

Rule = Callable[[Rules, Case], No | None]


def decide(
    rules: Rules,
    voucher: Voucher,
    holder: Holder,
    purchase: Purchase,
    used: tuple[Used, ...],
    now: datetime,
) -> Decision:
    """Decide one voucher on one purchase at campaign time ``now``.

    ``used`` stands in the order of ``rules.terms.caps`` and holds each cap's bucket of this authorization
    (`buckets.bucket`); a cap without its usage counts as reached. Whether campaign, merchant and payment
    code are in order is not asked here.
    """
    # outside the window the local time does not matter: the first rules refuse by ``now`` itself
    local = min(max(now, rules.start), rules.end).astimezone(rules.zone)
    case = Case(
        voucher=voucher,
        holder=holder,
        purchase=purchase,
        used=used,
        now=now,
        day=local.date(),
        minute=local.hour * 60 + local.minute,
        eligible_fen=purchase.basket_fen,
        available_fen=voucher.balance_fen,
    )
    for rule in RULES:
        no = rule(rules, case)
        if no is not None:
            return Denial(code=no[0], facts=no[1], at=now)
    subsidy_fen = amount(rules.terms, case.eligible_fen, case.available_fen)
    assert 1 <= subsidy_fen <= purchase.basket_fen
    return Allowed(
        amount_fen=subsidy_fen,
        eligible_fen=case.eligible_fen,
        available_fen=case.available_fen,
        at=now,
    )


def basket(rules: Rules, case: Case) -> No | None:
    """A basket is an amount; the items named are never negative and together no more than it."""
    basket_fen, items = case.purchase.basket_fen, case.purchase.items
    fits = sum(item.amount_fen for item in items) <= basket_fen
    if not is_amount(basket_fen) or not fits or any(item.amount_fen < 0 for item in items):
        return "basket_invalid", {"basket_fen": basket_fen}
    return None


def wallet_operator(rules: Rules, case: Case) -> No | None:
    """The holder has a wallet with one of the operators named."""
    if rules.wallet_operators and rules.wallet_operators.isdisjoint(case.holder.wallet_operators):
        return "wallet_operator_required", {"operators": ", ".join(rules.terms.wallet_operators)}
    return None


def first_purchase(rules: Rules, case: Case) -> No | None:
    """The holder never bought at this merchant before."""
    if rules.terms.first_purchase and case.holder.bought_before:
        return "first_purchase_only", {"merchant": case.purchase.store.merchant}
    return None


def number_of_uses(rules: Rules, case: Case) -> No | None:
    """The voucher has a use left."""
    most_uses = rules.terms.max_uses
    if most_uses is not None and case.voucher.uses >= most_uses:
        return "uses_exhausted", {"most_uses": most_uses, "uses": case.voucher.uses}
    return None


def enough_spent(rules: Rules, case: Case) -> No | None:
    """The eligible basket reaches the minimum spend and the lowest step."""
    minimum_fen = minimum_spend(rules.terms)
    if case.eligible_fen < minimum_fen:
        return "below_minimum_spend", {"minimum_fen": minimum_fen, "eligible_fen": case.eligible_fen}
    return None


def benefit(rules: Rules, case: Case) -> No | None:
    """The benefit alone gives at least one fen: a percentage of a few fen rounds down to nothing."""
    if amount(rules.terms, case.eligible_fen, case.eligible_fen) == 0:
        return "nothing_to_pay", {"eligible_fen": case.eligible_fen}
    return None


def balance(rules: Rules, case: Case) -> No | None:
    """The voucher's balance covers something: a fen, or a whole step of spend-and-save."""
    if amount(rules.terms, case.eligible_fen, case.available_fen) == 0:
        return "balance_too_small", {"balance_fen": case.voucher.balance_fen}
    return None


def most_per_use(rules: Rules, case: Case) -> No | None:
    """One payment gets at most ``max_per_use_fen``; it cuts the subsidy and refuses only if nothing is left."""
    most_fen = rules.terms.max_per_use_fen
    if most_fen is None:
        return None
    case.available_fen = min(case.available_fen, most_fen)
    if amount(rules.terms, case.eligible_fen, case.available_fen) == 0:
        return "most_per_use_too_small", {"most_fen": most_fen}
    return None


def caps(rules: Rules, case: Case) -> No | None:
    """Each cap has a payment and some fen left in its bucket.

    A cap on fen cuts stored value and percentages to what remains. A step of spend-and-save is never cut:
    a lower step that fits is given, and where none fits the cap is reached, so that nobody pays the full
    threshold for part of the printed saving and the voucher keeps its use for another day.
    """
    for index, cap in enumerate(rules.terms.caps):
        used = case.used[index] if index < len(case.used) else None
        if used is None or (cap.uses is not None and used.uses >= cap.uses):
            return _reached(cap, case)
        if cap.amount_fen is not None:
            case.available_fen = min(case.available_fen, cap.amount_fen - used.amount_fen)
            if amount(rules.terms, case.eligible_fen, case.available_fen) == 0:
                return _reached(cap, case)
    return None


def _reached(cap: Cap, case: Case) -> No:
    following = next_bucket(cap.period, case.day)
    return f"cap_reached_{cap.scope}_{cap.period}", {
        "limit_uses": cap.uses,
        "limit_fen": cap.amount_fen,
        "again_on": following.isoformat() if following else None,
    }


RULES: tuple[Rule, ...] = (
    basket,
    when.spending_window,
    when.voucher_state,
    when.voucher_expiry,
    when.weekday,
    when.hours,
    when.blackout,
    when.holiday,
    where.place,
    where.whitelist,
    where.scenario,
    where.merchant_category,
    where.excluded_category,
    where.channel,
    where.geofence,
    wallet_operator,
    first_purchase,
    number_of_uses,
    enough_spent,
    benefit,
    balance,
    most_per_use,
    caps,
)
