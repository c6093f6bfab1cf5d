"""Pages of a list by keyset: whoever inserts or deletes meanwhile, no row is shown twice and none left out.

A read asks its store for ``query.limit + 1`` rows after the cursor's key, in key order, and hands them to
`page_of`. Cursors are opaque to callers: base64url of the last row's key.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from campaigns.domain.errors import Invalid

DEFAULT_LIMIT = 50
MOST_LIMIT = 200
MOST_CURSOR_CHARACTERS = 400
FIRST_ID = UUID(int=0)  # before every id
LAST_ID = UUID(int=2**128 - 1)  # after every id
LAST_NUMBER = 2**63 - 1  # after every number the database gives a row

Cursor = Annotated[
    str,
    Meta(max_length=MOST_CURSOR_CHARACTERS, description="`next_cursor` of the page before, as it came"),
]

T = TypeVar("T")
K = TypeVar("K")


class PageQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of every list; a list with filters has its own subclass."""

    limit: Annotated[int, Meta(ge=1, le=MOST_LIMIT)] = DEFAULT_LIMIT
    cursor: Cursor | None = None


class Page(Struct, Generic[T], frozen=True, kw_only=True):
    """Some rows of a list; ``next_cursor`` asks for the rest and is null on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None = None


def after_id(query: PageQuery) -> UUID:
    """The id to go on after, for lists ordered by id alone. Raises Invalid ``query_invalid``."""
    return after_key(query, UUID, FIRST_ID)


def before_id(query: PageQuery) -> UUID:
    """The id to go on before, for lists with the newest id first. Raises Invalid ``query_invalid``."""
    return after_key(query, UUID, LAST_ID)


def before_number(query: PageQuery) -> int:
    """The number to go on before, for lists with the highest first. Raises Invalid ``query_invalid``."""
    number = after_key(query, int, LAST_NUMBER)
    if not 0 <= number <= LAST_NUMBER:
        raise _foreign_cursor()
    return number


def after_key(query: PageQuery, key_type: type[K], first: K) -> K:
    """The key to go on after (``first`` on page one), e.g. ``after_key(query, tuple[int, UUID], (0, FIRST_ID))``.

    Raises Invalid ``query_invalid`` for a cursor that is not one of ours for this list.
    """
    if query.cursor is None:
        return first
    try:
        padded = query.cursor.encode("ascii") + b"=" * (-len(query.cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=key_type)
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError):
        raise _foreign_cursor() from None


def _foreign_cursor() -> Invalid:
    english, chinese = "not a cursor of this list", "不是本列表的游标"
    return Invalid("query_invalid", parameter="cursor", detail=english, detail_zh=chinese)


def cursor_of(key: object) -> str:
    """The cursor that goes on after a row of this key (a UUID, or a tuple of UUIDs, ints, texts and times)."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def page_of(found: Sequence[T], query: PageQuery, key: Callable[[T], Any]) -> Page[T]:
    """Make the page of up to ``limit + 1`` rows found in key order; ``key`` gives a row's key."""
    shown = tuple(found[: query.limit])
    more = len(found) > query.limit
    return Page(items=shown, next_cursor=cursor_of(key(shown[-1])) if more else None)
