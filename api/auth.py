"""Bearer keys: who calls, whether this route is for them, and for whom a channel acts.

A principal is remembered for a few seconds by the digest of its key, so a revoked key works that long at most.
"""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

from api.bodies import parse_id
from api.routing import Route
from campaigns.domain.errors import Denied, Invalid, not_found
from campaigns.domain.principal import Principal
from campaigns.gate.gathered import Gathered
from campaigns.services.access import key_digest, principals_of, registered
from campaigns.services.context import Context

KEY_LIFE_SECONDS = 5.0
MOST_KEYS = 10_000
MOST_PERSONS = 100_000
MAX_KEY_CHARACTERS = 200
_BEARER = re.compile(rf"[Bb]earer ([\x21-\x7e]{{16,{MAX_KEY_CHARACTERS}}})")


class Authenticator:
    """The keys one process has seen lately."""

    def __init__(self, ctx: Context, clock: Callable[[], float] = time.monotonic) -> None:
        self._principals = Gathered(partial(principals_of, ctx))
        self._registered = Gathered(partial(registered, ctx))
        self._clock = clock
        self._keys: dict[bytes, tuple[Principal, float]] = {}
        self._persons: set[tuple[UUID, UUID]] = set()

    async def caller(self, header: str | None) -> Principal:
        """The principal behind the header Authorization. Raises Denied (401)."""
        if not header:
            raise Denied("key_missing", status=401)
        found = _BEARER.fullmatch(header)
        if found is None:
            raise Denied("key_unknown", status=401)
        digest = key_digest(found[1])
        now = self._clock()
        principal, until = self._keys.get(digest, (None, 0.0))
        if principal is not None and now < until:
            return principal
        self._keys.pop(digest, None)
        principal = await self._principals.get(digest)
        if principal is None:
            raise Denied("key_unknown", status=401)
        if len(self._keys) >= MOST_KEYS:
            self._keys.clear()
        self._keys[digest] = (principal, now + KEY_LIFE_SECONDS)
        return principal

    async def acting(self, principal: Principal, header: str | None) -> Principal:
        """The channel acting for the person of the header Hongbao-Person; idempotency keys are then theirs.

        Raises Invalid ``person_missing`` and Refused ``not_found`` (unknown, or of another programme).
        """
        if not header:
            raise Invalid("person_missing")
        person_id = parse_id(header, "person")
        seen = (principal.programme_id, person_id)
        if seen not in self._persons:
            if not await self._registered.get(seen):
                raise not_found("person")
            if len(self._persons) >= MOST_PERSONS:
                self._persons.clear()
            self._persons.add(seen)
        return replace(principal, person_id=person_id)


def check_policy(route: Route, principal: Principal) -> None:
    """Raises Denied unless the route is for this kind of principal and its key has the scope."""
    if principal.kind not in route.principals:
        raise Denied("principal_not_allowed", kind=principal.kind)
    if route.scope is not None and route.scope not in principal.scopes:
        raise Denied("scope_missing", scope=route.scope)
