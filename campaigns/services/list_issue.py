"""Issue by list: staff name persons and tiers, and each gets a voucher at once, or nobody does."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from msgspec import Meta, Struct

from campaigns.domain.definition.model import Definition, ListPlan
from campaigns.domain.definition.plan import issue_plan
from campaigns.domain.errors import Fact, Refused, TryAgain
from campaigns.domain.principal import Principal
from campaigns.domain.roles import require_staff
from campaigns.domain.states import CAMPAIGN, wrong_state
from campaigns.domain.windows import local_end_text, local_text, zone_of
from campaigns.services.campaign_source import definition_of, method_of
from campaigns.services.context import Context
from campaigns.services.fields import Code
from campaigns.services.granting import Grant, grant
from campaigns.services.people import MAX_PROOFS, Keyed, Proof, keyed_people, settle_people
from campaigns.services.problems import LineProblem, lines_invalid
from campaigns.services.suspending import suspending
from campaigns.store import issuing
from campaigns.store.audit_log import write_audit
from campaigns.store.campaigns import CampaignRow, shared_campaign
from campaigns.store.locks import campaign_now
from campaigns.store.people import known_persons
from campaigns.store.pool import Connection
from campaigns.store.unit_of_work import Request, Work, perform

MAX_ROWS = 5_000
RUNNING = "published"


class ListRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line: who, by id or by proofs, and which tier."""

    tier: Code
    person_id: UUID | None = None
    proofs: Annotated[tuple[Proof, ...], Meta(max_length=MAX_PROOFS)] = ()


class IssueList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bounded part of a list. ``first_line`` is the number of its first line, as problems name it."""

    rows: Annotated[tuple[ListRow, ...], Meta(min_length=1, max_length=MAX_ROWS)]
    first_line: Annotated[int, Meta(ge=1, le=10_000_000)] = 1


class Issued(Struct, frozen=True, kw_only=True):
    """Vouchers in the order of the lines."""

    voucher_ids: tuple[UUID, ...]
    person_ids: tuple[UUID, ...]
    amount_fen: int


class Taken(NamedTuple):
    """A line with its allotment."""

    person_id: UUID
    allotment_id: UUID
    operator_id: UUID
    face_fen: int


async def issue_list(
    ctx: Context, principal: Principal, asked: Request | None, campaign_id: UUID, command: IssueList
) -> Issued:
    """Grant a voucher to every line of a list campaign in one transaction, or to none.

    Persons named by proofs are found or made. Raises Invalid ``list_rows_invalid`` with every problem and its
    line (a person listed or issued more often than `per_person`, an unknown tier or person, a bad proof);
    Refused ``wrong_state``, ``not_a_list``, ``list_not_open``, ``list_over``, ``allotments_exhausted``.
    """
    require_staff(principal, "list.issue")
    check_shape(command)
    people, problems = keyed_people(ctx, [row.proofs for row in command.rows])
    if problems:
        raise lines_invalid("list_rows_invalid", _shifted(problems, command))

    async def act(connection: Connection) -> Issued:
        row = await shared_campaign(connection, principal.programme_id, campaign_id)
        definition = definition_of(row)
        numbers = _tier_numbers(row, definition, command)
        person_ids = await _persons(connection, principal, command, people)
        window_id = await issuing.list_window(connection, campaign_id)
        assert window_id is not None, "a published list has its window"
        await _take_turns(connection, row, definition, window_id, person_ids, command)
        taken = await _take(connection, row, window_id, numbers, person_ids)
        at = await campaign_now(connection)
        _check_open(row, at)
        granted = await grant(connection, ctx.terms, at, campaign_id, [Grant(*line) for line in taken])
        total = sum(line.face_fen for line in taken)
        facts: dict[str, Fact] = {"lines": len(taken), "first_line": command.first_line, "amount_fen": total}
        await write_audit(connection, at, campaign_id, principal, "list.issue", campaign_id, facts)
        return Issued(voucher_ids=granted.voucher_ids, person_ids=tuple(person_ids), amount_fen=total)

    async with suspending(ctx):
        return await perform(ctx.pool, asked, Work(Issued, act))


def check_shape(command: IssueList) -> None:
    """Raise Invalid ``list_rows_invalid`` unless every line names its person in exactly one way."""
    problems = [
        LineProblem(line, "person_id", "list_row_subject", {})
        for line, row in enumerate(command.rows, start=command.first_line)
        if (row.person_id is None) == (not row.proofs)
    ]
    if problems:
        raise lines_invalid("list_rows_invalid", problems)


def _shifted(problems: Sequence[LineProblem], command: IssueList) -> list[LineProblem]:
    return [problem._replace(line=problem.line + command.first_line - 1) for problem in problems]


def _tier_numbers(row: CampaignRow, definition: Definition, command: IssueList) -> list[int]:
    if row.state != RUNNING:
        raise wrong_state(CAMPAIGN, row.state, "issue")
    if not isinstance(definition.issuing, ListPlan):
        raise Refused("not_a_list", method=method_of(definition))
    numbers = {tier.tier_id: tier.number for tier in issue_plan(definition).tiers}
    allowed = ", ".join(numbers)
    problems = [
        LineProblem(line, "tier", "tier_unknown", {"given": item.tier[:60], "allowed": allowed})
        for line, item in enumerate(command.rows, start=command.first_line)
        if item.tier not in numbers
    ]
    if problems:
        raise lines_invalid("list_rows_invalid", problems)
    return [numbers[item.tier] for item in command.rows]


def _check_open(row: CampaignRow, at: datetime) -> None:
    zone = zone_of(row.time_zone)
    start, end = row.acceptance_start or row.spending_start, row.acceptance_end or row.spending_end
    if at < start:
        raise Refused("list_not_open", starts=local_text(start, zone))
    if at >= end:
        raise Refused("list_over", ends=local_end_text(end, zone))


async def _persons(
    connection: Connection, principal: Principal, command: IssueList, people: Sequence[list[Keyed]]
) -> list[UUID]:
    """Who stands on each line."""
    given = {row.person_id for row in command.rows if row.person_id is not None}
    known = await known_persons(connection, principal.programme_id, list(given))
    problems = [
        LineProblem(line, "person_id", "list_person_unknown", {})
        for line, row in enumerate(command.rows, start=command.first_line)
        if row.person_id is not None and row.person_id not in known
    ]
    if problems:
        raise lines_invalid("list_rows_invalid", problems)
    lines = [line for line, row in enumerate(command.rows) if row.person_id is None]
    found: Iterator[UUID] = iter(())
    if lines:
        settled, problems = await settle_people(connection, principal, [people[line] for line in lines])
        if problems:
            own = [p._replace(line=lines[p.line - 1] + command.first_line) for p in problems]
            raise lines_invalid("list_rows_invalid", own)
        found = iter(settled.person_ids)
    return [row.person_id or next(found) for row in command.rows]


async def _take_turns(
    connection: Connection, row: CampaignRow, definition: Definition, window_id: UUID,
    person_ids: Sequence[UUID], command: IssueList,
) -> None:  # fmt: skip
    """Write each line's turn. Raises Invalid for persons who had theirs, TryAgain when another list runs on them."""
    most = definition.per_person
    had = await issuing.turns_of(connection, row.id, window_id, list(set(person_ids)))
    first: dict[UUID, int] = {}
    listed: Counter[UUID] = Counter()
    numbers: list[int] = []
    problems: list[LineProblem] = []
    for line, person_id in enumerate(person_ids, start=command.first_line):
        first.setdefault(person_id, line)
        listed[person_id] += 1
        number = had.get(person_id, 0) + listed[person_id]
        numbers.append(number)
        if number > most and listed[person_id] == 1:
            problems.append(LineProblem(line, "person_id", "list_person_had", {"most": most}))
        elif number > most:
            facts: dict[str, Fact] = {"most": most, "first_line": first[person_id]}
            problems.append(LineProblem(line, "person_id", "list_person_doubled", facts))
    if problems:
        raise lines_invalid("list_rows_invalid", problems)
    if not await issuing.insert_turns(connection, row.id, window_id, person_ids, numbers):
        raise TryAgain("busy")


async def _take(
    connection: Connection,
    row: CampaignRow,
    window_id: UUID,
    numbers: Sequence[int],
    person_ids: Sequence[UUID],
) -> list[Taken]:
    """An allotment for each line, tier by tier in the order of the plan. Raises Refused ``allotments_exhausted``."""
    free: dict[int, list[issuing.Row]] = {}
    names = {tier.number: tier.tier_id for tier in issue_plan(definition_of(row)).tiers}
    for number, wanted in sorted(Counter(numbers).items()):
        rows = await issuing.take_allotments(connection, row.id, window_id, number, wanted)
        if len(rows) < wanted:
            left = await issuing.count_free(connection, row.id, window_id, number)
            if left >= wanted:
                raise TryAgain("busy")  # another list holds some and may yet give them back
            raise Refused("allotments_exhausted", tier=names[number], left=left, wanted=wanted)
        free[number] = rows[::-1]
    taken = []
    for number, person_id in zip(numbers, person_ids, strict=True):
        unit = free[number].pop()
        taken.append(Taken(person_id, unit["id"], unit["operator_id"], unit["face_fen"]))
    return taken
