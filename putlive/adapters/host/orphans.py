"""Processes of this station that nobody owns any more, and zombies left to us.

Touches only what carries this station's mark (C1): never an ffmpeg that is not PutLive's.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from putlive.adapters.host.spawn import OWNER, PROCESS, STATION, start_ticks


@dataclass(frozen=True)
class Marked:
    """A running process that carries a station's mark."""

    pid: int
    owner: str
    process: str


def marked(station: str) -> Iterator[Marked]:
    """Every running process of `station` but this one; unreadable ones are not ours."""
    for pid in _pids():
        env = _environ(pid)
        if pid != os.getpid() and env.get(STATION) == station:
            yield Marked(pid, env.get(OWNER, ""), env.get(PROCESS, ""))


def is_orphan(process: Marked, role: str, me: str) -> bool:
    """Whether the supervisor in `role` that started it is gone; `me` is today's owner mark."""
    owner_role, _, rest = process.owner.partition(":")
    if owner_role != role or process.owner == me:
        return False
    pid, _, started = rest.partition(":")
    return not pid.isdigit() or str(start_ticks(int(pid))) != started


def end(process: Marked, station: str, signum: int = signal.SIGTERM) -> bool:
    """Signal it, if it still is what it was; False when it is gone."""
    if _environ(process.pid).get(STATION) != station:
        return False
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process.pid, signum)
        return True
    return False


class OrphanReaper:
    """Ends orphans (TERM, KILL at the next sweep) and reaps zombies that came to us.

    Zombies are reaped by pid and only when two sweeps saw them: `waitpid(-1)` would steal exit
    codes from asyncio (measured on Python 3.10 to 3.13).
    """

    def __init__(self, station: str, role: str, me: str) -> None:
        self._station = station
        self._role = role
        self._me = me
        self._termed: set[int] = set()
        self._zombies: set[int] = set()

    def sweep(self) -> list[str]:
        """End every orphan; returns their names."""
        found = [p for p in marked(self._station) if is_orphan(p, self._role, self._me)]
        ended = [p for p in found if self._end(p)]
        self._termed = {p.pid for p in ended}
        return [p.process for p in ended]

    def end_writers(self) -> None:
        """Kill at once what a former daemon left writing; keepers stay until they are replaced.

        To be called before anything is started: two encoders may not write one playlist.
        """
        for process in marked(self._station):
            keeps = process.process.startswith("keeper:")
            if is_orphan(process, self._role, self._me) and not keeps:
                end(process, self._station, signal.SIGKILL)

    def reap(self, owned: frozenset[int]) -> int:
        """Reap zombie children that no supervisor waits for; returns how many."""
        zombies = set(_zombie_children()) - owned
        reaped = 0
        for pid in zombies & self._zombies:
            with suppress(ChildProcessError):
                reaped += os.waitpid(pid, os.WNOHANG)[0] == pid
        self._zombies = zombies
        return reaped

    def _end(self, process: Marked) -> bool:
        signum = signal.SIGKILL if process.pid in self._termed else signal.SIGTERM
        return end(process, self._station, signum)


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _environ(pid: int) -> dict[str, str]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = (item.partition(b"=") for item in file.read().split(b"\0"))
            return {
                os.fsdecode(k): os.fsdecode(v) for k, _, v in pairs if k.startswith(b"PUTLIVE_")
            }
    except OSError:
        return {}


def _zombie_children() -> Iterator[int]:
    for pid in _pids():
        with suppress(OSError, IndexError, ValueError):
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
            if state == "Z" and int(parent) == os.getpid():
                yield pid
