"""The receiving end of sd_notify(3): what systemd would hear from the daemon."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path


class NotifySocket(asyncio.DatagramProtocol):
    """Remembers READY and when WATCHDOG last came."""

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._transport: asyncio.DatagramTransport | None = None
        self._heard_at = monotonic()
        self.is_ready = False

    async def open(self) -> None:
        """Listen; a socket left by a former run is replaced."""
        self._path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=str(self._path), family=socket.AF_UNIX
        )

    def close(self) -> None:
        """Stop listening and take the socket away."""
        if self._transport is not None:
            self._transport.close()
        self._path.unlink(missing_ok=True)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """One message: lines of `KEY=value`."""
        lines = data.decode(errors="replace").splitlines()
        if "READY=1" in lines:
            self.is_ready = True
        if "READY=1" in lines or "WATCHDOG=1" in lines:
            self._heard_at = self._monotonic()

    def quiet_seconds(self) -> float:
        """Seconds since the last sign of life."""
        return self._monotonic() - self._heard_at

    def forget(self) -> None:
        """The process is gone: the next one is not ready until it says so."""
        self.is_ready = False
        self._heard_at = self._monotonic()
