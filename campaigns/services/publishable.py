"""What would keep a campaign from ever being published: judged when it is handed in, and again when it opens.

Between the two money is booked; who hears it only at publication has to book the money back.
"""

from datetime import datetime

from campaigns.domain.definition.model import Definition, DrawPlan
from campaigns.domain.errors import Refused
from campaigns.domain.windows import local_end_text, zone_of
from campaigns.services.context import Mode
from campaigns.store.campaigns import CampaignRow


def check_beacon(definition: Definition, mode: Mode) -> None:
    """Raise Refused ``rehearsal_not_allowed`` where a production campaign names the rehearsal beacon."""
    if (
        isinstance(definition.issuing, DrawPlan)
        and mode == "production"
        and any(source.kind == "rehearsal" for source in definition.issuing.sources)
    ):
        raise Refused("rehearsal_not_allowed")


def check_time(row: CampaignRow, at: datetime) -> None:
    """Raise Refused ``too_late_to_publish`` where nobody could enter, accept or spend any more."""
    window, end = "spending", row.spending_end
    if row.registration_end is not None:
        window, end = "registration", row.registration_end
    elif row.acceptance_end is not None:
        window, end = "acceptance", row.acceptance_end
    if at >= end:
        raise Refused("too_late_to_publish", window=window, ends=local_end_text(end, zone_of(row.time_zone)))
