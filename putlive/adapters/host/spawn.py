"""Processes on this host: started in their own group and marked as this station's."""

from __future__ import annotations

import asyncio
import os
import re
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO

from putlive.domain.process import ProcessSpec

STATION = "PUTLIVE_STATION"
OWNER = "PUTLIVE_OWNER"
PROCESS = "PUTLIVE_PROCESS"
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f]")
_KEY = re.compile(r"(key=)[^&\s'\":]+")


class LocalChild:
    """A process and its group; its output is read as it comes, so that it never blocks."""

    def __init__(self, proc: asyncio.subprocess.Process) -> None:
        self._proc = proc
        self._words: deque[str] = deque(maxlen=5)
        self._reader = asyncio.create_task(self._listen()) if proc.stderr else None

    @property
    def pid(self) -> int:
        """Process id, which is also the group's."""
        return self._proc.pid

    async def progress(self) -> AsyncIterator[Mapping[str, str]]:
        """Blocks of `key=value` lines, each closed by `progress=…`."""
        block: dict[str, str] = {}
        async for line in _lines(self._proc.stdout):
            key, _, value = line.partition("=")
            block[key] = value.strip()
            if key == "progress":
                yield block
                block = {}

    def last_words(self) -> str:
        """The last line on standard error; stream keys in it are hidden."""
        return self._words[-1] if self._words else ""

    async def wait(self) -> int:
        """Exit code, or -N for a death by signal N."""
        code = await self._proc.wait()
        if self._reader is not None:
            # A grandchild may hold the pipe open, so the reader gets a moment and no more.
            await asyncio.wait({self._reader}, timeout=0.2)
            self._reader.cancel()
        return code

    def signal_group(self, signum: int) -> None:
        """Signal the whole group; nothing happens when it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self._proc.pid, signum)

    async def _listen(self) -> None:
        async for line in _lines(self._proc.stderr):
            self._words.append(_KEY.sub(r"\1…", _CONTROL.sub("", line))[:300])


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[str]:
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:  # longer than the reader's limit: dropped
            continue
        if not line:
            return
        if text := line.decode(errors="replace").rstrip():
            yield text


class LocalSpawner:
    """Starts processes with the marks by which orphans are recognised later.

    `station` names the installation, `owner` is `ROLE:PID:START` of the supervising process.
    """

    def __init__(self, station: str, owner: str) -> None:
        self._station = station
        self._owner = owner

    async def spawn(self, spec: ProcessSpec) -> LocalChild:
        """Start `spec` in its own session; raises `OSError` when that is not possible."""
        with _log(spec) as errors:
            proc = await asyncio.create_subprocess_exec(
                *_argv(spec),
                env=self._env(spec),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=errors or _output(spec),
                stderr=errors or asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        return LocalChild(proc)

    def _env(self, spec: ProcessSpec) -> dict[str, str]:
        marks = {STATION: self._station, OWNER: self._owner, PROCESS: spec.name}
        return {**os.environ, **spec.env, **marks}


def _argv(spec: ProcessSpec) -> tuple[str, ...]:
    return ("nice", "-n", str(spec.nice), *spec.argv) if spec.nice else spec.argv


def _output(spec: ProcessSpec) -> int:
    reports = spec.stall_seconds is not None or "-progress" in spec.argv
    return asyncio.subprocess.PIPE if reports else asyncio.subprocess.DEVNULL


@contextmanager
def _log(spec: ProcessSpec) -> Iterator[IO[bytes] | None]:
    """The log a spec asks for, or none."""
    if spec.log_path is None:
        yield None
        return
    with open(spec.log_path, "ab") as file:
        yield file


def owner_mark(role: str) -> str:
    """`ROLE:PID:START` of this process; the start time tells a reused pid apart."""
    return f"{role}:{os.getpid()}:{start_ticks(os.getpid())}"


def start_ticks(pid: int) -> int:
    """Clock ticks after boot at which `pid` started (proc(5), field 22), 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0
