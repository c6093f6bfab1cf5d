"""The state tables: whatever verbs come in whatever order, nothing moves but along them and nothing ended comes back."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.errors import Refused
from campaigns.domain.states import TABLES, StateTable, next_state

FIRST: Mapping[str, str] = {
    "campaign": "draft",
    "draw": "open",
    "allotment": "free",
    "award": "live",
    "payment": "held",
    "voucher": "live",
}
LAST: Mapping[str, frozenset[str]] = {
    "campaign": frozenset({"closed"}),
    "draw": frozenset({"awarded"}),
    "allotment": frozenset({"granted"}),
    "award": frozenset({"granted", "lapsed", "declined"}),
    "payment": frozenset({"voided", "expired", "undone"}),
    "voucher": frozenset({"expired"}),
}
VERBS = sorted({verb for table in TABLES.values() for _, verb in table})


def states_of(table: StateTable) -> frozenset[str]:
    return frozenset({state for state, _ in table} | set(table.values()))


def test_every_table_has_its_first_and_last_states() -> None:
    assert set(TABLES) == set(FIRST) == set(LAST)
    for name, table in TABLES.items():
        assert FIRST[name] in states_of(table) and LAST[name] <= states_of(table)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_state_is_reached_from_the_first_one(name: str) -> None:
    table, reached = TABLES[name], {FIRST[name]}
    for _ in table:
        reached |= {after for (state, _), after in table.items() if state in reached}
    assert reached == states_of(table)


@pytest.mark.parametrize("name", sorted(TABLES))
@given(verbs=st.lists(st.sampled_from(VERBS), max_size=40))
def test_any_order_of_verbs_moves_along_the_table(name: str, verbs: list[str]) -> None:
    table, state = TABLES[name], FIRST[name]
    for verb in verbs:
        allowed = table.get((state, verb))
        if state in LAST[name]:
            assert allowed is None, f"{name} leaves {state} by {verb}"
        if allowed is None:
            with pytest.raises(Refused) as refused:
                next_state(table, state, verb)
            assert refused.value.code == "wrong_state" and refused.value.facts
        else:
            state = next_state(table, state, verb)
            assert state == allowed and state in states_of(table)


def test_what_a_resident_was_paid_is_never_captured_or_undone_twice() -> None:
    payment = TABLES["payment"]
    assert {verb for state, verb in payment if state == "captured"} == {"refund", "undo"}
    assert not [verb for state, verb in payment if state in LAST["payment"]]
