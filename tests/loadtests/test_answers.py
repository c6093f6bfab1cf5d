"""The driver's parser of answers: whole, in pieces, and what is none."""

import pytest

from loadtests.answers import BODY_BYTES_MAX, HEAD_BYTES_MAX, Answer, NotUnderstood

HEAD = b"HTTP/1.1 201 Created\r\nRequest-Id: a\r\nContent-Length: 13\r\nConnection: keep-alive\r\n\r\n"
BODY = b'{"id":"a\r\n\r"}'


def test_an_answer_in_one_piece() -> None:
    answer = Answer()
    assert answer.feed(HEAD + BODY)
    assert (answer.status, answer.body) == (201, BODY)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40, len(HEAD), len(HEAD) + 1])
def test_an_answer_in_pieces_and_the_next_one(size: int) -> None:
    answer, whole = Answer(), HEAD + BODY
    for _ in range(2):
        parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert [answer.feed(part) for part in parts] == [False] * (len(parts) - 1) + [True]
        assert (answer.status, answer.body) == (201, BODY)
        answer.clear()


def test_an_answer_without_a_body_and_with_odd_letters() -> None:
    answer = Answer()
    assert answer.feed(b"HTTP/1.1 503 Busy\r\nCONTENT-length:   0  \r\nRetry-After: 1\r\n\r\n")
    assert (answer.status, answer.body) == (503, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Content-Length: 1\r\n\r\n1",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1),
        HEAD + BODY + b"H",
        b"x" * (HEAD_BYTES_MAX + 1),
    ],
)
def test_what_is_no_answer_of_our_servers(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        Answer().feed(data)
