"""uvicorn inside our own loop: it serves, and leaves signals and logging to the daemon."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

BACKLOG = 256
STOP_SECONDS = 3  # what open requests (event streams) get at a stop


class QuietServer(uvicorn.Server):
    """A `uvicorn.Server` that installs no signal handlers: the daemon has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def server(app: Any) -> QuietServer:
    """A server for `app` without access log, server header or upgrades."""
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=30,
        backlog=BACKLOG,
    )
    return QuietServer(config)


def unix_listener(path: Path) -> socket.socket:
    """A listening unix socket at `path`, in place of whatever socket was left there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o660)
    return listener


def loopback_listener(port: int) -> socket.socket:
    """A TCP socket on 127.0.0.1, usable again at once after a crash."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


async def serve(app: Any, listener: socket.socket) -> None:
    """Serve until cancelled, then let open requests end. Connections queue up from now on."""
    listener.listen(BACKLOG)
    running = server(app)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        running.should_exit = True
        await asyncio.wait({task}, timeout=STOP_SECONDS + 1)
        raise
    finally:
        listener.close()
