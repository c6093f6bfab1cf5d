"""Bodies that are too large are answered before they have come, chunked ones too."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api import exchange
from tests.api.conftest import NOTE, Edge
from tests.support.rowcounts import all_row_counts

FIFTY_MB = 50_000_000


def _head(edge: Edge, *lines: str, path: str = "/v1/notes") -> bytes:
    fixed = (
        f"POST {path} HTTP/1.1",
        "Host: test",
        f"Authorization: Bearer {edge.operator_key}",
        "Idempotency-Key: large",
        "Content-Type: application/json",
    )
    return "\r\n".join((*fixed, *lines, "", "")).encode()


async def test_fifty_megabytes_are_refused_on_their_announcement(edge: Edge) -> None:
    before = await all_row_counts(edge.owner)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.served.running.port)
    writer.write(_head(edge, f"Content-Length: {FIFTY_MB}"))
    answer = await asyncio.wait_for(reader.readuntil(b"}}"), 5)
    assert answer.startswith(b"HTTP/1.1 413 ") and b'"code":"body_too_large"' in answer
    assert b"connection: close" in answer.lower()
    writer.write(b" " * 1_000)
    writer.close()
    assert await all_row_counts(edge.owner) == before


async def test_a_client_that_sends_all_fifty_megabytes_hears_the_refusal(edge: Edge) -> None:
    await edge.refused(
        413, "body_too_large", content=b" " * FIFTY_MB, headers={"Content-Type": "application/json"}
    )


async def test_a_long_chunked_body_is_refused(edge: Edge) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(FIFTY_MB // 100_000):
            yield b" " * 100_000

    await edge.refused(413, "body_too_large", content=endless(), headers={"Content-Type": "application/json"})


async def test_a_route_may_allow_more(edge: Edge) -> None:
    headers = {"Content-Type": "text/csv"}
    response = await edge.send(path="/v1/uploads", content=b"x" * 3_999_999, headers=headers)
    assert response.json()["amount_fen"] == 3_999_999
    await edge.refused(413, "body_too_large", path="/v1/uploads", content=b"x" * 4_000_001, headers=headers)


async def test_a_body_that_does_not_come_is_not_waited_for(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.served.running.port)
    writer.write(_head(edge, "Content-Length: 100") + b"{")
    answer = await asyncio.wait_for(reader.readuntil(b"}}"), 5)
    assert answer.startswith(b"HTTP/1.1 408 ") and b'"code":"body_too_slow"' in answer
    writer.close()


@pytest.mark.parametrize(
    "head",
    [b"nonsense\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"POST /v1/notes HTTP/1.1\r\nContent-Length: -5\r\n\r\n"],
)
async def test_what_is_not_http_gets_a_problem(edge: Edge, head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.served.running.port)
    writer.write(head)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 400 ") and b'"code":"request_malformed"' in answer
    writer.close()


async def test_the_service_goes_on_after_all_that(edge: Edge) -> None:
    assert (await edge.send(json=NOTE)).status_code == 201
