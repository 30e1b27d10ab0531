"""Asks the web front for the station's health the way a visitor would, over its own port."""

from __future__ import annotations

import asyncio

LIMIT_SECONDS = 2.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class FrontProbe:
    """`GET /healthz` through nginx to the daemon and back."""

    def __init__(self, bind: str, port: int) -> None:
        self._host = _EVERYWHERE.get(bind, bind)
        self._port = port

    async def error(self) -> str | None:
        """Why the front does not answer, for people; None when it does."""
        try:
            status = await asyncio.wait_for(self._status(), LIMIT_SECONDS)
        except asyncio.TimeoutError:
            return f"The web front on port {self._port} does not answer in {LIMIT_SECONDS:g} s."
        except OSError as exc:
            return f"The web front on port {self._port} is not there: {exc.strerror or exc}."
        if status != 200:
            return f"The web front on port {self._port} answers with status {status}."
        return None

    async def _status(self) -> int:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            words = (await reader.readline()).split()
            return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        finally:
            writer.close()
