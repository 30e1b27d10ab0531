"""What the pulse does in each round besides renditions and viewers: ask, tidy, note, record."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from putlive.domain.events import EngineChanged
from putlive.domain.health import MachineFacts
from putlive.domain.media import EngineHealth, Publisher
from putlive.errors import EngineDown, PutLiveError
from putlive.ports import Clock, MediaEngine, Store
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.input_watch import InputWatch
from putlive.services.ingest.keeper import KeeperService
from putlive.services.ingest.publishing import PublishService
from putlive.services.program.history import HistoryService
from putlive.services.running.bus import Bus
from putlive.services.running.status import Probes, StatusService

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Looks:
    """Looks at the machine that only adapters can take."""

    end_orphans: Callable[[], list[str]]
    reap_zombies: Callable[[], int]
    machine: Callable[[], MachineFacts]
    front_error: Callable[[], Awaitable[str | None]]


class EngineRound:
    """Asks the engine who publishes, and lets everything that depends on it follow."""

    def __init__(
        self,
        engine: MediaEngine,
        watch: InputWatch,
        keepers: KeeperService,
        channels: ChannelService,
        publishing: PublishService,
        probes: Probes,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._watch = watch
        self._keepers = keepers
        self._channels = channels
        self._publishing = publishing
        self._probes = probes
        self._bus = bus
        self._clock = clock

    async def look(self) -> None:
        """One look; an engine that does not answer is a fact to note and not a failure of ours."""
        answer = await self._ask()
        if answer is None:
            await self._publishing.flush()
            return
        await self._watch.reconcile(*answer)

    async def keep(self) -> None:
        """Keepers of every channel; without an engine they would only fail to connect."""
        if self._probes.engine is not None:
            await self._keepers.reconcile(self._channels.all(), self._publishing.claims())

    async def _ask(self) -> tuple[EngineHealth, list[Publisher]] | None:
        try:
            health, publishers = await self._engine.health(), await self._engine.publishers()
        except EngineDown as exc:
            await self._note(None, str(exc))
            return None
        await self._note(health, "")
        return health, list(publishers)

    async def _note(self, health: EngineHealth | None, error: str) -> None:
        before = self._probes.engine
        self._probes.engine, self._probes.engine_error = health, error
        same = before == health if before and health else before is health
        if not same:
            detail = error if health is None else f"{health.version}, process {health.pid}"
            event = EngineChanged(self._engine.name, health is not None, detail, self._clock.now())
            await self._bus.publish(event)


class StationRound:
    """Looks at the rest of the station and tidies up."""

    def __init__(self, looks: Looks, store: Store, probes: Probes) -> None:
        self._looks = looks
        self._store = store
        self._probes = probes

    async def tidy(self) -> None:
        """End processes of a former daemon, reap what was left to us (C1)."""
        ended = self._looks.end_orphans()
        self._probes.orphans_ended += len(ended)
        self._probes.zombies_reaped += self._looks.reap_zombies()
        for name in ended:
            log.warning("ended an orphan: %s", name)

    async def check(self) -> None:
        """Machine, database, front."""
        self._probes.machine = self._looks.machine()
        self._probes.front_error = await self._looks.front_error()
        try:
            await self._store.check()
            self._probes.database_error = None
        except PutLiveError as exc:
            self._probes.database_error = str(exc)


class HistoryRound:
    """Writes down viewers and bit rate of each channel."""

    def __init__(self, history: HistoryService, status: StatusService, clock: Clock) -> None:
        self._history = history
        self._status = status
        self._clock = clock

    async def record(self) -> None:
        """One point per channel."""
        now = self._clock.now()
        for each in self._status.all():
            kbps = each.input.bitrate_kbps if each.input else 0
            self._history.record(each.channel.name, now, each.viewers.now, kbps)
