"""The stage for the front: a real nginx on a free port, and a daemon that only plays one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from putlive.adapters.web.front import front_spec, prepare_front
from putlive.settings import Layout, Server, Settings

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PAGES = ("index", "embed", "login", "dashboard")
MULTIVARIANT = (
    "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1500000\nsource/main.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=200000\n144p/main.m3u8\n"
)
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nmain-1.ts\n"
SEGMENT = bytes(range(256)) * 1445  # about one second and a half of 2 Mbit/s


@dataclass
class Answer:
    """One HTTP answer; `headers` keeps repeated ones apart."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The only value of a header; a header sent twice is a bug."""
        values = [v for k, v in self.headers if k == name.lower()]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None


@dataclass
class FakeDaemon:
    """Answers like the daemon where the front cares, and remembers what it was asked."""

    socket: Path
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    server: asyncio.AbstractServer | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self.server = await asyncio.start_unix_server(self._serve, path=str(self.socket))

    async def stop(self) -> None:
        if self.server is not None:
            self.release.set()
            self.server.close()
            for writer in list(self.writers):
                writer.close()
            await asyncio.sleep(0.01)  # for their tasks to see it

    def count(self, path: str) -> int:
        return sum(p == path for _, p, _ in self.asked)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        self.asked.append((method, path, headers))
        await reader.readexactly(int(headers.get("content-length", "0")))
        if path == "/api/events":
            await self._events(writer)
            return False
        body = json.dumps({"path": path, "headers": headers, "number": len(self.asked)}).encode()
        status = b"503 Busy" if path == "/readyz" else b"200 OK"
        writer.write(
            b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nSet-Cookie: a=b\r\n"
            b"Content-Security-Policy: something else\r\nX-Content-Type-Options: nosniff\r\n"
            b"X-Correlation-ID: daemon\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        await writer.drain()
        return True

    async def _events(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
            b"event: status\ndata: {}\n\n"
        )
        await writer.drain()
        await self.release.wait()


class Front:
    """A front in its own state folder, with media, pages and perhaps a daemon."""

    def __init__(self, state: Path, settings: Settings | None = None) -> None:
        self.port = free_port()
        server = Server(bind="127.0.0.1", http_port=self.port)
        self.settings = (settings or Settings()).model_copy(update={"server": server})
        self.layout = Layout(state=state, hls=state / "hls")
        self.pages = state / "pages"
        self.daemon = FakeDaemon(self.layout.api_socket)
        self.process: subprocess.Popen[bytes] | None = None

    def put_files(self) -> None:
        hls = self.layout.hls
        for folder in (hls / "source", hls / "full", hls / "144p", self.pages / "assets"):
            folder.mkdir(parents=True)
        (hls / "main.m3u8").write_text(MULTIVARIANT)
        for rendition in ("source", "144p"):
            (hls / rendition / "main.m3u8").write_text(PLAYLIST)
            (hls / rendition / "main-1.ts").write_bytes(SEGMENT)
        for name in PAGES:
            (self.pages / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>")
        (self.pages / "assets" / "player-1a2b.js").write_text("let x = 1;\n" * 500)
        (self.pages / "favicon.svg").write_text("<svg/>")

    async def start(self) -> None:
        assert NGINX is not None, "nginx is not installed"
        self.put_files()
        prepare_front(self.settings, self.layout, self.pages)
        await self.daemon.start()
        self.run(front_spec(NGINX, self.layout).argv)
        await self.wait()

    def run(self, argv: Sequence[str], user: int | None = None) -> None:
        more = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        self.process = subprocess.Popen(argv, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload]

    async def wait(self) -> None:
        for _ in range(200):
            assert self.process is not None
            assert self.process.poll() is None, self.process.communicate()[1].decode()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
        raise AssertionError("nginx did not come up")

    async def stop(self) -> None:
        await self.daemon.stop()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
        if self.process is not None:
            self.process.communicate(timeout=10)

    async def send(self, raw: bytes, source: str = "127.0.0.1") -> Answer:
        """Send bytes as they are; the answer ends with the connection."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(source, 0)
        )
        try:
            writer.write(raw)
            return await asyncio.wait_for(read_answer(reader), 10)
        finally:
            writer.close()

    async def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes = b"",
        source: str = "127.0.0.1",
        **headers: str,
    ) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "Host: tv.example.org:8000", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return await self.send("\r\n".join([*lines, "", ""]).encode() + body, source)

    def errors(self) -> str:
        return (self.layout.logs / "front.log").read_text()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one answer whose connection is closed after it."""
    whole = await reader.read()
    head, _, body = whole.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = [(k.lower(), v.strip()) for k, _, v in (line.partition(":") for line in lines[1:])]
    if ("transfer-encoding", "chunked") in headers:
        body = unchunk(body)
    return Answer(int(lines[0].split()[1]), headers, body)


def unchunk(data: bytes) -> bytes:
    whole = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return whole
        whole, data = whole + rest[:length], rest[length + 2 :]
    raise AssertionError("the last chunk is missing")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
