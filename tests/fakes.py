"""Fakes of the ports: small, deterministic, and free of `unittest.mock`."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta, timezone

from putlive.domain.process import ProcessSpec


class FakeClock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._seconds + seconds, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move time on, waking sleepers in order and letting each run until it waits again."""
        end = self._seconds + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._seconds = max(self._seconds, due)
            if not future.done():
                future.set_result(None)
            await settle()
        self._seconds = end
        await settle()


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


class FakeChild:
    """A process that does what the test says."""

    def __init__(self, pid: int, spec: ProcessSpec) -> None:
        self.pid = pid
        self.spec = spec
        self.signals: list[int] = []
        self.obeys = True
        self.words = ""
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._blocks: asyncio.Queue[Mapping[str, str] | None] = asyncio.Queue()

    async def progress(self) -> AsyncIterator[Mapping[str, str]]:
        while (block := await self._blocks.get()) is not None:
            yield block

    def report(self, **block: str) -> None:
        """Let the process print one progress block."""
        self._blocks.put_nowait(block)

    def last_words(self) -> str:
        return self.words

    async def wait(self) -> int:
        return await asyncio.shield(self._code)

    def signal_group(self, signum: int) -> None:
        self.signals.append(signum)
        if self.obeys or signum == 9:
            self.exit(-signum)

    def exit(self, code: int) -> None:
        if not self._code.done():
            self._code.set_result(code)
            self._blocks.put_nowait(None)


class FakeSpawner:
    """Starts `FakeChild`ren; a program called `missing` cannot be started."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []

    async def spawn(self, spec: ProcessSpec) -> FakeChild:
        if spec.argv[0] == "missing":
            raise FileNotFoundError(spec.argv[0])
        child = FakeChild(1000 + len(self.children), spec)
        self.children.append(child)
        return child

    def running(self) -> list[FakeChild]:
        return [c for c in self.children if not c._code.done()]
