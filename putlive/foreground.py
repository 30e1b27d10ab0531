"""`putlive up` once everything is prepared: a small stand-in for systemd, in one terminal.

Starts the media engine, the web front and the daemon, restarts what dies, feeds on the daemon's
watchdog messages and ends all of them. It is its own program and imports little, because it stays
in memory next to the station; `cli.up` prepares the plan and then becomes this.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from putlive.adapters.host.clock import SystemClock
from putlive.adapters.host.notify_socket import NotifySocket
from putlive.adapters.host.orphans import end, marked
from putlive.adapters.host.spawn import LocalSpawner, owner_mark
from putlive.domain.events import Event, ProcessExited
from putlive.domain.process import ProcessState
from putlive.plan import STOP_SIGNALS, Plan, people_text, read_plan
from putlive.services.running.supervisor import Supervisor

WATCHDOG_SECONDS = 20.0
READY_SECONDS = 30.0
LIVE_SECONDS = 30.0
DAEMON = "daemon"


class Foreground:
    """The processes of one plan, from their start to their end."""

    def __init__(self, plan: Plan, tell: Callable[[str], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._clock = SystemClock()
        spawner = LocalSpawner(plan.station, owner_mark("up"))
        self._supervisor = Supervisor(spawner, self._clock, self._exited)
        self._notify = NotifySocket(Path(plan.notify_path), self._clock.monotonic)
        self._stop = asyncio.Event()
        self._failed = ""

    async def run(self) -> int:
        """Exit code: 0 after a stop that was asked for, 1 when a part could not be kept up."""
        loop = asyncio.get_running_loop()
        for signum in STOP_SIGNALS:
            loop.add_signal_handler(signum, self._stop.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        await self._notify.open()
        watchdog = asyncio.create_task(self._watch_daemon())
        try:
            await self._bring_up()
            await self._stop.wait()
        finally:
            watchdog.cancel()
            await self._bring_down()
        if self._failed:
            self._tell(self._failed)
        return 1 if self._failed else 0

    async def _bring_up(self) -> None:
        self._tell(f"Starting {self._plan.ready['engine']}, the web front and the daemon …")
        for spec in self._plan.specs:
            self._supervisor.start(spec)
        if not await self._until(self._is_ready, READY_SECONDS):
            self._give_up("The daemon did not become ready in time.", DAEMON)
            return
        if self._plan.demo is not None:
            self._tell("Publishing the test picture; the first segment takes two seconds …")
            self._supervisor.start(self._plan.demo)
            if not await self._until(self._is_live, LIVE_SECONDS):
                self._give_up("The demo stream did not come on air in time.", DAEMON)
                return
        if not self._stop.is_set():
            self._announce()

    async def _bring_down(self) -> None:
        """Encoder first, then the daemon, then what it relies on; nothing is left."""
        names = [self._plan.demo.name] if self._plan.demo else []
        for name in [*names, *(spec.name for spec in reversed(self._plan.specs))]:
            await self._supervisor.stop(name)
        for signum in (signal.SIGTERM, signal.SIGKILL):
            left = [p for p in marked(self._plan.station) if end(p, self._plan.station, signum)]
            if left:
                await self._clock.sleep(0.3)
        self._notify.close()
        _remove_tree(Path(self._plan.hls))

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        deadline = self._clock.monotonic() + seconds
        while not is_so():
            if self._clock.monotonic() > deadline or self._stop.is_set():
                return self._stop.is_set()
            await self._clock.sleep(0.05)
        return True

    def _is_ready(self) -> bool:
        return self._notify.is_ready

    def _is_live(self) -> bool:
        path = Path(self._plan.live_playlist)
        return path.exists() and "#EXT-X-STREAM-INF" in path.read_text(encoding="utf-8")

    async def _watch_daemon(self) -> None:
        """What systemd's WatchdogSec does: kill a daemon that went quiet, so it is restarted."""
        while True:
            await self._clock.sleep(1.0)
            status = self._supervisor.status(DAEMON)
            if status is None or not status.pid or not self._notify.is_ready:
                continue
            if self._notify.quiet_seconds() > WATCHDOG_SECONDS:
                self._tell(f"The daemon hung for {WATCHDOG_SECONDS:.0f} s; starting it again.")
                self._notify.forget()
                os.killpg(status.pid, signal.SIGKILL)

    async def _exited(self, event: Event) -> None:
        if not isinstance(event, ProcessExited):
            return
        if event.process == DAEMON:
            self._notify.forget()
        self._tell(f"{event.process} ended ({_how(event.exit_code)}): {event.next_state}")
        if event.next_state == ProcessState.FATAL.value:
            self._give_up(f"{event.process} cannot be kept running.", event.process)

    def _give_up(self, why: str, process: str) -> None:
        self._failed = f"{why}\n{self._log_tail(process)}"
        self._stop.set()

    def _log_tail(self, process: str) -> str:
        specs = [*self._plan.specs, *([self._plan.demo] if self._plan.demo else [])]
        path = next((s.log_path for s in specs if s.name == process), None)
        if path is None or not Path(path).exists():
            status = self._supervisor.status(process)
            return status.reason if status else ""
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        return "\n".join([f"Its log is {path} and ends with:", *lines])

    def _announce(self) -> None:
        ready = {**self._plan.ready, "pid": os.getpid()}
        if self._plan.as_json:
            sys.stdout.write(json.dumps(ready) + "\n")
            sys.stdout.flush()
        else:
            self._tell(people_text(ready))


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _remove_tree(folder: Path) -> None:
    """Delete the folder of segments; only files and folders that are plainly there."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _remove_tree(entry)
        else:
            entry.unlink(missing_ok=True)
    folder.rmdir()


def main(argv: list[str]) -> int:
    """Run the plan in the inherited file whose number is the only argument."""
    plan = read_plan(int(argv[1]))

    def tell(text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    return asyncio.run(_run(plan, tell))


async def _run(plan: Plan, tell: Callable[[str], None]) -> int:
    return await Foreground(plan, tell).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
