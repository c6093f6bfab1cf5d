"""Publication: the money is there, so allotments, issue windows and draws come to be. And pause and resume."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from campaigns.domain.definition.model import Definition, DrawPlan, ListPlan, RushPlan, Source
from campaigns.domain.definition.plan import PlannedTier, issue_plan
from campaigns.domain.errors import Fact, Refused
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import CAMPAIGN, next_state
from campaigns.domain.windows import parse_local, zone_of
from campaigns.services.campaign_source import definition_of
from campaigns.services.campaign_views import CampaignAnswer, answer_of
from campaigns.services.campaigns import move_campaign
from campaigns.services.context import Context
from campaigns.services.funding import funding_of
from campaigns.services.publishable import check_beacon, check_time
from campaigns.store import campaigns as store
from campaigns.store import issuing
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.programmes import operators_by_code
from campaigns.store.unit_of_work import Request, Work, perform
from lottery.beacon import QUICKNET, Chain, round_at
from lottery.core.split import Split, split_amounts
from lottery.rehearsal import REHEARSAL

FIRST_ROUND = 1
CHAINS: dict[str, Chain] = {"drand": QUICKNET, "rehearsal": REHEARSAL}


async def publish_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> CampaignAnswer:
    """Open an approved, fully funded campaign to the public.

    Raises Refused ``wrong_state``, ``rush_not_available``, ``rehearsal_not_allowed``, ``too_late_to_publish``,
    ``not_fully_funded``.
    """
    require_staff(principal, "campaign.publish")

    async def act(connection: Connection) -> CampaignAnswer:
        row = await store.locked_campaign(connection, principal.programme_id, campaign_id)
        next_state(CAMPAIGN, row.state, "publish")
        definition = definition_of(row)
        if isinstance(definition.issuing, RushPlan):
            raise Refused("rush_not_available")
        check_beacon(definition, ctx.mode)
        at = await campaign_now(connection)
        check_time(row, at)
        funding = await funding_of(connection, row)
        if funding.funded_fen != funding.planned_fen:
            raise Refused("not_fully_funded", planned_fen=funding.planned_fen, funded_fen=funding.funded_fen)
        made = await _open_issuing(connection, row, definition)
        await store.set_published(connection, campaign_id, at)
        facts: dict[str, Fact] = {
            "allotments": made,
            "funded_fen": funding.funded_fen,
            "digest": row.digest.hex(),
        }
        await write_audit(connection, at, campaign_id, principal, "campaign.publish", campaign_id, facts)
        return answer_of(await store.campaign_row(connection, principal.programme_id, campaign_id))

    return await perform(ctx.pool, asked, Work(CampaignAnswer, act))


async def _open_issuing(connection: Connection, row: store.CampaignRow, definition: Definition) -> int:
    """Make the issue window, its draw where there is one, and the allotments known now; answers their number."""
    window_id = new_id()
    is_list = isinstance(definition.issuing, ListPlan)
    await issuing.insert_window(connection, window_id, row.id, "list" if is_list else "draw", FIRST_ROUND)
    if isinstance(definition.issuing, DrawPlan):
        draw_id = new_id()
        await issuing.insert_draw(
            connection, draw_id, row.id, window_id, f"{row.code}-r{FIRST_ROUND}", FIRST_ROUND
        )
        sources = source_rows(draw_id, definition.issuing.sources, row.time_zone)
        await issuing.insert_draw_sources(connection, sources)
    operators = await operators_by_code(connection, row.programme_id)
    allotments: list[issuing.AllotmentRow] = []
    for tier in issue_plan(definition).tiers:
        for operator, face_fen in _units(tier, list_seed(row, tier) if is_list else None):
            allotments.append(
                issuing.AllotmentRow(new_id(), row.id, window_id, tier.number, operators[operator], face_fen)
            )
    await issuing.insert_allotments(connection, allotments)
    return len(allotments)


def _units(tier: PlannedTier, seed: str | None) -> list[tuple[str, int]]:
    """Operator and face value of each allotment; none where a split waits for the draw's seed."""
    if tier.split is None:
        assert tier.amount_fen is not None
        return [(operator, tier.amount_fen) for operator, count in tier.units for _ in range(count)]
    if seed is None:
        return []
    split = Split(tier.split.total_fen, tier.count, tier.split.low_fen, tier.split.high_fen)
    [(operator, count)] = tier.units
    assert count == tier.count, "a split lies whole with one operator"
    return [(operator, amount) for amount in split_amounts(seed, split)]


def list_seed(row: store.CampaignRow, tier: PlannedTier) -> str:
    """The seed of a list's split: sha256 of ``list|`` campaign code ``|`` digest of the file ``|`` group number.

    It is fixed by the approved file, so amounts cannot be chosen after it; who stands on which line is the office's.
    """
    return sha256(f"list|{row.code}|{row.digest.hex()}|{tier.number}".encode()).hexdigest()


def source_rows(
    draw_id: UUID, sources: Sequence[Source], time_zone: str
) -> list[tuple[UUID, int, str, str, datetime]]:
    """Rows of a draw's sources; a beacon's round is the last one published when the source is due."""
    zone = zone_of(time_zone)
    rows: list[tuple[UUID, int, str, str, datetime]] = []
    for number, source in enumerate(sources, start=1):
        due = parse_local(source.due, zone)
        chain = CHAINS.get(source.kind)
        spec = "" if chain is None else f"{chain.chain_hash}:{round_at(chain, int(due.timestamp()))}"
        rows.append((draw_id, number, source.kind, spec, due))
    return rows


async def pause_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> CampaignAnswer:
    """Stop entries, grants and payments for a while; holds may end. Raises Refused ``wrong_state``."""
    return await move_campaign(ctx, principal, asked, campaign_id, "pause", "campaign.publish")


async def resume_campaign(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID
) -> CampaignAnswer:
    """Go on after a pause or suspension. Raises Refused ``wrong_state``."""
    return await move_campaign(ctx, principal, asked, campaign_id, "resume", "campaign.publish")
