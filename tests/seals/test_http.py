"""The public heads over HTTP."""

from api.routes import seals
from campaigns.services.seals import heads, seal_rows
from tests.seals.conftest import Sealed
from tests.support.http import serve


async def test_anybody_reads_the_heads_and_nothing_else(unsealed: Sealed) -> None:
    async with serve(unsealed.ctx, seals.ROUTES) as served:
        assert (await served.client.get("/v1/seals")).json() == {"items": [], "next_cursor": None}
        for _ in range(3):
            await unsealed.pay()
            await seal_rows(unsealed.ctx)
        first = (await served.client.get("/v1/seals?limit=2")).json()
        rest = (await served.client.get(f"/v1/seals?limit=2&cursor={first['next_cursor']}")).json()
        shown = first["items"] + rest["items"]
        assert rest["next_cursor"] is None
        assert [(one["block"], one["head"]) for one in shown] == [
            (h.block, h.head) for h in await heads(unsealed.ctx, 9)
        ]
        assert {name for one in shown for name in one} == {"block", "head", "sealed_at"}
        assert (await served.client.get("/v1/seals?limit=0")).status_code == 422
