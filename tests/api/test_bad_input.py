"""Bad requests: each is refused with a status and a code, and leaves every table as it was."""

import json

import pytest

from tests.api.conftest import NOTE, Edge
from tests.support.http import make_key
from tests.support.rowcounts import all_row_counts

JSON = {"Content-Type": "application/json"}


def _with(**members: object) -> bytes:
    return json.dumps({**NOTE, **members}).encode()


def _raw(amount: str) -> bytes:
    return b'{"code":"a","name":"n","amount_fen":%s}' % amount.encode()


BODIES = {
    "an integer as text": (_with(amount_fen="5"), 422, "body_invalid"),
    "a float for an integer": (_raw("5.0"), 422, "body_invalid"),
    "an exponent": (_raw("5e2"), 422, "body_invalid"),
    "a truth value for an integer": (_raw("true"), 422, "body_invalid"),
    "null for an integer": (_raw("null"), 422, "body_invalid"),
    "negative": (_raw("-5"), 422, "body_invalid"),
    "zero": (_raw("0"), 422, "body_invalid"),
    "above the most": (_raw("100000001"), 422, "body_invalid"),
    "beyond 64 bits": (_raw("100000000000000000000"), 422, "body_invalid"),
    "five thousand digits": (_raw("9" * 5_000), 422, "body_invalid"),
    "digits of another script, bare": (_raw("５"), 400, "body_malformed"),
    "digits of another script, as text": (_with(amount_fen="５"), 422, "body_invalid"),
    "not a number": (_raw("NaN"), 400, "body_malformed"),
    "infinite": (_raw("1e999"), 422, "body_invalid"),
    "a leading zero": (_raw("05"), 400, "body_malformed"),
    "a doubled member": (b'{"code":"a","name":"n","amount_fen":5,"amount_fen":6}', 422, "body_invalid"),
    "a doubled member, equal": (
        b'{"code":"a","name":"n","amount_fen":5,"amount_fen":5}',
        422,
        "body_invalid",
    ),
    "a doubled member, escaped": (
        b'{"code":"a","name":"n","amount_fen":5,"\\u0061mount_fen":6}',
        422,
        "body_invalid",
    ),
    "a doubled member inside": (
        _with()[:-1] + b',"lines":[{"amount_fen":1,"amount_fen":2}]}',
        422,
        "body_invalid",
    ),
    "an unknown member": (_with(colour="red"), 422, "body_invalid"),
    "a missing member": (b'{"code":"a","name":"n"}', 422, "body_invalid"),
    "a list for an object": (b"[]", 422, "body_invalid"),
    "an upper-case code": (_with(code="A"), 422, "body_invalid"),
    "a code with a line break": (_with(code="a\n"), 422, "body_invalid"),
    "a name with a control character": (_with(name="a\x07"), 422, "body_invalid"),
    "a name too long": (_with(name="a" * 201), 422, "body_invalid"),
    "NUL, raw": (_with(name="a").replace(b'"a"', b'"a\x00"'), 400, "body_text_bad"),
    "NUL, escaped": (_with(name="a\0"), 400, "body_text_bad"),
    "a lone surrogate, escaped": (_with(name="\ud800"), 400, "body_text_bad"),
    "a lone low surrogate, escaped": (_with(name="a\udc00b"), 400, "body_text_bad"),
    "surrogates in the wrong order": (_with(name="\udc00\ud800"), 400, "body_text_bad"),
    "a surrogate after an escaped backslash": (
        b'{"code":"a","amount_fen":5,"name":"\\\\\\ud800"}',
        400,
        "body_text_bad",
    ),
    "a surrogate in UTF-8": (b'{"code":"a","amount_fen":5,"name":"\xed\xa0\x80"}', 400, "body_text_bad"),
    "bad UTF-8": (b'{"code":"a","amount_fen":5,"name":"\xff"}', 400, "body_text_bad"),
    "overlong UTF-8": (b'{"code":"a","amount_fen":5,"name":"\xc0\x80"}', 400, "body_text_bad"),
    "another encoding": (json.dumps(NOTE).encode("utf-16"), 400, "body_text_bad"),
    "a byte order mark": (b"\xef\xbb\xbf" + _with(), 400, "body_malformed"),
    "nothing": (b"", 400, "body_malformed"),
    "half of it": (_with()[:-3], 400, "body_malformed"),
    "more after it": (_with() + b" x", 400, "body_malformed"),
    "two of it": (_with() * 2, 400, "body_malformed"),
    "single quotes": (b"{'code':'a'}", 400, "body_malformed"),
    "deep nesting": (b"[" * 200_000, 422, "body_invalid"),
    "deep nesting in a member": (b'{"lines":' + b"[" * 200_000, 422, "body_invalid"),
    "deep nesting in an unknown member": (b'{"x":' + b'{"x":' * 100_000, 422, "body_invalid"),
    "a megabyte and one": (_with(name="a" * 1_000_000), 413, "body_too_large"),
}


@pytest.mark.parametrize("case", BODIES)
async def test_a_bad_body_is_refused_without_effect(edge: Edge, case: str) -> None:
    body, status, code = BODIES[case]
    await edge.refused(status, code, content=body, headers=JSON)


async def test_a_good_body_has_its_effect(edge: Edge) -> None:
    before = await all_row_counts(edge.owner)
    response = await edge.send(json={**NOTE, "name": "\\ud800 😀 \\"})
    assert response.status_code == 201, response.text
    after = await all_row_counts(edge.owner)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "audit": 1,
        "idempotency": 1,
    }


async def test_an_escaped_pair_of_surrogates_is_a_character(edge: Edge) -> None:
    response = await edge.send(
        content=b'{"code":"a","amount_fen":5,"name":"\\ud83d\\ude00 \\\\u0000"}', headers=JSON
    )
    assert response.status_code == 201, response.text


@pytest.mark.parametrize(
    "media_type", ["text/plain", "", "application/jsonx", "application/x-www-form-urlencoded"]
)
async def test_a_wrong_media_type_is_refused(edge: Edge, media_type: str) -> None:
    await edge.refused(415, "media_type_wrong", content=_with(), headers={"Content-Type": media_type})


async def test_a_body_where_none_belongs_is_refused(edge: Edge) -> None:
    path = "/v1/notes/01234567-89ab-7def-8123-456789abcdef/touch"
    await edge.refused(422, "body_invalid", path=path, content=b'{"a":1}', headers=JSON)
    assert (await edge.send(path=path)).status_code == 200
    assert (await edge.send(path=path, content=b"{}", headers=JSON)).status_code == 200


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 401, "key_missing"),
        ("hb_" + "A" * 43, 401, "key_unknown"),
        ("short", 401, "key_unknown"),
        ("hb_" + "A" * 500, 401, "key_unknown"),
        ("two words in it, which no key has", 401, "key_unknown"),
    ],
)
async def test_a_wrong_key_is_refused(edge: Edge, key: str | None, status: int, code: str) -> None:
    await edge.refused(status, code, key=key, json=NOTE)


async def test_a_401_says_how_to_authenticate(edge: Edge) -> None:
    response = await edge.send(key=None, json=NOTE)
    assert response.headers["www-authenticate"] == "Bearer"


async def test_another_scheme_is_refused(edge: Edge) -> None:
    await edge.refused(
        401, "key_unknown", key=None, json=NOTE, headers={"Authorization": f"Basic {edge.operator_key}"}
    )


async def test_two_keys_are_refused(edge: Edge) -> None:
    good = f"Bearer {edge.operator_key}"
    headers = [("Authorization", good), ("Authorization", good), ("Idempotency-Key", "two")]
    response = await edge.served.client.post("/v1/notes", headers=headers, json=NOTE)
    assert (response.status_code, response.json()["code"]) == (401, "key_unknown")


async def test_a_wrong_scope_is_refused(edge: Edge) -> None:
    key = await make_key(edge.owner, edge.programme_id, "operator", ["report.read"])
    document = await edge.refused(403, "scope_missing", key=key, json=NOTE)
    assert document["facts"] == {"scope": "notes"}


async def test_a_wrong_kind_of_principal_is_refused(edge: Edge) -> None:
    key = await make_key(edge.owner, edge.programme_id, "channel", ["notes"])
    await edge.refused(403, "principal_not_allowed", path="/v1/slow", key=key, json=NOTE)


@pytest.mark.parametrize(
    ("request_key", "code"),
    [
        (None, "idempotency_key_missing"),
        ("a" * 65, "idempotency_key_bad"),
        ("a b", "idempotency_key_bad"),
        ("键".encode().decode("latin-1"), "idempotency_key_bad"),
        ("\x7f", "idempotency_key_bad"),
    ],
)
async def test_a_write_needs_a_request_key(edge: Edge, request_key: str | None, code: str) -> None:
    headers = {} if request_key is None else {"Idempotency-Key": request_key.encode("latin-1")}
    await edge.refused(400, code, request_key=None, headers=headers, json=NOTE)  # type: ignore[arg-type]


async def test_two_request_keys_are_refused(edge: Edge) -> None:
    headers = [
        ("Authorization", f"Bearer {edge.operator_key}"),
        ("Idempotency-Key", "a"),
        ("Idempotency-Key", "b"),
    ]
    response = await edge.served.client.post("/v1/notes", headers=headers, json=NOTE)
    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_bad")


@pytest.mark.parametrize(
    "note_id",
    [
        "1",
        "x",
        "0123456789ab7def8123456789abcdef",
        "01234567-89AB-7def-8123-456789abcdef",
        "%00",
        "%ED%A0%80",
        "a%2fb",
    ],
)
async def test_a_malformed_id_is_not_found(edge: Edge, note_id: str) -> None:
    await edge.refused(404, "not_found", path=f"/v1/notes/{note_id}/touch")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "query_invalid"),
        ("limit=201", 422, "query_invalid"),
        ("limit=5.0", 422, "query_invalid"),
        ("limit=%EF%BC%95", 422, "query_invalid"),
        ("limit=+5", 422, "query_invalid"),
        ("limit=05", 422, "query_invalid"),
        ("limit=", 422, "query_invalid"),
        ("limit=" + "9" * 30, 422, "query_invalid"),
        ("limit=1&limit=2", 422, "query_invalid"),
        ("colour=red", 422, "query_invalid"),
        ("loud=1", 422, "query_invalid"),
        ("cursor=%21", 422, "query_invalid"),
        ("cursor=AAAA", 422, "query_invalid"),
        ("cursor=" + "A" * 500, 422, "query_invalid"),
        ("cursor=%FF", 400, "body_text_bad"),
        ("cursor=%00", 400, "body_text_bad"),
        ("&".join(f"a{n}=1" for n in range(40)), 422, "query_invalid"),
    ],
)
async def test_a_bad_query_is_refused(edge: Edge, query: str, status: int, code: str) -> None:
    document = await edge.refused(status, code, "GET", f"/v1/notes?{query}")
    if code == "query_invalid":
        facts = document["facts"]
        assert facts["detail"].isascii() and facts["detail_zh"] != facts["detail"]
        assert facts["detail_zh"] in document["detail"]  # who names no language hears Chinese


async def test_a_good_query_is_served(edge: Edge) -> None:
    response = await edge.send("GET", "/v1/notes?limit=200&loud=true")
    assert response.json() == {"items": [1], "next_cursor": None}


async def test_an_unknown_address_and_another_method_are_refused(edge: Edge) -> None:
    await edge.refused(404, "route_unknown", path="/v1/nothing", json=NOTE)
    await edge.refused(404, "route_unknown", path="/v1/notes/", json=NOTE)
    await edge.refused(405, "method_not_allowed", "PUT", json=NOTE)
    assert (await edge.send("PUT", json=NOTE)).headers["allow"] == "GET, POST"


async def test_the_same_key_with_another_body_is_refused(edge: Edge) -> None:
    first = await edge.send(request_key="one", json=NOTE)
    again = await edge.send(request_key="one", json=dict(reversed(NOTE.items())))
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    await edge.refused(422, "idempotency_key_reused", request_key="one", json={**NOTE, "amount_fen": 6})
    await edge.refused(
        422,
        "idempotency_key_reused",
        request_key="one",
        path="/v1/notes/01234567-89ab-7def-8123-456789abcdef/touch",
    )


async def test_the_address_is_part_of_what_was_asked(edge: Edge) -> None:
    one, two = ("01234567-89ab-7def-8123-456789abcde" + digit for digit in "12")
    assert (await edge.send(path=f"/v1/notes/{one}/touch", request_key="k")).status_code == 200
    await edge.refused(422, "idempotency_key_reused", path=f"/v1/notes/{two}/touch", request_key="k")
