"""Make one version of a campaign's terms: self-contained data with canonical bytes and a digest."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import msgspec

from campaigns.domain.calendar import rest_days
from campaigns.domain.terms.model import CompiledTerms, Terms, Whitelist
from campaigns.domain.windows import check_window, parse_hours, zone_of


def compile_version(
    campaign: str,
    version: int,
    terms: Terms,
    whitelist: Whitelist,
    spending: tuple[datetime, datetime],
    time_zone: str,
) -> CompiledTerms:
    """Build version ``version`` of the terms of campaign code ``campaign``.

    ``spending`` is the window [start, end) as aware datetimes. Where ``terms.days`` asks for workdays or
    rest days, the rest days of the window go in as data, so that nothing is looked up at payment time.
    Raises Invalid: unknown zone, unreadable hours, an empty or unthinkable window, and YearWithoutCalendar
    for a year whose public holidays nobody has told.
    """
    zone = zone_of(time_zone)
    start, end = spending
    check_window(start, end)
    for hours in terms.hours:
        parse_hours(hours)
    resting: tuple[date, ...] = ()
    if terms.days != "any":
        last_moment = end - timedelta(microseconds=1)
        first, last = start.astimezone(zone).date(), last_moment.astimezone(zone).date()
        resting = rest_days(first, last, terms.holidays)
    return CompiledTerms(
        campaign=campaign,
        version=version,
        time_zone=time_zone,
        spending_start=start.astimezone(UTC),
        spending_end=end.astimezone(UTC),
        whitelist=whitelist,
        terms=terms,
        rest_days=resting,
    )


def canonical_json(compiled: CompiledTerms) -> bytes:
    """The bytes that are stored and digested: members sorted, no white space, times in UTC."""
    utc = msgspec.structs.replace(
        compiled,
        spending_start=compiled.spending_start.astimezone(UTC),
        spending_end=compiled.spending_end.astimezone(UTC),
    )
    return msgspec.json.encode(utc, order="sorted")


def digest(compiled: CompiledTerms) -> str:
    """SHA-256 of `canonical_json`, 64 lower-case hexadecimal digits."""
    return sha256(canonical_json(compiled)).hexdigest()


def read_compiled(stored: bytes) -> CompiledTerms:
    """Read back what `canonical_json` wrote. Raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(stored, type=CompiledTerms)
