"""Who a bearer key belongs to, as the edge finds out."""

from campaigns.domain.errors import Denied
from campaigns.domain.principal import Principal
from campaigns.services.access import key_digest, principals_of
from campaigns.services.context import Context


async def authenticate(ctx: Context, text: str) -> Principal:
    """The principal of a live key. Raises Denied ``key_unknown``."""
    digest = key_digest(text)
    principal = (await principals_of(ctx, [digest])).get(digest)
    if principal is None:
        raise Denied("key_unknown", status=401)
    return principal
