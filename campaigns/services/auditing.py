"""The invariant audit: `hongbao audit`, the end of every race and crash test, the background and the nightly run.

Runs the queries of `campaigns.store.audit_checks` on one snapshot and re-runs every drawn draw from its published
files (invariant 8). A clean audit of everything leaves a mark; the next one may prove what was written since, and
what that touched. Invariants 2, 7 and 11-13 are proved by the test suites.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct, structs

from campaigns.services.audit_draws import DRAW_CHECK, check_draw
from campaigns.services.context import Context
from campaigns.store import audit_marks as marks
from campaigns.store.audit_checks import CHECKS, NO_CAMPAIGN, Violation, campaigns_of_programme, run_check
from campaigns.store.audit_draws import drawn_draw, drawn_draws
from campaigns.store.audit_flows import Flows, add_flows, flows_json, sum_flows, tallies
from campaigns.store.audit_scope import EVERYTHING, Scope, touched
from campaigns.store.audit_session import LOOK_UP, audit_connections
from campaigns.store.audit_touched import too_many, touched_keys
from campaigns.store.pool import Connection
from campaigns.store.seal_checks import verify_seals
from campaigns.store.seals import head_at

AUDITED: Final[tuple[int, ...]] = (1, 3, 4, 5, 6, 8, 9, 14, 15)
MARK_CHECK: Final = "audit_mark"
SEAL_CHECK: Final = "seals"
SUMS: Final = "sums"

Progress = Callable[[str], None]
Job = Callable[[Connection], Awaitable[list[Violation]]]


class Finding(Struct, frozen=True, kw_only=True):
    """One violated row, as the audit names it; null is the campaign of a row that has none."""

    invariant: int
    check: str
    campaign_id: str | None
    subject: str
    id: str
    expected: str
    found: str


class AuditResult(Struct, frozen=True, kw_only=True):
    """What was checked and what was found; ``violations`` counts the findings.

    ``whole`` is false where only what was written since the last clean audit was proved, with all it touched.
    ``took_ms`` has each check's time; two checks run at once.
    """

    invariants_checked: tuple[int, ...]
    checks: int
    violations: int
    findings: tuple[Finding, ...]
    whole: bool
    took_ms: dict[str, int]


class _Base(NamedTuple):
    """Where an audit begins: the last mark, whether all is read anew, and the horizon a new mark may have."""

    mark: marks.Mark | None
    whole: bool
    settled_tx: int


async def audit(
    ctx: Context, progress: Progress | None = None, programme_id: UUID | None = None, *, since_last: bool = False,
    alone: bool = False,
) -> AuditResult:  # fmt: skip
    """Check every invariant the data can show, on one snapshot; ``progress`` hears each check's name.

    With ``programme_id`` the findings and draws are that programme's alone; None (the command line) takes all,
    rows of no campaign we know included. With ``since_last`` it proves what was written since the last clean
    audit of everything and all that this touched; without such an audit, or after very much was written, the whole.
    Raises TryAgain ``busy``, where ``alone`` is asked for also while another such audit runs.
    """
    run = _Run(ctx, progress or (lambda name: None), programme_id)
    async with audit_connections(ctx.pool, alone=alone) as connections:
        await run.begin(connections, since_last)
        await _together([run.work(connection) for connection in connections])
    result = run.result()
    if programme_id is None and not result.violations:
        await run.leave_mark()
    return result


async def audit_through(
    ctx: Context, progress: Progress | None = None, *, since_last: bool = False, alone: bool = False
) -> AuditResult:
    """As `audit`, and where a part was audited and something found, everything, so that every row is named.

    The findings are those of both. Raises TryAgain ``busy``.
    """
    part = await audit(ctx, progress, since_last=since_last, alone=alone)
    if part.whole or not part.violations:
        return part
    result = await audit(ctx, progress, alone=alone)
    findings = tuple(dict.fromkeys(result.findings + part.findings))
    return structs.replace(result, findings=findings, violations=len(findings))


class _Run:
    """One audit: its jobs, taken by whichever connection is free, and what they found."""

    def __init__(self, ctx: Context, say: Progress, programme_id: UUID | None) -> None:
        self._ctx, self._say, self._programme_id = ctx, say, programme_id
        self._found: list[Violation] = []
        self._took_ms: dict[str, int] = {}
        self._jobs: deque[tuple[str, Job]] = deque()

    async def begin(self, connections: Sequence[Connection], since_last: bool) -> None:
        """Read the sums and what was touched, and make the jobs of them."""
        first = connections[0]
        self._base = await _base(first, self._ctx.hmac_key, since_last)
        mark, whole = self._base.mark, self._base.whole
        since_tx = mark.upto_tx if mark is not None else 0
        begun = time.perf_counter()
        if not whole:
            for connection in connections:
                await connection.execute(LOOK_UP)
        keys: dict[str, object] = {}
        tally: dict[str, str] = {}

        async def written() -> None:
            self._sums = await sum_flows(first, self._base.settled_tx, since_tx, since=not whole)
            if not whole:
                keys.update(await touched_keys(first, since_tx))

        async def stock() -> None:
            tally.update(await tallies(connections[-1]))

        if len(connections) > 1:
            await _together([written(), stock()])
        else:
            await written()
            await stock()
        self._marked: Flows = mark.flows if mark is not None and not whole else {}
        self._touched_any = bool(self._sums.seen) or any(keys[name] for name in keys if name != "tx")
        tally["flow"] = flows_json(add_flows(self._marked, self._sums.seen))
        self._took_ms[SUMS] = _ms(begun)
        proved = frozenset() if whole or mark is None else mark.draws
        self._draws = await drawn_draws(first, self._programme_id, proved, since_tx)
        self._plan((EVERYTHING if whole else touched(keys)).sharing(tally), proved)

    def _plan(self, scope: Scope, proved: frozenset[str]) -> None:
        self._jobs.append((SEAL_CHECK, self._check_seals))
        self._jobs.append((DRAW_CHECK, lambda connection: self._check_draws(connection, proved)))
        if self._base.whole:
            self._jobs.append((MARK_CHECK, self._check_marks))
        for check in sorted(CHECKS, key=lambda check: not check.whole):  # the longest first
            if self._base.whole or not check.whole:
                self._jobs.append(
                    (check.name, lambda c, check=check: run_check(c, check, self._programme_id, scope))  # type: ignore[misc]
                )

    async def work(self, connection: Connection) -> None:
        """Do jobs until none is left."""
        while self._jobs:
            name, job = self._jobs.popleft()
            self._say(name)
            begun = time.perf_counter()
            self._found += await job(connection)
            self._took_ms[name] = _ms(begun)

    async def _check_draws(self, connection: Connection, proved: frozenset[str]) -> list[Violation]:
        found: list[Violation] = []
        for draw_id in self._draws.open:
            drawn = await drawn_draw(connection, draw_id, again=str(draw_id) not in proved)
            found += await check_draw(drawn, self._ctx.mode != "production")
        return found

    async def _check_seals(self, connection: Connection) -> list[Violation]:
        """Verify every block, or those after the one that the last mark has seen; of a programme, its own rows."""
        mark = self._base.mark
        if self._base.whole or mark is None:
            self._sealed = await verify_seals(connection)
        else:
            known = mark.seal_head if mark.seal_number else None
            self._sealed = await verify_seals(connection, mark.seal_number, known)
        own = await campaigns_of_programme(connection, self._programme_id)
        found = [
            Violation(
                9, SEAL_CHECK, str(one.campaign_id), one.subject, one.id, f"as sealed in block {one.block}", one.what
            )
            for one in self._sealed.findings
            if one.campaign_id is None or own is None or one.campaign_id in own
        ]  # fmt: skip
        if self._base.whole and mark is not None:
            found += await _other_head(connection, mark)
        return found

    async def _check_marks(self, connection: Connection) -> list[Violation]:
        """Hold the marks against their codes, and what the last one says of the ledger against its rows."""
        if self._programme_id is not None:
            return []
        wrong = await marks.wrong_marks(connection, self._ctx.hmac_key)
        found = [_mark_violation(number, "the mark an audit left", "another content") for number in wrong]
        mark = self._base.mark
        if mark is not None and mark.flows != self._sums.marked:
            found.append(_mark_violation(mark.number, "the sums of the transfers before it", "other sums"))
        return found

    def result(self) -> AuditResult:
        """What was found, in the order of the invariants."""
        findings = tuple(
            Finding(
                invariant=v.invariant, check=v.name, campaign_id=None if v.campaign_id == NO_CAMPAIGN else v.campaign_id,
                subject=v.subject, id=v.id, expected=v.expected, found=v.found,
            )
            for v in sorted(self._found)
        )  # fmt: skip
        return AuditResult(
            invariants_checked=AUDITED, checks=len(self._took_ms) - 1, violations=len(findings),
            findings=findings, whole=self._base.whole, took_ms=self._took_ms,
        )  # fmt: skip

    async def leave_mark(self) -> None:
        """Say what this clean audit has proved, where that is more than the last one did."""
        if not (self._base.whole or self._touched_any):
            return
        async with self._ctx.pool.acquire() as connection:
            proved = marks.Proved(
                self._base.settled_tx, self._base.whole, add_flows(self._marked, self._sums.settled), self._draws.ids,
                self._sealed.number, self._sealed.head,
            )  # fmt: skip
            await marks.write_mark(connection, self._ctx.hmac_key, proved)


async def _together(works: Sequence[Coroutine[None, None, None]]) -> None:
    """Do all at once; where one fails the others end before their connections are given back."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _base(connection: Connection, key: bytes, since_last: bool) -> _Base:
    mark = await marks.last_mark(connection, key)
    settled_tx = await marks.settled_tx(connection)
    whole = (
        not since_last
        or mark is None
        or settled_tx < mark.upto_tx
        or await too_many(connection, mark.upto_tx)
    )
    return _Base(mark, whole, settled_tx)


async def _other_head(connection: Connection, mark: marks.Mark) -> list[Violation]:
    """A chain that was made again from an edited row on is whole in itself, but not the one that was marked."""
    if mark.seal_number == 0 or await head_at(connection, mark.seal_number) == mark.seal_head:
        return []
    expected = f"the head {mark.seal_head.hex()}, as the last audit saw it"
    return [
        Violation(9, SEAL_CHECK, NO_CAMPAIGN, "seal block", str(mark.seal_number), expected, "another head")
    ]


def _mark_violation(number: int, expected: str, found: str) -> Violation:
    return Violation(9, MARK_CHECK, NO_CAMPAIGN, "mark", str(number), expected, found)


def _ms(begun: float) -> int:
    return round(1_000 * (time.perf_counter() - begun))
