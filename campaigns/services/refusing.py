"""What is told and what is kept when a payment is refused.

The till hears a code without facts about the holder; the true reason is kept for reports and for the holder.
"""

from uuid import UUID

from msgspec import Struct

from campaigns.domain.codes import CODES
from campaigns.domain.errors import Fact, Refused
from campaigns.domain.principal import Principal
from campaigns.domain.terms.facts import Denial
from campaigns.store.pool import Connection
from campaigns.store.refusals import RefusalRow, write_refusals

HIDDEN = "not_usable_here"


class Attempt(Struct, kw_only=True):
    """What became known of a request while it was worked on, for the record of its refusal."""

    action: str
    denial: Denial | None = None
    campaign_id: UUID | None = None
    person_id: UUID | None = None
    merchant_id: UUID | None = None
    terminal_id: UUID | None = None

    def begin(self) -> None:
        """Forget what a run that was rolled back found."""
        self.denial = self.campaign_id = None

    def row(self, error: Refused) -> RefusalRow:
        """The record of the refusal, with its true reason."""
        code: str = error.code
        facts: dict[str, Fact] = error.facts
        if self.denial is not None:
            code, facts = self.denial.code, dict(self.denial.facts)
        return RefusalRow(
            action=self.action,
            code=code,
            facts=facts,
            at=None if self.denial is None else self.denial.at,
            campaign_id=self.campaign_id,
            person_id=self.person_id,
            merchant_id=self.merchant_id,
            terminal_id=self.terminal_id,
        )

    async def record(self, connection: Connection, error: Refused) -> None:
        """Write the refusal; the last step of `Work.refused`."""
        await write_refusals(connection, [self.row(error)])

    def refuse(self, principal: Principal, denial: Denial, campaign_id: UUID | None) -> Refused:
        """Keep the true reason and answer what this caller may hear of it."""
        self.denial = denial
        self.campaign_id = campaign_id
        code, facts = told(principal, denial)
        refusal = Refused(code)
        refusal.facts.update(facts)
        return refusal


def attempt_of(action: str, principal: Principal) -> Attempt:
    """An attempt of which the caller is all that is known."""
    return Attempt(
        action=action,
        person_id=principal.person_id,
        merchant_id=principal.id if principal.kind in ("terminal", "merchant") else None,
        terminal_id=principal.terminal_id,
    )


def told(principal: Principal, denial: Denial) -> tuple[str, dict[str, Fact]]:
    """The code and facts this caller may hear: all of them for the holder's channel, public ones for a till."""
    if principal.kind == "channel" or CODES[denial.code].public:
        return denial.code, dict(denial.facts)
    return HIDDEN, {}
