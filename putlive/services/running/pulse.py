"""The pulse: every stage of the daemon's round in turn, and the watchdog fed after a full one.

A stage that raises is logged and the round goes on: the next round starts from the facts again.
A stage that hangs is cut off and the round does not count; if that lasts, systemd restarts the
daemon while engine and nginx go on (RE1).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from putlive.ports import Clock, ServiceManager

log = logging.getLogger(__name__)

ROUND_SECONDS = 2.0
REST_SECONDS = 0.1  # also after a round that took longer than it may
HURRY_SECONDS = 0.4  # while something is about to come on air


@dataclass(frozen=True)
class Stage:
    """One part of the round. `every_seconds` above the round's own skips rounds."""

    name: str
    run: Callable[[], Awaitable[None]]
    every_seconds: float = 0.0
    limit_seconds: float = 8.0


class Pulse:
    """Runs the stages for as long as the daemon lives."""

    def __init__(
        self,
        stages: Sequence[Stage],
        clock: Clock,
        manager: ServiceManager,
        hurry: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stages = stages
        self._hurry = hurry
        self._clock = clock
        self._manager = manager
        self._last: dict[str, float] = {}
        self._failing: dict[str, str] = {}
        self.beats = 0

    def failing(self) -> Mapping[str, str]:
        """Stages whose last run failed, with the reason."""
        return dict(self._failing)

    async def run(self) -> None:
        """Go round for ever, every two seconds, or faster while there is reason to hurry."""
        while True:
            due = self._clock.monotonic() + ROUND_SECONDS
            await self.step()
            due = max(due, self._clock.monotonic() + REST_SECONDS)
            while (left := due - self._clock.monotonic()) > 0:
                await self._clock.sleep(min(HURRY_SECONDS, left))
                if self._hurry():
                    break

    async def step(self) -> bool:
        """One round; True, and a beat for the watchdog, when no stage hung."""
        done = [await self._run(stage) for stage in self._stages if self._is_due(stage)]
        if not all(done):
            return False
        self.beats += 1
        self._manager.alive()
        return True

    def _is_due(self, stage: Stage) -> bool:
        last = self._last.get(stage.name)
        return last is None or self._clock.monotonic() - last >= stage.every_seconds

    async def _run(self, stage: Stage) -> bool:
        """Run one stage; False when it had to be cut off."""
        self._last[stage.name] = self._clock.monotonic()
        work = asyncio.ensure_future(stage.run())
        timer = asyncio.ensure_future(self._clock.sleep(stage.limit_seconds))
        try:
            await asyncio.wait({work, timer}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._note(stage, f"took more than {stage.limit_seconds:g} s")
                return False
            self._judge(stage, work)
            return True
        finally:
            timer.cancel()
            work.cancel()

    def _judge(self, stage: Stage, work: asyncio.Future[None]) -> None:
        error = None if work.cancelled() else work.exception()
        if error is None:
            self._failing.pop(stage.name, None)
        else:
            self._note(stage, str(error) or type(error).__name__, error)

    def _note(self, stage: Stage, reason: str, error: BaseException | None = None) -> None:
        # The same failure every two seconds is one line, not 43,200 a day.
        if self._failing.get(stage.name) != reason:
            log.error("pulse: %s failed: %s", stage.name, reason, exc_info=error)
        self._failing[stage.name] = reason
