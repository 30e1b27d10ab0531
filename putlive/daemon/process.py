"""The daemon while it runs: two listeners, the pulse, maintenance, and an orderly end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from putlive import __version__
from putlive.adapters.host.tasks import run_until
from putlive.adapters.store.sqlite import SqliteStore
from putlive.adapters.vault.secrets import Secrets
from putlive.adapters.web.access_log import AccessLog
from putlive.adapters.web.uvicorn_server import loopback_listener, serve, unix_listener
from putlive.api.app import create_app
from putlive.api.context import Context, Site
from putlive.api.hooks import hooks_app
from putlive.daemon.parts import Parts
from putlive.station import Station

log = logging.getLogger(__name__)

KEPT_EVENTS = timedelta(days=30)


class Daemon:
    """The parts, running."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; raises what ended the daemon before that."""
        self._parts.reaper.end_writers()
        for part in (self._parts.channels, self._parts.keys, self._parts.accounts):
            await part.load()
        layout, ports = self._parts.station.layout, self._parts.station.ports
        hooks = hooks_app(
            self._parts.secrets.hook,
            self._parts.publishing.on_publish,
            self._parts.publishing.on_unpublish,
            lambda word, address: log.warning("hook refused: %s from %s", word, address),
        )
        access = AccessLog(layout.access_socket, self._parts.viewing.saw)
        await access.open()
        maintenance = self._maintenance()
        try:
            await run_until(
                stop,
                [
                    serve(hooks, loopback_listener(ports.hooks)),
                    serve(create_app(self._context()), unix_listener(layout.api_socket)),
                    self._parts.pulse.run(),
                    self._announce(stop),
                ],
            )
        finally:
            self._parts.manager.stopping()
            maintenance.shutdown(wait=False)
            await access.close()
            await self._parts.supervisor.close()
            await self._parts.publishing.flush()

    async def _announce(self, stop: asyncio.Event) -> None:
        """Both servers have begun to listen before this runs, so it may be said."""
        # What was made so far lives as long as the daemon: a full collection of it (24 ms,
        # measured) must not come between a hook and its answer.
        gc.collect()
        gc.freeze()
        self._parts.manager.ready(f"PutLive {__version__} with {self._parts.engine.name}")
        await stop.wait()

    def _context(self) -> Context:
        settings = self._parts.station.settings
        return Context(
            accounts=self._parts.accounts,
            channels=self._parts.channels,
            keys=self._parts.keys,
            publishing=self._parts.publishing,
            renditions=self._parts.renditions,
            previews=self._parts.preview,
            statuses=self._parts.status,
            history=self._parts.history,
            bus=self._parts.bus,
            events=self._parts.store.events,
            processes=self._parts.supervisor.statuses,
            zombies_reaped=lambda: self._parts.probes.zombies_reaped,
            clock=self._parts.clock,
            site=Site(
                version=__version__,
                rtmp_port=settings.streaming.rtmp_port,
                domain=settings.server.domain,
                allowed_origins=settings.security.cors.allowed_origins,
                metrics_networks=settings.monitoring.metrics_networks,
            ),
        )

    def _maintenance(self) -> AsyncIOScheduler:
        """What has to be done now and then, whatever is on air."""
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(self._parts.accounts.sweep, "cron", hour=3, minute=17)
        scheduler.add_job(self._forget_events, "cron", hour=3, minute=23)
        scheduler.start()
        return scheduler

    async def _forget_events(self) -> None:
        await self._parts.store.events.forget_before(self._parts.clock.now() - KEPT_EVENTS)


async def run(station: Station) -> None:
    """The daemon from its first to its last moment."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    secrets = Secrets.load(station.layout.secrets)
    async with SqliteStore.open(station.layout.database) as store:
        await Daemon(Parts(station, store, secrets)).run(stop)
