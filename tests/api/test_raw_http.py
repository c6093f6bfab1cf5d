"""Requests that no client library sends, byte by byte: each is answered as the document says, and none by 500."""

import asyncio
from dataclasses import dataclass

import msgspec
import pytest

from tests.api.conftest import Edge

WAIT_SECONDS = 10
NOTE_ID = "01234567-89ab-7def-8123-456789abcdef"
HOST = b"Host: x\r\n"
CHUNKED = HOST + b"Transfer-Encoding: chunked\r\n"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    code: str


async def _send(edge: Edge, raw: bytes) -> Answer:
    """Send bytes on a connection of their own, and read the answer to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.served.running.port)
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            writer.write(raw)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
            first, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
    finally:
        writer.close()
        await writer.wait_closed()
    said = msgspec.json.decode(body)
    return Answer(int(first.split()[1]), headers, said.get("code", ""))


def _write(edge: Edge, more: bytes, body: bytes) -> bytes:
    key = edge.operator_key.encode()
    return (
        b"POST /v1/notes HTTP/1.1\r\nAuthorization: Bearer " + key + b"\r\nIdempotency-Key: a\r\n"
        b"Content-Type: application/json\r\n" + more + b"\r\n" + body
    )


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (b"GET /v1/nothing HTTP/1.1", 404, "route_unknown"),
        (b"GET http://x HTTP/1.1", 404, "route_unknown"),
        (b"GET http://x?limit=1 HTTP/1.1", 404, "route_unknown"),
        (b"OPTIONS * HTTP/1.1", 404, "route_unknown"),
        (b"GET //v1/openapi.json HTTP/1.1", 404, "route_unknown"),
        (b"GET /v1/../v1/openapi.json HTTP/1.1", 404, "route_unknown"),
        (b"GET /errors/%zz HTTP/1.1", 404, "not_found"),
        (b"GET /errors/%00 HTTP/1.1", 404, "not_found"),
        (b"GET /errors/%ff%fe HTTP/1.1", 404, "not_found"),
        (b"GET /errors/a%2fb HTTP/1.1", 404, "not_found"),
        (b"GET /errors/\xff HTTP/1.1", 400, "request_malformed"),
        (b"GET /healthz?a=\xff HTTP/1.1", 400, "request_malformed"),
        (b"GET /healthz?a=1 HTTP/1.1", 422, "query_invalid"),
        (b"CONNECT x:443 HTTP/1.1", 400, "request_malformed"),
        (b"GET x:443 HTTP/1.1", 400, "request_malformed"),
        (b"GET ? HTTP/1.1", 400, "request_malformed"),
        (b"GET /healthz HTTP/2.0", 400, "request_malformed"),
        (b"GET /healthz", 400, "request_malformed"),
        (b"\x16\x03\x01\x02", 400, "request_malformed"),
        (b"GET /errors/" + b"a" * 70_000 + b" HTTP/1.1", 431, "header_too_large"),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 9_000, 431, "header_too_large"),
        (b"GET /healthz HTTP/1.1\r\nAccept", 400, "request_malformed"),
        (b"GET /healthz HTTP/1.1\r\nContent-Length: 3000000", 413, "body_too_large"),
    ],
    ids=lambda value: value[:40].decode("latin-1") if isinstance(value, bytes) else str(value),
)
async def test_a_strange_request_is_answered(edge: Edge, line: bytes, status: int, code: str) -> None:
    answer = await _send(edge, line + b"\r\n" + HOST + b"\r\n")
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PATCH", "QUERY"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/notes", "GET, POST"),
        (f"/v1/notes/{NOTE_ID}", "DELETE, GET"),
        (f"/v1/notes/{NOTE_ID}/touch", "POST"),
    ],
)
async def test_another_method_hears_which_are_taken(edge: Edge, method: str, path: str, allowed: str) -> None:
    response = await edge.send(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", [f"/v1/notes/{NOTE_ID}/", f"/v1/notes/{NOTE_ID}/touch/", "/v1/notes/"])
async def test_a_last_slash_is_another_address(edge: Edge, path: str) -> None:
    await edge.refused(404, "route_unknown", "PUT", path)


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        (HOST + b"Expect: 999\r\nContent-Length: 2\r\n", b"{}", 400, "request_malformed"),
        (HOST + b"Content-Length: -1\r\n", b"{}", 400, "request_malformed"),
        (HOST + b"Content-Length: 1_0\r\n", b"0123456789", 400, "request_malformed"),
        (HOST + "Content-Length: ２\r\n".encode(), b"{}", 400, "request_malformed"),
        (HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}", 400, "request_malformed"),
        (HOST + b"Transfer-Encoding: gzip\r\n", b"{}", 400, "request_malformed"),
        (HOST + b"Content-Length: 99999999999999999999\r\n", b"{}", 413, "body_too_large"),
        (CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n", 400, "request_malformed"),
        (CHUNKED, b"-5\r\n{}\r\n0\r\n\r\n", 400, "request_malformed"),
        (CHUNKED, b"2\r\n{}\r\n0\r\nX: smuggled\r\n\r\n", 400, "request_malformed"),
        (CHUNKED, b"2\r\n{}\r\n0\r\n\r\n", 422, "body_invalid"),
    ],
    ids=lambda value: value[:40].decode("latin-1") if isinstance(value, bytes) else str(value),
)
async def test_a_body_of_no_honest_length_is_refused(
    edge: Edge, headers: bytes, body: bytes, status: int, code: str
) -> None:
    answer = await _send(edge, _write(edge, headers, body))
    assert (answer.status, answer.code) == (status, code)
