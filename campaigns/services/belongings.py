"""What belongs to a person the channel acts for: further proofs, tokens that carry value, wallets at operators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.errors import Invalid, Refused, TryAgain, not_found
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.proofs import MAX_VALUE, TokenKind, keyed, normal_form, token_form
from campaigns.domain.roles import require
from campaigns.services.context import Context
from campaigns.services.fields import Code
from campaigns.services.people import Proof
from campaigns.store import people as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.people import ProofRow
from campaigns.store.pool import Connection
from campaigns.store.programmes import operators_by_code, programme_row
from campaigns.store.unit_of_work import Request, Work, perform


class BindToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chat account, paper code or card by its number."""

    kind: TokenKind
    value: Annotated[str, Meta(min_length=1, max_length=MAX_VALUE)]


class BindWallet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wallet at ``operator`` (its code), as that operator confirmed under ``confirmation``.

    ``newly_opened``: opened for the first time through a campaign. An operator's own key may leave ``operator`` out.
    """

    confirmation: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$(?!\n)")]
    operator: Code | None = None
    newly_opened: bool = False


class TokenAnswer(Struct, frozen=True, kw_only=True):
    """A live token; its number is known to nobody here."""

    id: UUID
    kind: str
    created_at: datetime


class WalletAnswer(Struct, frozen=True, kw_only=True):
    """A wallet bound to a person."""

    id: UUID
    operator: str
    newly_opened: bool
    bound_at: datetime


class Belongings(Struct, frozen=True, kw_only=True):
    """What is bound to a person; numbers are not kept and not shown."""

    person_id: UUID
    proof_kinds: tuple[str, ...]
    tokens: tuple[TokenAnswer, ...]
    wallets: tuple[WalletAnswer, ...]


class WhoseToken(Struct, frozen=True, kw_only=True):
    """The person a token carries value for."""

    person_id: UUID


async def belongings(ctx: Context, principal: Principal, person_id: UUID) -> Belongings:
    """What is bound to a person of the caller's programme. Raises Refused ``not_found``."""
    async with ctx.pool.acquire() as connection:
        await _check_person(connection, principal, person_id)
        return await _belongings(connection, person_id)


async def add_proof(
    ctx: Context, principal: Principal, asked: Request | None, person_id: UUID, command: Proof
) -> Belongings:
    """Bind a further proof; one's own changes nothing.

    Raises Invalid ``proof_invalid``; Refused ``proof_taken``, ``proofs_disagree`` for a second identifying proof.
    """
    require(principal, "people.write")
    mark = keyed(ctx.hmac_key, command.kind, normal_form(command.kind, command.value))

    async def act(connection: Connection) -> Belongings:
        programme_id = principal.programme_id
        await store.lock_proofs(connection, programme_id, [mark])
        await _check_person(connection, principal, person_id)
        owner = (await store.bound(connection, programme_id, [command.kind], [mark])).get(
            (command.kind, mark)
        )
        if owner not in (None, person_id):
            raise Refused("proof_taken")
        if owner is None:
            identifying = (await programme_row(connection, programme_id))["identifying_kind"]
            if command.kind == identifying and await store.having_kind(connection, identifying, [person_id]):
                raise Refused("proofs_disagree")
            at = await campaign_now(connection)
            row = ProofRow(new_id(), programme_id, person_id, command.kind, mark, at)
            await store.insert_proofs(connection, [row])
            facts = {"kind": command.kind}
            await write_audit(connection, at, None, principal, "person.add_proof", person_id, facts)
        return await _belongings(connection, person_id)

    return await perform(ctx.pool, asked, Work(Belongings, act))


async def bind_token(
    ctx: Context, principal: Principal, asked: Request | None, person_id: UUID, command: BindToken
) -> Belongings:
    """Let a token carry value for the person; a revoked one may be bound anew. Raises Refused ``token_taken``."""
    require(principal, "people.write")
    mark = _token_mark(ctx, command)

    async def act(connection: Connection) -> Belongings:
        await _check_person(connection, principal, person_id)
        row = await store.token_row(connection, command.kind, mark)
        if row is not None and row["revoked_at"] is None:
            if row["person_id"] != person_id:
                raise Refused("token_taken")
            return await _belongings(connection, person_id)
        at = await campaign_now(connection)
        token_id = new_id() if row is None else row["id"]
        if row is not None:
            await store.rebind_token(connection, token_id, person_id, at)
        elif not await store.insert_token(connection, token_id, person_id, command.kind, mark, at):
            raise TryAgain("busy")
        facts = {"kind": command.kind, "person": str(person_id)}
        await write_audit(connection, at, None, principal, "token.bind", token_id, facts)
        return await _belongings(connection, person_id)

    return await perform(ctx.pool, asked, Work(Belongings, act))


async def revoke_token(
    ctx: Context, principal: Principal, asked: Request | None, person_id: UUID, token_id: UUID
) -> Belongings:
    """Stop a lost token. Raises Refused ``not_found``."""
    require(principal, "people.write")

    async def act(connection: Connection) -> Belongings:
        await _check_person(connection, principal, person_id)
        at = await campaign_now(connection)
        if not await store.revoke_token(connection, token_id, person_id, at):
            raise not_found("token")
        await write_audit(connection, at, None, principal, "token.revoke", token_id, {})
        return await _belongings(connection, person_id)

    return await perform(ctx.pool, asked, Work(Belongings, act))


async def whose_token(ctx: Context, principal: Principal, command: BindToken) -> WhoseToken:
    """The person behind a live token of the caller's programme. Raises Refused ``not_found``."""
    require(principal, "people.write")
    mark = _token_mark(ctx, command)
    async with ctx.pool.acquire() as connection:
        row = await store.token_row(connection, command.kind, mark)
    if row is None or row["revoked_at"] is not None or row["programme_id"] != principal.programme_id:
        raise not_found("token")
    return WhoseToken(person_id=row["person_id"])


async def bind_wallet(
    ctx: Context, principal: Principal, asked: Request | None, person_id: UUID, command: BindWallet
) -> Belongings:
    """Bind a wallet that its operator confirmed. Raises Invalid ``operator_unknown``, Refused ``wallet_bound``."""
    require(principal, "people.write")

    async def act(connection: Connection) -> Belongings:
        await _check_person(connection, principal, person_id)
        operator_id = await _operator(connection, principal, command)
        at = await campaign_now(connection)
        wallet_id = new_id()
        if not await store.insert_wallet(
            connection, wallet_id, person_id, operator_id, command.newly_opened, at
        ):
            raise Refused("wallet_bound")
        facts = {"operator": str(operator_id), "confirmation": command.confirmation}
        await write_audit(connection, at, None, principal, "wallet.bind", wallet_id, facts)
        return await _belongings(connection, person_id)

    return await perform(ctx.pool, asked, Work(Belongings, act))


async def _operator(connection: Connection, principal: Principal, command: BindWallet) -> UUID:
    codes = await operators_by_code(connection, principal.programme_id)
    if principal.kind == "operator":
        if command.operator is not None and codes.get(command.operator) != principal.id:
            raise Invalid("operator_unknown", given=command.operator)
        return principal.id
    if command.operator is None or command.operator not in codes:
        raise Invalid("operator_unknown", given=command.operator or "")
    return codes[command.operator]


def _token_mark(ctx: Context, command: BindToken) -> bytes:
    return keyed(ctx.hmac_key, f"token:{command.kind}", token_form(command.kind, command.value))


async def _check_person(connection: Connection, principal: Principal, person_id: UUID) -> None:
    if not await store.known_persons(connection, principal.programme_id, [person_id]):
        raise not_found("person")


async def _belongings(connection: Connection, person_id: UUID) -> Belongings:
    return Belongings(
        person_id=person_id,
        proof_kinds=tuple(await store.proof_kinds(connection, person_id)),
        tokens=tuple(
            TokenAnswer(id=row["id"], kind=row["kind"], created_at=row["created_at"])
            for row in await store.tokens_of(connection, person_id)
        ),
        wallets=tuple(WalletAnswer(**row) for row in await store.wallets_of(connection, person_id)),
    )
