"""A small HTTP client for this machine only: loopback ports, unix sockets, always with limits."""

from __future__ import annotations

import asyncio
import base64
import http.client
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from putlive.errors import EngineDown

LIMIT_SECONDS = 2.0
MAX_BODY = 4 << 20

Target = Union[int, Path]  # a port of 127.0.0.1, or the path of a unix socket


@dataclass(frozen=True)
class Reply:
    """What the other side answered; an error status is an answer like any other."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class BasicAuth:
    """User and password for servers that want them."""

    user: str
    password: str = field(repr=False)

    def header(self) -> str:
        """The value of `Authorization` (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class LoopbackHttp:
    """One server of this machine. A connection per request: SRS and nginx's control close anyway.

    `what` is the server's name in error messages. The standard library's client runs in a thread,
    because an asyncio HTTP client costs the daemon 10 MB.
    """

    def __init__(
        self,
        target: Target,
        what: str,
        *,
        auth: BasicAuth | None = None,
        limit_seconds: float = LIMIT_SECONDS,
        max_body: int = MAX_BODY,
    ) -> None:
        self._target = target
        self._what = what
        self._auth = auth
        self._limit = limit_seconds
        self._max_body = max_body

    async def get(self, path: str) -> Reply:
        """GET `path`; raises `EngineDown` when there is no complete answer in time."""
        return await self.request("GET", path)

    async def request(self, method: str, path: str) -> Reply:
        """Ask; raises `EngineDown` when there is no complete answer within the limit."""
        connection, line = self._connection(), list[socket.socket]()
        try:
            asking = asyncio.to_thread(self._ask, connection, line, method, path)
            return await asyncio.wait_for(asking, self._limit)
        except asyncio.TimeoutError:
            raise self._down(f"did not answer within {self._limit:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise self._down(f"does not answer ({str(exc) or type(exc).__name__})") from None
        finally:
            _hang_up(line)  # ends the thread, too, if it still waits for bytes
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if isinstance(self._target, Path):
            return _UnixConnection(self._target, self._limit)
        return http.client.HTTPConnection("127.0.0.1", self._target, timeout=self._limit)

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        line: list[socket.socket],
        method: str,
        path: str,
    ) -> Reply:
        headers = {"Connection": "close"}
        if self._auth:
            headers["Authorization"] = self._auth.header()
        connection.connect()
        line.append(connection.sock)  # `getresponse` lets go of it before the body is read
        connection.request(method, path, headers=headers)
        with connection.getresponse() as response:
            body = response.read(self._max_body + 1)
        if len(body) > self._max_body:
            raise ValueError(f"more than {self._max_body} bytes")
        return Reply(response.status, body)

    def _down(self, how: str) -> EngineDown:
        return EngineDown(f"{self._what} {how}.", hint="PutLive starts it again by itself.")


class _UnixConnection(http.client.HTTPConnection):
    """http.client over a unix socket: only the connecting differs."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect; called by `request`."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _hang_up(line: list[socket.socket]) -> None:
    for sock in line:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
