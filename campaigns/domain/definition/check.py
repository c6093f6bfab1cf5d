"""Everything about a campaign that types cannot see, all of it at once.

Each check looks only at parts of the file that could be read (`Ledger.sound`), so one slip never hides another.
"""

from campaigns.domain.definition.check_money import check_money
from campaigns.domain.definition.check_names import check_names
from campaigns.domain.definition.check_places import check_places
from campaigns.domain.definition.check_terms import check_terms
from campaigns.domain.definition.check_times import check_times
from campaigns.domain.definition.model import Definition
from campaigns.domain.definition.problems import Ledger

CHECKS = (check_names, check_places, check_times, check_money, check_terms)


def check(draft: Definition, ledger: Ledger) -> None:
    """Add every problem of ``draft`` to ``ledger``; unreadable parts of the draft hold `scalars.BAD`."""
    for run in CHECKS:
        run(draft, ledger)
