"""Advisory locks: one number space, so that a campaign's log never waits for a programme's people."""

from campaigns.store.entries import SEQUENCER_LOCKS
from campaigns.store.locks import CAMPAIGN_LOCKS
from campaigns.store.people import PERSON_LOCKS


def test_each_kind_of_lock_has_its_own_number() -> None:
    assert len({CAMPAIGN_LOCKS, SEQUENCER_LOCKS, PERSON_LOCKS}) == 3
