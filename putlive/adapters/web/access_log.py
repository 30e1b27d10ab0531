"""nginx's JSON lines about HLS requests, received as datagrams and turned into `HlsRequest`s."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import socket
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from putlive.domain.viewers import AGENT_LENGTH, HlsRequest, session_id, target
from putlive.errors import PutLiveError

MODE = 0o660  # nginx's workers run as the daemon's user or in its group
LINE_BYTES = 16384  # nginx takes 8 KiB of request headers; escaped they may grow
# At most 2,000 lines a second, four times what 500 players cause. What comes on top waits in the
# kernel's short queue; when that is full nginx drops its line and goes on (ngx_syslog_send).
WINDOW_SECONDS, WINDOW_LINES = 0.1, 200
TURN_LINES = 32

_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,45}\Z")
_YEAR_9999 = 253402300799.0


def parse_line(line: bytes) -> HlsRequest | None:
    """The request one syslog datagram tells of; None for what is no viewing (a HEAD, say).

    Raises `ValueError` for anything nginx's configuration here would not have written.
    """
    fields = _fields(line)
    what = target(_text(fields, "path"))
    if what is None:
        raise ValueError("not a media path")
    address = _text(fields, "address")
    if not _ADDRESS.match(address):
        raise ValueError("not an address")
    request = HlsRequest(
        at=_time(fields.get("at")),
        address=address,
        agent=_printable(_text(fields, "agent")[:AGENT_LENGTH]),
        channel=what.channel,
        rendition=what.rendition,
        sid=session_id(_text(fields, "sid")),
        kind=what.kind,
        status=_count(fields, "status"),
        bytes=_count(fields, "bytes"),
    )
    return request if _text(fields, "method") == "GET" else None


def _fields(line: bytes) -> Mapping[str, Any]:
    begin = line.find(b"{")  # before it: <190>Mon DD hh:mm:ss putlive:
    if begin < 0:
        raise ValueError("no JSON in the line")
    try:
        fields = json.loads(line[begin:].decode("utf-8", "replace"))
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    return fields


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a text")
    return value


def _count(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError(f"{name} is not a count")
    return value


def _time(value: object) -> datetime:
    if type(value) not in (int, float) or not isinstance(value, (int, float)):
        raise ValueError("at is not a time")
    if not math.isfinite(value) or not 0 <= value <= _YEAR_9999:
        raise ValueError("at is not a time")
    return datetime.fromtimestamp(value, timezone.utc)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


@dataclass
class AccessCounts:
    """What came through the socket since it was opened."""

    lines: int = 0
    malformed: int = 0
    pauses: int = 0  # windows in which there was more than is read


class AccessLog:
    """The datagram socket nginx logs to, while it is open; `saw` gets each request."""

    def __init__(self, path: Path, saw: Callable[[HlsRequest], None]) -> None:
        self._path = path
        self._saw = saw
        self._socket: socket.socket | None = None
        self._inode = 0
        self._window_end = 0.0
        self._window_left = 0
        self._resume: asyncio.TimerHandle | None = None
        self.counts = AccessCounts()

    async def open(self) -> None:
        """Listen, in the place of a socket a dead daemon left behind.

        Raises `PutLiveError` when the path is taken by something else or cannot be made.
        """
        try:
            self._socket = _bound(self._path)
            self._inode = self._path.stat().st_ino
        except OSError as exc:
            raise PutLiveError(
                f"Viewers cannot be counted: {self._path} cannot be made ({exc.strerror or exc}).",
                hint="Make sure that the state folder is writable and its path is short.",
            ) from exc
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    async def close(self) -> None:
        """Stop listening; leaves the path alone if a newer daemon listens there by now."""
        if self._socket is None:
            return
        if self._resume is not None:
            self._resume.cancel()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _readable(self) -> None:
        """Read a few lines and let others have their turn; pause when there are too many."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._window_end:
            self._window_end = loop.time() + WINDOW_SECONDS
            self._window_left = WINDOW_LINES
        for _ in range(min(TURN_LINES, self._window_left)):
            if not self._read_line():
                return
            self._window_left -= 1
        if self._window_left == 0 and self._socket is not None:
            self.counts.pauses += 1
            loop.remove_reader(self._socket)
            self._resume = loop.call_at(self._window_end, self._listen_again)

    def _listen_again(self) -> None:
        self._resume = None
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def _read_line(self) -> bool:
        if self._socket is None:
            return False
        try:
            line = self._socket.recv(LINE_BYTES)
        except OSError:  # nothing there, most often
            return False
        self.take(line)
        return True

    def take(self, line: bytes) -> None:
        """Count one datagram and pass it on; what cannot be read is counted and dropped."""
        self.counts.lines += 1
        try:
            request = parse_line(line)
        except ValueError:
            self.counts.malformed += 1
            return
        if request is not None:
            self._saw(request)


def _bound(path: Path) -> socket.socket:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(17, "there is another file of this name")
        path.unlink()
    fresh = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        fresh.setblocking(False)
        fresh.bind(str(path))
        os.chmod(path, MODE)
    except BaseException:
        fresh.close()
        raise
    return fresh
