"""API keys: 256 random bits shown once, kept as SHA-256, with scopes by the kind of their holder."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, structs

from campaigns.domain.errors import Invalid, not_found
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.roles import KIND_SCOPES, KeyKind, require, scopes_of
from campaigns.services.context import Context
from campaigns.services.fields import Name
from campaigns.services.paging import Page, PageQuery, after_id, page_of
from campaigns.store import programmes as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

KEY_BYTES = 32
KEY_PREFIX = "hb_"
Scopes = Annotated[tuple[Annotated[str, Meta(max_length=32)], ...], Meta(max_length=32)]


class MakeKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for a subject. No ``scopes`` means all of its kind; no ``subject_id`` (channels only) a new channel."""

    kind: KeyKind
    label: Name
    subject_id: UUID | None = None
    scopes: Scopes = ()


class KeyMade(Struct, frozen=True, kw_only=True):
    """A new key: ``key`` is its secret, shown once: null where a request is answered again."""

    id: UUID
    kind: str
    subject_id: UUID
    label: str
    scopes: tuple[str, ...]
    key: str | None = None


class KeyAnswer(Struct, frozen=True, kw_only=True):
    """A key without its secret, which nobody can read again."""

    id: UUID
    kind: str
    subject_id: UUID
    label: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


class NewKey(Struct, frozen=True, kw_only=True):
    """A key before it is stored."""

    id: UUID
    text: str
    digest: bytes


def new_key() -> NewKey:
    """Draw a key: ``hb_`` and 43 characters of base64url (256 bits)."""
    text = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    return NewKey(id=new_id(), text=text, digest=key_digest(text))


def key_digest(text: str) -> bytes:
    """SHA-256 of a key's text: what the database keeps. A key is 256 random bits, so no salt is needed."""
    return hashlib.sha256(text.encode()).digest()


def chosen_scopes(kind: KeyKind, wanted: Iterable[str]) -> list[str]:
    """The scopes of a key in order. Raises Invalid ``scope_not_for_kind``."""
    allowed = KIND_SCOPES[kind]
    for scope in wanted:
        if scope not in allowed:
            raise Invalid("scope_not_for_kind", kind=kind, scope=scope, allowed=", ".join(sorted(allowed)))
    return sorted(set(wanted) or allowed)


async def make_key(ctx: Context, principal: Principal, asked: Request | None, command: MakeKey) -> KeyMade:
    """Make a key for a member of staff, merchant, terminal, operator or channel of the caller's programme.

    The secret is in the first answer only, never in the one stored under the request key.
    Raises Invalid ``scope_not_for_kind``, Refused ``not_found`` for a foreign subject.
    """
    require(principal, "programme.write" if command.kind != "terminal" else "merchants.write")
    scopes = chosen_scopes(command.kind, command.scopes)
    drawn = new_key()
    subject_id = command.subject_id or new_id()

    async def act(connection: Connection) -> KeyMade:
        at = await campaign_now(connection)
        named = command.subject_id is not None or command.kind == "channel"
        programme_id = principal.programme_id
        if not named or not await store.subject_exists(connection, programme_id, command.kind, subject_id):
            raise not_found(command.kind)
        granted = scopes
        if command.kind == "staff":
            granted = await _within_roles(connection, programme_id, subject_id, scopes)
        row = (drawn.id, drawn.digest, command.kind, subject_id, programme_id, command.label, granted, at)
        await store.insert_keys(connection, [row])
        facts = {"kind": command.kind, "label": command.label, "scopes": " ".join(granted)}
        await write_audit(connection, at, None, principal, "key.make", drawn.id, facts)
        return KeyMade(
            id=drawn.id, kind=command.kind, subject_id=subject_id, label=command.label, scopes=tuple(granted)
        )

    answer = await perform(ctx.pool, asked, Work(KeyMade, act))
    if answer.id != drawn.id:
        return answer
    return structs.replace(answer, key=drawn.text)


async def _within_roles(
    connection: Connection, programme_id: UUID, staff_id: UUID, scopes: list[str]
) -> list[str]:
    """What of ``scopes`` the member's roles allow; a role lost later narrows it further, see `access.principals_of`."""
    row = await store.staff_row(connection, programme_id, staff_id)
    assert row is not None
    return sorted(set(scopes) & scopes_of(row["roles"]))


async def subject_of(ctx: Context, principal: Principal, kind: str, name: str) -> UUID:
    """The subject a person names by login, code or id. Raises Refused ``not_found``."""
    try:
        return UUID(name)
    except ValueError:
        pass
    async with ctx.pool.acquire() as connection:
        found = await store.subject_by_name(connection, principal.programme_id, kind, name)
    if found is None:
        raise not_found(kind)
    return found


async def revoke_key(ctx: Context, principal: Principal, asked: Request | None, key_id: UUID) -> KeyAnswer:
    """Stop a key at once and for good; revoking it again changes nothing. Raises Refused ``not_found``."""
    require(principal, "programme.write")

    async def act(connection: Connection) -> KeyAnswer:
        at = await campaign_now(connection)
        if await store.key_row(connection, principal.programme_id, key_id) is None:
            raise not_found("key")
        await store.revoke_key(connection, key_id, at)
        await write_audit(connection, at, None, principal, "key.revoke", key_id, {})
        return _answer(await store.key_row(connection, principal.programme_id, key_id))

    return await perform(ctx.pool, asked, Work(KeyAnswer, act))


async def list_keys(ctx: Context, principal: Principal, query: PageQuery) -> Page[KeyAnswer]:
    """The programme's keys in the order they were made, revoked ones included."""
    async with ctx.pool.acquire() as connection:
        rows = await store.key_page(connection, principal.programme_id, after_id(query), query.limit + 1)
    return page_of([_answer(row) for row in rows], query, lambda answer: answer.id)


def _answer(row: store.Row | None) -> KeyAnswer:
    assert row is not None
    return KeyAnswer(
        id=row["id"],
        kind=row["kind"],
        subject_id=row["subject_id"],
        label=row["label"],
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )
