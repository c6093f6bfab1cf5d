"""The routes of `echo` and the service's own, served; a programme and an operator key to call them with."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from api.routes import documents, health
from campaigns.services.context import Context
from tests.api.echo import Gatekeeper, note_routes
from tests.support.http import Served, make_key, make_programme, serve
from tests.support.rowcounts import all_row_counts

NOTE = {"code": "a", "name": "n", "amount_fen": 5}


@dataclass
class Edge:
    """A served application with what a test needs around it."""

    served: Served
    owner: asyncpg.Connection
    programme_id: UUID
    operator_key: str
    gatekeeper: Gatekeeper

    async def send(
        self,
        method: str = "POST",
        path: str = "/v1/notes",
        *,
        key: str | None = "",
        request_key: str | None = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Send a request, by default a good write by an operator under a fresh request key."""
        sent = {}
        if key is not None:
            sent["Authorization"] = f"Bearer {key or self.operator_key}"
        if request_key is not None and method != "GET":
            sent["Idempotency-Key"] = request_key or self.served.next_key()
        return await self.served.client.request(method, path, headers={**sent, **(headers or {})}, **more)

    async def refused(self, status: int, code: str, *arguments: Any, **more: Any) -> dict[str, Any]:
        """Send a request that must be refused so, and leave every table as it was."""
        before = await all_row_counts(self.owner)
        response = await self.send(*arguments, **more)
        document = response.json()
        assert (response.status_code, document["code"]) == (status, code), document
        assert response.headers["content-type"] == "application/problem+json"
        assert document["status"] == status and document["type"] == f"/errors/{code}"
        assert await all_row_counts(self.owner) == before
        return document


@pytest.fixture
async def edge(ctx: Context, owner: asyncpg.Connection) -> AsyncIterator[Edge]:
    programme_id = await make_programme(owner)
    operator_key = await make_key(owner, programme_id, "operator", ["notes"])
    gatekeeper = Gatekeeper()
    routes = (*note_routes(gatekeeper), *health.ROUTES, *documents.ROUTES)
    async with serve(ctx, routes) as served:
        yield Edge(served, owner, programme_id, operator_key, gatekeeper)
