"""The report of a campaign taken through publication and draw by the services themselves."""

from campaigns.domain.report import Stage
from campaigns.services.context import Context
from campaigns.services.reporting import report
from tests.support.draw_world import open_draw

PLANNED_FEN = 10 * 2_000 + 5_000
BUDGET_FEN = PLANNED_FEN + 4_001


async def test_before_and_after_a_draw(ctx: Context) -> None:
    world = await open_draw(ctx)
    before = await report(ctx, world.campaign_id, world.office.programme_id)
    assert (before.name.en, before.programme.en) == ("Test packets", "Test programme")
    assert before.funnel.registered == Stage(count=0)
    # The split packets are made by the draw, which alone knows their amounts.
    assert before.funnel.offered == Stage(count=10, value_fen=20_000)
    assert before.funnel.drawn == Stage(count=0, value_fen=0)
    assert before.money.funded_fen == before.money.escrow_fen >= PLANNED_FEN

    await world.enter(await world.people(40), ticked=40)
    await world.award()
    after = await report(ctx, world.campaign_id)
    funnel = after.funnel
    assert funnel.registered == Stage(count=40)
    assert funnel.offered == funnel.drawn == funnel.accepted == Stage(count=15, value_fen=PLANNED_FEN)
    assert (funnel.claimed_bp, funnel.spent_bp, funnel.called_in) == (10_000, 0, 0)
    assert after.money.outstanding_fen == PLANNED_FEN
    assert [(f.name.en, f.share_bp, f.spent_fen) for f in after.funders] == [
        ("County", 7_000, 0),
        ("City", 3_000, 0),
    ]
    assert sum(f.funded_fen for f in after.funders) == after.money.funded_fen <= BUDGET_FEN


async def test_winners_who_have_not_accepted_yet(ctx: Context) -> None:
    world = await open_draw(ctx)
    await world.enter(await world.people(40), ticked=0)
    await world.award()
    funnel = (await report(ctx, world.campaign_id)).funnel
    assert funnel.drawn == Stage(count=15, value_fen=PLANNED_FEN)
    assert funnel.accepted == Stage(count=0, value_fen=0)
    assert (funnel.claimed_bp, funnel.spent_bp, funnel.lapsed) == (0, None, 0)
