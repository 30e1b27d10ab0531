"""Keeps processes running: one task per process, and only that task touches it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from putlive.domain.events import Event, ProcessExited
from putlive.domain.process import ProcessSpec, ProcessState, ProcessStatus, advanced, after_exit
from putlive.ports import Child, Clock, Spawner

log = logging.getLogger(__name__)

Emit = Callable[[Event], Awaitable[None]]
CHECK_SECONDS = 1.0  # how often a stall is looked for


@dataclass
class _Slot:
    """What the owning task knows of its process."""

    spec: ProcessSpec
    state: ProcessState = ProcessState.STARTING
    tries: int = 0
    pid: int = 0
    starts: int = 0
    stalls: int = 0
    reason: str = ""
    stalled: bool = False
    progress: Mapping[str, str] = field(default_factory=dict)
    moved_at: float = 0.0
    task: asyncio.Task[None] | None = None

    def status(self) -> ProcessStatus:
        return ProcessStatus(
            self.spec.name,
            self.state,
            self.pid,
            max(0, self.starts - 1),
            self.stalls,
            self.reason,
            self.progress,
        )


class Supervisor:
    """Starts, watches, restarts and stops processes by name (RE2)."""

    def __init__(self, spawner: Spawner, clock: Clock, emit: Emit) -> None:
        self._spawner = spawner
        self._clock = clock
        self._emit = emit
        self._slots: dict[str, _Slot] = {}

    def start(self, spec: ProcessSpec) -> None:
        """Look after `spec`, unless a process of that name is looked after already."""
        old = self._slots.get(spec.name)
        if old is not None and old.task is not None and not old.task.done():
            return
        slot = _Slot(spec)
        self._slots[spec.name] = slot
        slot.task = asyncio.create_task(self._keep_running(slot), name=f"process {spec.name}")

    async def stop(self, name: str) -> None:
        """Stop a process, wait until it is gone and forget it; unknown names are fine."""
        slot = self._slots.get(name)
        if slot is None or slot.task is None:
            return
        slot.task.cancel()
        await asyncio.wait({slot.task})
        if self._slots.get(name) is slot:
            del self._slots[name]

    async def close(self) -> None:
        """Stop all at once."""
        await asyncio.gather(*(self.stop(name) for name in list(self._slots)))

    def status(self, name: str) -> ProcessStatus | None:
        """How one process is, or None when it is not looked after."""
        slot = self._slots.get(name)
        return slot.status() if slot else None

    def statuses(self) -> Sequence[ProcessStatus]:
        """How every process is, by name."""
        return [self._slots[name].status() for name in sorted(self._slots)]

    def pids(self) -> frozenset[int]:
        """The pids that run now."""
        return frozenset(slot.pid for slot in self._slots.values() if slot.pid)

    async def _keep_running(self, slot: _Slot) -> None:
        while True:
            delay = await self._run_once(slot)
            if slot.state is not ProcessState.BACKOFF:
                return
            await self._clock.sleep(delay)

    async def _run_once(self, slot: _Slot) -> float:
        slot.state, slot.stalled, slot.starts = ProcessState.STARTING, False, slot.starts + 1
        started = slot.moved_at = self._clock.monotonic()
        try:
            child = await self._spawner.spawn(slot.spec)
        except OSError as exc:
            slot.reason = f"cannot be started: {exc.strerror or exc}"
            return await self._exited(slot, 127, started)
        slot.pid, slot.progress = child.pid, {}
        code = await self._watch(slot, child)
        slot.reason = "stalled: no progress" if slot.stalled else child.last_words()
        return await self._exited(slot, code, started)

    async def _watch(self, slot: _Slot, child: Child) -> int:
        """Wait for the end of `child`, whoever brings it about; leaves no task behind."""
        helpers = [
            asyncio.create_task(self._settle(slot)),
            asyncio.create_task(self._follow(slot, child)),
            asyncio.create_task(self._end_stalled(slot, child)),
        ]
        try:
            return await child.wait()
        except asyncio.CancelledError:
            slot.state = ProcessState.STOPPING
            await self._terminate(slot, child)
            raise
        finally:
            slot.pid = 0
            for helper in helpers:
                helper.cancel()
            child.signal_group(signal.SIGKILL)  # what it forked and left behind

    async def _settle(self, slot: _Slot) -> None:
        await self._clock.sleep(slot.spec.policy.start_seconds)
        slot.state = ProcessState.RUNNING

    async def _follow(self, slot: _Slot, child: Child) -> None:
        if slot.spec.stall_seconds is None:
            return
        async for block in child.progress():
            if advanced(slot.progress, block):
                slot.moved_at = self._clock.monotonic()
            slot.progress = block

    async def _end_stalled(self, slot: _Slot, child: Child) -> None:
        limit = slot.spec.stall_seconds
        while limit is not None:
            await self._clock.sleep(min(CHECK_SECONDS, limit))
            if self._clock.monotonic() - slot.moved_at > limit:
                slot.stalled, slot.stalls = True, slot.stalls + 1
                await self._terminate(slot, child)
                return

    async def _exited(self, slot: _Slot, code: int, started: float) -> float:
        ran = self._clock.monotonic() - started
        slot.state, delay, slot.tries = after_exit(code, ran, slot.tries, slot.spec.policy)
        name, state = slot.spec.name, slot.state.value
        await self._emit(
            ProcessExited(name, code, round(ran, 1), state, slot.reason, self._clock.now())
        )
        return delay

    async def _terminate(self, slot: _Slot, child: Child) -> None:
        """TERM to the group, KILL to what is left after `stop_seconds`."""
        child.signal_group(signal.SIGTERM)
        gone = asyncio.create_task(child.wait())
        timer = asyncio.create_task(self._clock.sleep(slot.spec.stop_seconds))
        await asyncio.wait({gone, timer}, return_when=asyncio.FIRST_COMPLETED)
        timer.cancel()
        child.signal_group(signal.SIGKILL)
        await gone
