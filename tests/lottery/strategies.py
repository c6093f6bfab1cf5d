"""Hypothesis strategies for entries and rules."""

from hypothesis import strategies as st

from lottery import Entry, Group, Rules

STRATA = ("440103", "440104", "440105", "440106")

seeds = st.binary(min_size=32, max_size=32).map(bytes.hex)
entry_ids = st.text("ABCDEFXYZ0123456789_-", min_size=1, max_size=40)
entry_lists = st.lists(
    st.builds(Entry, entry_ids, st.sampled_from(STRATA), st.integers(1, 5)),
    max_size=60,
    unique_by=lambda e: e.entry_id,
)
groups = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(("*", *STRATA)), st.integers(1, 12)),
    min_size=1,
    max_size=6,
    unique_by=lambda g: g[:2],
).map(lambda rows: tuple(Group(name, stratum, capacity, amount_fen=100) for name, stratum, capacity in rows))
rules = st.builds(Rules, groups, waitlist=st.integers(0, 20), spill=st.sampled_from(("none", "open")))
