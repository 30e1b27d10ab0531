"""The small HTTP client against real sockets that behave badly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from putlive.adapters.engines.loopback_http import BasicAuth, LoopbackHttp
from putlive.errors import EngineDown
from tests.contract.engine_rig import free_ports

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler, path: Path | None = None) -> AsyncIterator[int]:
    """Serve on a free port, or on a unix socket, for as long as the block lasts."""

    serving: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(talk(reader, writer)))

    if path is not None:
        running = await asyncio.start_unix_server(serve, str(path))
    else:
        running = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield 0 if path is not None else running.sockets[0].getsockname()[1]
    finally:
        running.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(head) + head)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 smtp.example.org ESMTP\r\n")


async def test_an_answer_is_returned_whatever_its_status() -> None:
    async with server(echo) as port:
        auth = BasicAuth("putlive", "pass")
        reply = await LoopbackHttp(port, "It", auth=auth).request("DELETE", "/a?b=c")
    assert reply.status == 404
    assert reply.body.startswith(b"DELETE /a?b=c HTTP/1.1\r\n")
    assert b"Authorization: Basic cHV0bGl2ZTpwYXNz" in reply.body
    assert "pass" not in repr(auth)


async def test_a_unix_socket_is_asked_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    async with server(echo, path):
        reply = await LoopbackHttp(path, "It").get("/x")
    assert reply.body.startswith(b"GET /x ")


async def test_nobody_there_is_engine_down_with_a_remedy(tmp_path: Path) -> None:
    for target in (free_ports(1)[0], tmp_path / "none.sock"):
        with pytest.raises(EngineDown, match="SRS does not answer") as error:
            await LoopbackHttp(target, "SRS").get("/")
        assert error.value.hint


@pytest.mark.parametrize("handler", [silent, dripping])
async def test_one_that_never_finishes_is_left_after_the_limit(handler: Handler) -> None:
    async with server(handler) as port:
        threads = threading.active_count()
        with pytest.raises(EngineDown, match=r"within 0\.3 s"):
            await LoopbackHttp(port, "SRS", limit_seconds=0.3).get("/")
        await asyncio.sleep(0.1)
        # The thread is idle again, so the pool does not grow with each failure.
        with pytest.raises(EngineDown):
            await LoopbackHttp(port, "SRS", limit_seconds=0.1).get("/")
        assert threading.active_count() <= threads + 1


async def test_a_huge_answer_is_not_taken() -> None:
    async with server(endless) as port:
        with pytest.raises(EngineDown, match="more than 1000 bytes"):
            await LoopbackHttp(port, "SRS", max_body=1000).get("/")


async def test_another_protocol_is_engine_down() -> None:
    async with server(nonsense) as port:
        with pytest.raises(EngineDown, match="does not answer"):
            await LoopbackHttp(port, "SRS").get("/")
