"""Pages by keyset: every row once, whatever the limit; cursors of another list are refused."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.errors import Invalid
from campaigns.domain.ids import new_id
from campaigns.services.paging import FIRST_ID, MOST_LIMIT, PageQuery, after_id, after_key, cursor_of, page_of


@given(st.lists(st.uuids(), unique=True, max_size=60), st.integers(1, MOST_LIMIT))
def test_walking_the_pages_meets_every_row_once(ids: list[UUID], limit: int) -> None:
    rows = sorted(ids)
    met: list[UUID] = []
    query = PageQuery(limit=limit)
    for _ in range(len(rows) + 1):
        after = after_id(query)
        found = [row for row in rows if row > after][: query.limit + 1]
        page = page_of(found, query, lambda row: row)
        assert len(page.items) <= limit
        met.extend(page.items)
        if page.next_cursor is None:
            break
        query = PageQuery(limit=limit, cursor=page.next_cursor)
    assert met == [row for row in rows if row > FIRST_ID]


def test_a_cursor_may_hold_several_keys() -> None:
    key = (7, datetime(2026, 5, 1, tzinfo=UTC), new_id())
    query = PageQuery(cursor=cursor_of(key))
    assert after_key(query, tuple[int, datetime, UUID], (0, datetime.min, FIRST_ID)) == key


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "A",
        "!!!!",
        "é",
        "AAAA",
        cursor_of(5),
        cursor_of((5, new_id())),
        cursor_of(new_id())[:-2],
        "====",
        "A=B",
    ],
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        after_id(PageQuery(cursor=cursor))
    assert (caught.value.code, caught.value.status, caught.value.facts["parameter"]) == (
        "query_invalid",
        422,
        "cursor",
    )
