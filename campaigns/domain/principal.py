"""Who asks: the subject behind an API key, and the person a channel acts for."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

PrincipalKind = Literal["channel", "person", "terminal", "merchant", "operator", "staff", "auditor", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. ``id`` is the merchant, operator, staff member, channel or person - never the API key -
    and owns the caller's idempotency keys; ``terminal_id`` is set for a till (whose ``id`` is its merchant)."""

    kind: PrincipalKind
    id: UUID
    programme_id: UUID
    scopes: frozenset[str] = frozenset()
    terminal_id: UUID | None = None
    person_id: UUID | None = None


SYSTEM_ID = UUID(int=0)


def system(programme_id: UUID) -> Principal:
    """The service itself: sweeps and other acts nobody asked for."""
    return Principal("system", SYSTEM_ID, programme_id)
