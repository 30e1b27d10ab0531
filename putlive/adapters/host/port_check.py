"""Ports: whether one is free, who holds one that is not, and free ones on loopback."""

from __future__ import annotations

import errno
import socket
from contextlib import closing

import psutil

from putlive.errors import PortTaken


def require_free(bind: str, port: int, option: str) -> None:
    """Raise `PortTaken`, naming the process that has it, unless we could listen on bind:port.

    Needed because SRS sets SO_REUSEPORT and would share a taken port in silence (measured).
    """
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
            probe.listen(1)
        except OSError as exc:
            raise _refusal(exc, bind, port, option) from None


def _refusal(exc: OSError, bind: str, port: int, option: str) -> PortTaken:
    if exc.errno == errno.EADDRINUSE:
        return PortTaken(
            f"Port {port} is taken by {holder(port)}.",
            hint=f"Stop it, or choose another port with {option}.",
        )
    if exc.errno == errno.EACCES:
        return PortTaken(
            f"Port {port} may not be used by this user.",
            hint=f"Choose a port above 1023 with {option}, or start as root.",
        )
    return PortTaken(
        f"PutLive cannot listen on {bind}:{port}: {exc.strerror}.",
        hint="Check server.bind or --bind: it has to be an address of this machine.",
    )


def holder(port: int) -> str:
    """The process that listens on `port`, in words; those of others may not be visible to us."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.AccessDenied, OSError):
        return "another process (run as root to see which)"
    for connection in connections:
        taken = getattr(connection.laddr, "port", None)  # an empty tuple for a bare socket
        if connection.status == psutil.CONN_LISTEN and taken == port and connection.pid:
            return _named(connection.pid)
    return "another process (run as root to see which)"


def _named(pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return f"process {pid}"


def free_loopback_ports(count: int) -> list[int]:
    """`count` different ports on 127.0.0.1 that were free a moment ago."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
