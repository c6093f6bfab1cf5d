"""Persons: found or made by what a channel proves about them, one at a time or tens of thousands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.errors import Invalid, Refused
from campaigns.domain.ids import new_id
from campaigns.domain.principal import Principal
from campaigns.domain.proofs import MAX_VALUE, ProofKind, keyed, normal_form
from campaigns.domain.roles import require
from campaigns.services.context import Context
from campaigns.services.problems import LineProblem, lines_invalid
from campaigns.store import people as store
from campaigns.store.audit_log import write_audit
from campaigns.store.locks import campaign_now
from campaigns.store.people import ProofRow
from campaigns.store.pool import Connection
from campaigns.store.programmes import programme_row
from campaigns.store.unit_of_work import Request, Work, perform

MAX_PROOFS = 8
MAX_PEOPLE = 50_000

Bound = dict[tuple[str, bytes], UUID]


class Proof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something the channel has verified about a person: a phone by a code sent to it, a document seen."""

    kind: ProofKind
    value: Annotated[str, Meta(min_length=1, max_length=MAX_VALUE)]


Proofs = Annotated[tuple[Proof, ...], Meta(min_length=1, max_length=MAX_PROOFS)]


class Identify(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Proofs of one person."""

    proofs: Proofs


class IdentifyMany(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Proofs of many persons, one item each; equal items are one person."""

    people: Annotated[tuple[Identify, ...], Meta(min_length=1, max_length=MAX_PEOPLE)]


class PersonAnswer(Struct, frozen=True, kw_only=True):
    """Who it is; ``created`` tells that they were not known before."""

    person_id: UUID
    created: bool


class PeopleAnswer(Struct, frozen=True, kw_only=True):
    """Who they are, in the order asked."""

    person_ids: tuple[UUID, ...]
    created: int


class Keyed(NamedTuple):
    """A proof as the database knows it."""

    kind: str
    hmac: bytes


class Found(NamedTuple):
    """What identifying some people comes to: their ids in order, who is new, and what is newly bound."""

    person_ids: list[UUID]
    created: list[UUID]
    bind: list[tuple[UUID, Keyed]]


async def identify(
    ctx: Context, principal: Principal, asked: Request | None, command: Identify
) -> PersonAnswer:
    """Find the person of these proofs or make one; proofs nobody had are bound to them.

    A new person needs a proof of the kind that identifies in the programme. Raises Invalid ``proof_invalid``,
    ``identifying_proof_missing``; Refused ``proofs_disagree`` when they belong to two people, or bring a second
    identifying proof.
    """
    require(principal, "people.write")
    proofs = _keyed(ctx, command)

    async def act(connection: Connection) -> PersonAnswer:
        await store.lock_proofs(connection, principal.programme_id, [proof.hmac for proof in proofs])
        found, problems = await _settle(connection, principal.programme_id, [proofs])
        for problem in problems:
            if problem.code == "proofs_disagree":
                raise Refused("proofs_disagree")
            raise Invalid(problem.code, kind=str(problem.facts["kind"]))
        await _write(connection, principal, found)
        return PersonAnswer(person_id=found.person_ids[0], created=bool(found.created))

    return await perform(ctx.pool, asked, Work(PersonAnswer, act))


async def identify_many(
    ctx: Context, principal: Principal, asked: Request | None, command: IdentifyMany
) -> PeopleAnswer:
    """`identify` for many in one transaction: all of them or, with Invalid ``import_invalid``, none.

    Every problem names its item, counted from 1.
    """
    require(principal, "people.write")
    people, problems = keyed_people(ctx, [item.proofs for item in command.people])
    if problems:
        raise lines_invalid("import_invalid", problems)

    async def act(connection: Connection) -> PeopleAnswer:
        found, problems = await settle_people(connection, principal, people)
        if problems:
            raise lines_invalid("import_invalid", problems)
        return PeopleAnswer(person_ids=tuple(found.person_ids), created=len(found.created))

    return await perform(ctx.pool, asked, Work(PeopleAnswer, act))


async def settle_people(
    connection: Connection, principal: Principal, people: Sequence[list[Keyed]]
) -> tuple[Found, list[LineProblem]]:
    """Find or make many persons in the caller's transaction; with problems (lines from 1) nobody is made."""
    await store.lock_programme_proofs(connection, principal.programme_id)
    found, problems = await _settle(connection, principal.programme_id, people)
    if not problems:
        await _write(connection, principal, found)
    return found, problems


def keyed_people(
    ctx: Context, people: Sequence[Sequence[Proof]]
) -> tuple[list[list[Keyed]], list[LineProblem]]:
    """Proofs of many people as the database knows them, and a problem for each line that has a bad one."""
    keyed_rows: list[list[Keyed]] = []
    problems: list[LineProblem] = []
    for line, proofs in enumerate(people, start=1):
        try:
            keyed_rows.append([_key(ctx, proof) for proof in proofs])
        except Invalid as error:
            problems.append(LineProblem(line, "proofs", error.code, error.facts))
    return keyed_rows, problems


def _keyed(ctx: Context, command: Identify) -> list[Keyed]:
    return [_key(ctx, proof) for proof in command.proofs]


def _key(ctx: Context, proof: Proof) -> Keyed:
    return Keyed(proof.kind, keyed(ctx.hmac_key, proof.kind, normal_form(proof.kind, proof.value)))


async def _settle(
    connection: Connection, programme_id: UUID, people: Sequence[list[Keyed]]
) -> tuple[Found, list[LineProblem]]:
    identifying = (await programme_row(connection, programme_id))["identifying_kind"]
    flat = {proof for proofs in people for proof in proofs}
    owners: Bound = await store.bound(
        connection, programme_id, [p.kind for p in flat], [p.hmac for p in flat]
    )
    identified = await store.having_kind(connection, identifying, list(set(owners.values())))
    return _match(people, identifying, owners, identified)


def _match(
    people: Sequence[list[Keyed]], identifying: str, owners: Bound, identified: set[UUID]
) -> tuple[Found, list[LineProblem]]:
    """Decide each line over what is bound already and what earlier lines bind; ``identified`` have that proof."""
    found = Found([], [], [])
    problems: list[LineProblem] = []
    for line, proofs in enumerate(people, start=1):
        persons = {owners[proof] for proof in proofs if proof in owners}
        brings = {proof for proof in proofs if proof.kind == identifying}
        unbound = [proof for proof in dict.fromkeys(proofs) if proof not in owners]
        if len(persons) > 1 or len(brings) > 1:
            problems.append(LineProblem(line, "proofs", "proofs_disagree", {}))
            continue
        if not persons and not brings:
            problems.append(LineProblem(line, "proofs", "identifying_proof_missing", {"kind": identifying}))
            continue
        if persons:
            person_id = persons.pop()
            if person_id in identified and any(proof.kind == identifying for proof in unbound):
                problems.append(LineProblem(line, "proofs", "proofs_disagree", {}))
                continue
        else:
            person_id = new_id()
            found.created.append(person_id)
        if brings:
            identified.add(person_id)
        for proof in unbound:
            owners[proof] = person_id
            found.bind.append((person_id, proof))
        found.person_ids.append(person_id)
    return found, problems


async def _write(connection: Connection, principal: Principal, found: Found) -> None:
    if not found.bind:
        return
    at = await campaign_now(connection)
    if found.created:
        await store.insert_persons(connection, principal.programme_id, found.created, at)
    await store.insert_proofs(connection, _rows(principal.programme_id, found, at))
    facts = {"created": len(found.created), "bound": len(found.bind)}
    subject = found.person_ids[0] if len(found.person_ids) == 1 else None
    await write_audit(connection, at, None, principal, "person.identify", subject, facts)


def _rows(programme_id: UUID, found: Found, at: datetime) -> list[ProofRow]:
    return [
        ProofRow(new_id(), programme_id, person_id, proof.kind, proof.hmac, at)
        for person_id, proof in found.bind
    ]
