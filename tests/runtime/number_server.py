"""A server for tests: answers each line with its process id, `stop` after finishing what it has begun."""

import asyncio
import os
import signal
import socket
import sys


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    line = await reader.readline()
    if line == b"slow\n":
        writer.write(b"begun\n")
        await writer.drain()
        await reader.readline()  # goes on when the client says so
    writer.write(f"{os.getpid()}\n".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def _serve(fd: int) -> None:
    running: set[asyncio.Task[None]] = set()

    def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_answer(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(on_client, sock=socket.socket(fileno=fd))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()
    while running:
        await asyncio.wait(running)


if __name__ == "__main__":
    assert sys.argv[-2] == "--fd"
    asyncio.run(_serve(int(sys.argv[-1])))
