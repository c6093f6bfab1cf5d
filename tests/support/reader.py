"""A reader of lists over HTTP: one key, every page."""

from dataclasses import dataclass
from typing import Any

from tests.support.http import Served


@dataclass
class Reader:
    """Asks the served routes with one key."""

    served: Served
    key: str

    async def get(self, path: str, **query: Any) -> tuple[int, Any]:
        """Status and body of the answer."""
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = await self.served.client.get(path, headers=headers, params=query)
        return answer.status_code, answer.json()

    async def read(self, path: str, **query: Any) -> Any:
        """The body of a good answer."""
        status, body = await self.get(path, **query)
        assert status == 200, body
        return body

    async def walk(self, path: str, **query: Any) -> list[Any]:
        """Every item of a list, page by page."""
        items: list[Any] = []
        page = await self.read(path, **query)
        while True:
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            page = await self.read(path, **query, cursor=page["next_cursor"])
