"""Persons as channels know them: found by proofs, with their tokens and wallets."""

from functools import partial
from uuid import UUID

from api.routing import MOST_BODY_LIMIT_BYTES, Call, Route
from campaigns.services.belongings import (
    Belongings,
    BindToken,
    BindWallet,
    WhoseToken,
    add_proof,
    belongings,
    bind_token,
    bind_wallet,
    revoke_token,
    whose_token,
)
from campaigns.services.context import Context
from campaigns.services.people import (
    Identify,
    IdentifyMany,
    PeopleAnswer,
    PersonAnswer,
    Proof,
    identify,
    identify_many,
)

_channel = partial(Route, method="POST", scope="people.write", principals=("channel",))
_person = partial(_channel, acts_for_person=True, answer=Belongings)


def _for(call: Call) -> UUID:
    assert call.person_id is not None, "the route acts for a person"
    return call.person_id


async def post_identify(ctx: Context, call: Call) -> PersonAnswer:
    return await identify(ctx, call.principal, call.asked, call.body)


async def post_identify_many(ctx: Context, call: Call) -> PeopleAnswer:
    return await identify_many(ctx, call.principal, call.asked, call.body)


async def post_whose_token(ctx: Context, call: Call) -> WhoseToken:
    return await whose_token(ctx, call.principal, call.body)


async def get_belongings(ctx: Context, call: Call) -> Belongings:
    return await belongings(ctx, call.principal, _for(call))


async def post_proof(ctx: Context, call: Call) -> Belongings:
    return await add_proof(ctx, call.principal, call.asked, _for(call), call.body)


async def post_token(ctx: Context, call: Call) -> Belongings:
    return await bind_token(ctx, call.principal, call.asked, _for(call), call.body)


async def delete_token(ctx: Context, call: Call) -> Belongings:
    return await revoke_token(ctx, call.principal, call.asked, _for(call), call.id("token_id"))


async def post_wallet(ctx: Context, call: Call) -> Belongings:
    return await bind_wallet(ctx, call.principal, call.asked, _for(call), call.body)


async def post_persons_wallet(ctx: Context, call: Call) -> Belongings:
    return await bind_wallet(ctx, call.principal, call.asked, call.id("person_id"), call.body)


ROUTES = (
    _channel(
        path="/v1/people/identify",
        handler=post_identify,
        summary="Find the person of these proofs, or register one",
        body=Identify,
        answer=PersonAnswer,
        codes=("proof_invalid", "identifying_proof_missing", "proofs_disagree"),
    ),
    _channel(
        path="/v1/people/identify-many",
        handler=post_identify_many,
        summary="Find or register many persons, all of them or none",
        body=IdentifyMany,
        answer=PeopleAnswer,
        body_limit_bytes=MOST_BODY_LIMIT_BYTES,
        codes=("import_invalid",),
    ),
    _channel(
        path="/v1/people/by-token",
        handler=post_whose_token,
        summary="The person a token carries value for; nothing is written",
        body=BindToken,
        answer=WhoseToken,
        codes=("proof_invalid", "not_found"),
    ),
    _person(
        method="GET",
        path="/v1/me",
        handler=get_belongings,
        summary="What is bound to the person: kinds of proof, tokens, wallets",
    ),
    _person(
        path="/v1/me/proofs",
        handler=post_proof,
        summary="Bind a further proof to the person",
        body=Proof,
        codes=("proof_invalid", "proof_taken", "proofs_disagree"),
    ),
    _person(
        path="/v1/me/tokens",
        handler=post_token,
        summary="Let a chat account, paper code or card carry value for the person",
        body=BindToken,
        codes=("proof_invalid", "token_taken"),
    ),
    _person(
        method="DELETE",
        path="/v1/me/tokens/{token_id}",
        handler=delete_token,
        summary="Stop a lost token",
        codes=("not_found",),
    ),
    _person(
        path="/v1/me/wallets",
        handler=post_wallet,
        summary="Bind a wallet its operator has confirmed",
        body=BindWallet,
        codes=("operator_unknown", "wallet_bound"),
    ),
    Route(
        method="POST",
        path="/v1/people/{person_id}/wallets",
        handler=post_persons_wallet,
        summary="Confirm a person's wallet at the calling operator",
        scope="people.write",
        principals=("operator",),
        body=BindWallet,
        answer=Belongings,
        codes=("operator_unknown", "wallet_bound", "not_found"),
    ),
)
