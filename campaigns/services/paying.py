"""Pay with vouchers: redeem (authorize and capture in one call) and authorize (hold).

Many payments in one transaction (`campaigns.store.group_commit`): locks, reads, a pure decision for each over copies
(`campaigns.domain.pay`), writes. A till pays with the customer's payment code; a holder pays with the shop's store
code - a hold that the shop's capture says yes to, or at once up to the amount that the shop announced.
"""

from campaigns.domain.principal import Principal
from campaigns.services.context import Context
from campaigns.services.payment_answers import PaymentAnswer
from campaigns.services.payment_plans import Pay
from campaigns.services.refusing import attempt_of
from campaigns.services.spending import Spend
from campaigns.services.suspending import suspending
from campaigns.store.unit_of_work import Request


async def redeem(ctx: Context, principal: Principal, asked: Request | None, spend: Spend) -> PaymentAnswer:
    """Spend at once. By a till with a payment code; by a holder up to what the shop announced, once.

    Raises Refused: ``code_unknown`` (404), ``code_already_used``, ``store_not_active``, ``store_code_unknown``,
    ``nothing_announced``, ``above_announced``, and what `decide` says (``not_usable_here`` to a till where the
    reason is about the holder).
    """
    return await _pay(ctx, principal, asked, spend, at_once=True)


async def authorize(ctx: Context, principal: Principal, asked: Request | None, spend: Spend) -> PaymentAnswer:
    """Hold for ``hold_seconds`` of the terms; a capture takes it. Raises as `redeem` does."""
    return await _pay(ctx, principal, asked, spend, at_once=False)


async def _pay(
    ctx: Context, principal: Principal, asked: Request | None, spend: Spend, *, at_once: bool
) -> PaymentAnswer:
    attempt = attempt_of("redeem" if at_once else "authorize", principal)
    plan = Pay(principal=principal, spend=spend, at_once=at_once, attempt=attempt)
    async with suspending(ctx):
        return await ctx.payments.perform(asked, PaymentAnswer, plan)
