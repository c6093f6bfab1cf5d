"""The client's log, the folder it lies in, and the connection it logs."""

import asyncio
from pathlib import Path

import pytest

from api.demo.folder import MARK, Folder, Made, NotOurs
from api.demo.http import Connection, ConnectionLost
from api.demo.journal import Answer, Intent, Journal


def _answer(op: str, number: int = 1, **members: object) -> Answer:
    base = {"op": op, "number": number, "key": f"k{number}", "status": 201, "kind": "redeem", "entry": "E1"}
    return Answer(**{**base, **members})  # type: ignore[arg-type]


def test_a_log_is_taken_up_without_the_line_a_kill_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.write(Intent(op="a", number=1, key="k1", code="77"))
        journal.write(_answer("a", payment="p", amount_fen=1_000))
        journal.write(Intent(op="b", number=1, key="k1", code="78"))
    with path.open("ab") as file:
        file.write(b'{"what":"answer","op":"b","nu')
    with Journal(path) as journal:
        assert journal.answers["a"].amount_fen == 1_000
        assert "b" not in journal.answers and journal.intents["b"].code == "78"
        journal.write(_answer("b", payment="q"))
    with Journal(path) as journal:
        assert journal.answers["b"].payment == "q"


def test_a_stale_code_leaves_the_next_try_open(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl") as journal:
        journal.write(Intent(op="a", number=1, key="k1", code="77"))
        journal.write(_answer("a", status=404, code="code_unknown", final=False))
        assert "a" not in journal.answers and "a" not in journal.intents and journal.tries["a"] == 1


def test_a_folder_goes_on_with_its_own_demonstration_only(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "demo")
    made = folder.open(None, name="pingyin", seed=None, scale=1.0)
    assert made == Made(demo="pingyin", seed=1, scale=1.0)
    assert folder.open(folder.made(), name="pingyin", seed=None, scale=1.0) == made
    with pytest.raises(NotOurs):
        folder.open(folder.made(), name="pingyin", seed=2, scale=1.0)
    with pytest.raises(NotOurs):
        folder.open(folder.made(), name="pingyin", seed=1, scale=0.5)


def test_what_is_not_a_demonstrations_is_neither_used_nor_deleted(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    with pytest.raises(NotOurs):
        Folder(other).open(Folder(other).made(), name="pingyin", seed=1, scale=1.0)
    with pytest.raises(NotOurs):
        Folder(other).remove()
    assert (other / "letter.txt").read_text() == "mine"


def test_removing_a_demonstration_leaves_what_somebody_put_beside_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "demo")
    folder.open(None, name="pingyin", seed=None, scale=1.0)
    folder.put("plan.csv", b"x")
    (folder.data_dir / "letter.txt").write_text("mine")
    folder.remove()
    assert [path.name for path in folder.data_dir.iterdir()] == ["letter.txt"]
    assert not (folder.data_dir / MARK).exists()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"nonsense\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_an_answer_cut_off_is_no_answer(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    connection = Connection("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        with pytest.raises(ConnectionLost):
            await connection.post("/v1/redemptions", {"Idempotency-Key": "k"}, b"")
    finally:
        connection.close()
        server.close()
        await server.wait_closed()


async def test_a_connection_serves_one_answer_after_the_other() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in (b"1", b"2"):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n" + number)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    connection = Connection("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        assert [await connection.post("/", {}, b"") for _ in range(2)] == [(201, b"1"), (201, b"2")]
    finally:
        connection.close()
        server.close()
        await server.wait_closed()
