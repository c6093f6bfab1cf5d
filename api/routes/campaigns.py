"""A campaign's life: its file, approval by a second person, money, publication, change of terms, close."""

from functools import partial

import msgspec

from api.routing import JSON, Call, Raw, Route
from campaigns.gate.cache import OPEN_CAMPAIGNS
from campaigns.services.campaign_check import FileCheck, check_campaign
from campaigns.services.campaign_source import CampaignSource
from campaigns.services.campaign_views import (
    CampaignAnswer,
    CampaignQuery,
    Contract,
    OpenCampaign,
    campaign_details,
    campaign_file,
    list_campaigns,
    open_campaigns,
    terms_contract,
)
from campaigns.services.campaigns import (
    approve_campaign,
    create_campaign,
    revise_campaign,
    submit_campaign,
    withdraw_campaign,
)
from campaigns.services.closing import Closed, close_campaign
from campaigns.services.context import Context
from campaigns.services.funding import Fund, FundingAnswer, campaign_funding, fund_campaign
from campaigns.services.paging import Page, PageQuery
from campaigns.services.publishing import pause_campaign, publish_campaign, resume_campaign
from campaigns.services.terms_change import (
    ProposedTerms,
    TermsChange,
    approve_terms,
    propose_terms,
    proposed_terms,
)

YAML = "application/yaml"
FILE_CODES = ("definition_invalid", "other_programme", "code_taken")
CHANGE_CODES = ("wrong_state", "terms_change_other", "terms_narrowed", "terms_unchanged", "not_found")

_staff = partial(Route, principals=("staff",))
_read = partial(Route, method="GET", scope="report.read", principals=("staff", "auditor"))
_write = partial(_staff, scope="campaign.write")
_approve = partial(_staff, method="POST", scope="campaign.approve")
_publish = partial(_staff, method="POST", scope="campaign.publish")


async def post_campaign(ctx: Context, call: Call) -> CampaignAnswer:
    return await create_campaign(ctx, call.principal, call.asked, call.body)


async def post_validate(ctx: Context, call: Call) -> FileCheck:
    """Has no effect, so nothing is kept under its request key."""
    return await check_campaign(ctx, call.principal, call.body)


async def put_campaign(ctx: Context, call: Call) -> CampaignAnswer:
    return await revise_campaign(ctx, call.principal, call.asked, call.id("campaign_id"), call.body)


async def get_campaigns(ctx: Context, call: Call) -> Page[CampaignAnswer]:
    return await list_campaigns(ctx, call.principal, call.query)


async def get_open_campaigns(ctx: Context, call: Call) -> Page[OpenCampaign] | Raw:
    """Only the first page as most ask for it is cached: strangers choose the query, and must not fill Valkey."""
    if call.query != PageQuery():
        return await open_campaigns(ctx, call.query)

    async def compute() -> bytes:
        return msgspec.json.encode(await open_campaigns(ctx, PageQuery()))

    return Raw(await call.service.cache.read(OPEN_CAMPAIGNS, (), compute), JSON)


async def get_campaign(ctx: Context, call: Call) -> CampaignAnswer:
    return await campaign_details(ctx, call.principal, call.id("campaign_id"))


async def get_file(ctx: Context, call: Call) -> Raw:
    found = await campaign_file(ctx, call.principal, call.id("campaign_id"))
    return Raw(found.source.encode(), YAML)


async def get_contract(ctx: Context, call: Call) -> Contract:
    return await terms_contract(ctx, call.principal, call.id("campaign_id"))


async def post_submit(ctx: Context, call: Call) -> CampaignAnswer:
    return await submit_campaign(ctx, call.principal, call.asked, call.id("campaign_id"))


async def post_withdraw(ctx: Context, call: Call) -> CampaignAnswer:
    return await withdraw_campaign(ctx, call.principal, call.asked, call.id("campaign_id"))


async def post_approve(ctx: Context, call: Call) -> CampaignAnswer:
    return await approve_campaign(ctx, call.principal, call.asked, call.id("campaign_id"))


async def post_funding(ctx: Context, call: Call) -> FundingAnswer:
    return await fund_campaign(ctx, call.principal, call.asked, call.id("campaign_id"), call.body)


async def get_funding(ctx: Context, call: Call) -> FundingAnswer:
    return await campaign_funding(ctx, call.principal, call.id("campaign_id"))


async def post_publish(ctx: Context, call: Call) -> CampaignAnswer:
    return await publish_campaign(ctx, call.principal, call.asked, call.id("campaign_id"))


async def post_pause(ctx: Context, call: Call) -> CampaignAnswer:
    return await pause_campaign(ctx, call.principal, call.asked, call.id("campaign_id"))


async def post_resume(ctx: Context, call: Call) -> CampaignAnswer:
    return await resume_campaign(ctx, call.principal, call.asked, call.id("campaign_id"))


async def post_close(ctx: Context, call: Call) -> Closed:
    return await close_campaign(ctx, call.principal, call.asked, call.id("campaign_id"))


async def post_terms(ctx: Context, call: Call) -> TermsChange:
    return await propose_terms(ctx, call.principal, call.asked, call.id("campaign_id"), call.body)


async def get_proposed_terms(ctx: Context, call: Call) -> ProposedTerms:
    return await proposed_terms(ctx, call.principal, call.id("campaign_id"), call.id("change_id"))


async def post_terms_approve(ctx: Context, call: Call) -> TermsChange:
    return await approve_terms(ctx, call.principal, call.asked, call.id("campaign_id"), call.id("change_id"))


ROUTES = (
    Route(
        method="GET",
        path="/v1/open-campaigns",
        handler=get_open_campaigns,
        summary="Campaigns that are open to residents",
        scope=None,
        principals=(),
        public_because="what is offered to residents is public",
        query=PageQuery,
        answer=Page[OpenCampaign],
    ),
    _write(
        method="POST",
        path="/v1/campaigns",
        handler=post_campaign,
        summary="Make a draft from a campaign file",
        body=CampaignSource,
        answer=CampaignAnswer,
        status=201,
        codes=FILE_CODES,
    ),
    _write(
        method="POST",
        path="/v1/campaigns/validate",
        handler=post_validate,
        summary="Every problem of a campaign file, or what it would issue; keeps nothing",
        body=CampaignSource,
        answer=FileCheck,
        codes=("other_programme",),
    ),
    _read(
        path="/v1/campaigns",
        handler=get_campaigns,
        summary="The programme's campaigns",
        query=CampaignQuery,
        answer=Page[CampaignAnswer],
    ),
    _read(
        path="/v1/campaigns/{campaign_id}",
        handler=get_campaign,
        summary="One campaign",
        answer=CampaignAnswer,
        codes=("not_found",),
    ),
    _write(
        method="PUT",
        path="/v1/campaigns/{campaign_id}",
        handler=put_campaign,
        summary="Replace a draft's file",
        body=CampaignSource,
        answer=CampaignAnswer,
        codes=(*FILE_CODES, "wrong_state", "not_found"),
    ),
    _read(
        path="/v1/campaigns/{campaign_id}/file",
        handler=get_file,
        summary="The campaign file as it was handed in",
        media_type=YAML,
        codes=("not_found",),
    ),
    _read(
        path="/v1/campaigns/{campaign_id}/contract",
        handler=get_contract,
        summary="The terms as a contract in plain sentences",
        answer=Contract,
        codes=("not_found",),
    ),
    _write(
        method="POST",
        path="/v1/campaigns/{campaign_id}/submit",
        handler=post_submit,
        summary="Hand a draft in for approval",
        answer=CampaignAnswer,
        codes=("wrong_state", "rehearsal_not_allowed", "too_late_to_publish", "not_found"),
    ),
    _write(
        method="POST",
        path="/v1/campaigns/{campaign_id}/withdraw",
        handler=post_withdraw,
        summary="Take a submitted campaign back to draft",
        answer=CampaignAnswer,
        codes=("wrong_state", "not_found"),
    ),
    _approve(
        path="/v1/campaigns/{campaign_id}/approve",
        handler=post_approve,
        summary="Approve a campaign somebody else wrote",
        answer=CampaignAnswer,
        codes=("wrong_state", "author_cannot_approve", "not_found"),
    ),
    _staff(
        method="POST",
        path="/v1/campaigns/{campaign_id}/funding",
        handler=post_funding,
        summary="Book money that came from a funder to a custody operator",
        scope="funds.write",
        body=Fund,
        answer=FundingAnswer,
        status=201,
        codes=("wrong_state", "funding_not_planned", "funding_over_plan", "not_found"),
    ),
    _read(
        path="/v1/campaigns/{campaign_id}/funding",
        handler=get_funding,
        summary="What is planned and what has come",
        answer=FundingAnswer,
        codes=("not_found",),
    ),
    _publish(
        path="/v1/campaigns/{campaign_id}/publish",
        handler=post_publish,
        summary="Open an approved, fully funded campaign to residents",
        answer=CampaignAnswer,
        codes=(
            "wrong_state",
            "rush_not_available",
            "rehearsal_not_allowed",
            "too_late_to_publish",
            "not_fully_funded",
            "not_found",
        ),
    ),
    _publish(
        path="/v1/campaigns/{campaign_id}/pause",
        handler=post_pause,
        summary="Stop entries, grants and payments for a while",
        answer=CampaignAnswer,
        codes=("wrong_state", "not_found"),
    ),
    _publish(
        path="/v1/campaigns/{campaign_id}/resume",
        handler=post_resume,
        summary="Go on after a pause or suspension",
        answer=CampaignAnswer,
        codes=("wrong_state", "not_found"),
    ),
    _publish(
        path="/v1/campaigns/{campaign_id}/close",
        handler=post_close,
        summary="Close a campaign and give what is left back to its funders",
        answer=Closed,
        codes=("wrong_state", "close_too_early", "close_value_alive", "close_draw_unfinished", "not_found"),
    ),
    _write(
        method="POST",
        path="/v1/campaigns/{campaign_id}/terms",
        handler=post_terms,
        summary="Propose wider terms for a running campaign",
        body=CampaignSource,
        answer=TermsChange,
        status=201,
        codes=("definition_invalid", *CHANGE_CODES),
    ),
    _read(
        path="/v1/campaigns/{campaign_id}/terms/{change_id}",
        handler=get_proposed_terms,
        summary="A proposal: its file, and its terms in plain sentences",
        answer=ProposedTerms,
        codes=("not_found",),
    ),
    _approve(
        path="/v1/campaigns/{campaign_id}/terms/{change_id}/approve",
        handler=post_terms_approve,
        summary="Approve wider terms somebody else proposed",
        answer=TermsChange,
        codes=(*CHANGE_CODES, "author_cannot_approve"),
    ),
)
