"""Server processes share a socket, are replaced when killed, and end with whoever holds them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.runtime.engines.errors import AddressUnusable, PortInUse, ServerFailed
from campaigns.runtime.engines.processes import is_alive
from campaigns.runtime.server_handle import ServerHandle, start_server
from campaigns.runtime.servers import REPLACEMENTS_MAX
from tests.runtime.conftest import REPOSITORY, wait_for, wait_for_end

COMMAND = [sys.executable, str(Path(__file__).with_name("number_server.py"))]
HOST = "127.0.0.1"


@pytest.fixture
def server() -> Iterator[ServerHandle]:
    """Two processes that hear a hang-up, also where these tests run under nohup, which the supervisor would honour."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        handle = start_server(COMMAND, HOST, 0, 2)
    finally:
        signal.signal(signal.SIGHUP, before)
    yield handle
    handle.stop()


def _ask(port: int) -> int:
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(b"\n")
        return int(connection.makefile().readline())


def _refuses(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=10).close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_processes_answer_on_one_port_and_stop_leaves_none() -> None:
    with start_server(COMMAND, HOST, 0, 2) as server:
        pids = server.pids()
        assert len(set(pids)) == 2
        assert _ask(server.port) in pids
    wait_for_end(*pids, server.supervisor_pid)
    assert _refuses(server.port)


def test_a_killed_process_is_replaced_and_the_port_never_refuses(server: ServerHandle) -> None:
    for killed in server.pids():
        os.kill(killed, signal.SIGKILL)
    assert _ask(server.port) not in (0, None)  # waits in the socket's queue for a new process
    wait_for(lambda: server.pids() and server.replaced == 2, "two replacements")
    assert len(server.pids()) == 2
    assert all(is_alive(pid) for pid in server.pids())


def test_a_killed_supervisor_takes_its_processes_along() -> None:
    server = start_server(COMMAND, HOST, 0, 2)
    pids = server.pids()
    os.kill(server.supervisor_pid, signal.SIGKILL)
    wait_for_end(server.supervisor_pid, *pids)
    assert not server.is_alive()
    assert _refuses(server.port)
    assert server.stop() == -signal.SIGKILL


def test_a_killed_parent_takes_everything_along_even_one_that_started_it_in_a_thread() -> None:
    script = (
        "import sys, threading\n"
        "from campaigns.runtime.server_handle import start_server\n"
        "found = []\n"
        "worker = threading.Thread(target=lambda: found.append(start_server(sys.argv[1:], '127.0.0.1', 0, 2)))\n"
        "worker.start(); worker.join()\n"
        "print(found[0].port, found[0].supervisor_pid, *found[0].pids(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, *COMMAND],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        port, *pids = (int(number) for number in parent.stdout.readline().split())
        assert _ask(port) in pids, "it outlives the thread that started it"
        parent.kill()
    wait_for_end(*pids)
    assert _refuses(port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_a_process_finish_what_it_has_begun(server: ServerHandle, number: int) -> None:
    pids = server.pids()
    with socket.create_connection((HOST, server.port), timeout=10) as connection:
        answers = connection.makefile()
        connection.sendall(b"slow\n")
        assert answers.readline() == "begun\n"
        os.kill(server.supervisor_pid, number)
        wait_for(lambda: sum(is_alive(pid) for pid in pids) == 1, "the idle one has gone")
        connection.sendall(b"go on\n")
        assert int(answers.readline()) in pids
    wait_for_end(*pids)
    assert server.stop() == 0


def test_a_taken_port_is_named_with_the_setting_to_change(server: ServerHandle) -> None:
    with pytest.raises(PortInUse) as caught:
        start_server(COMMAND, HOST, server.port, 1)
    assert caught.value.facts == {"host": HOST, "port": server.port, "variable": "HONGBAO_PORT"}
    for language in ("zh", "en"):
        assert "HONGBAO_PORT" in caught.value.text(language)
        assert str(server.port) in caught.value.text(language)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_told(host: str) -> None:
    with pytest.raises(AddressUnusable):
        start_server(COMMAND, host, 0, 1)


def test_processes_that_die_at_once_are_given_up() -> None:
    server = start_server([sys.executable, "-c", "import sys; sys.exit(3)"], HOST, 0, 4)
    wait_for(lambda: not server.is_alive(), "the supervisor gives up")
    server.pids()
    assert server.replaced <= REPLACEMENTS_MAX
    assert server.stop() == 1
    assert _refuses(server.port)


def test_a_command_that_cannot_be_run_is_told() -> None:
    with pytest.raises(ServerFailed):
        start_server(["/no/such/program"], HOST, 0, 1)


def test_many_clients_are_all_answered_over_a_replacement(server: ServerHandle) -> None:
    answers: list[int] = []
    askers = [threading.Thread(target=lambda: answers.append(_ask(server.port))) for _ in range(50)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(answers) == 50
    assert set(answers) <= set(server.pids())
