"""Where rules, stories and adapters are put together: the only place that knows all of them."""

from __future__ import annotations

from datetime import timedelta

from putlive import __version__
from putlive.adapters.engines.engine_config import API_USER
from putlive.adapters.engines.loopback_http import BasicAuth, LoopbackHttp
from putlive.adapters.engines.nginx_rtmp import NginxRtmpEngine
from putlive.adapters.engines.srs import SrsEngine
from putlive.adapters.host.clock import SystemClock
from putlive.adapters.host.machine import LocalMachine, written_bytes
from putlive.adapters.host.orphans import OrphanReaper
from putlive.adapters.host.spawn import LocalSpawner, owner_mark
from putlive.adapters.host.systemd import SystemdNotifier
from putlive.adapters.media.ffmpeg import (
    TIMESTAMP_OFFSET,
    RungOutput,
    as_rung,
    find_programs,
    keeper_spec,
    preview_spec,
    rung_spec,
)
from putlive.adapters.media.hls_files import PreviewPictures, TmpfsHls
from putlive.adapters.store.sqlite import SqliteStore
from putlive.adapters.vault.passwords import BcryptPasswords
from putlive.adapters.vault.secrets import Secrets
from putlive.adapters.vault.tokens import JwtTokens
from putlive.adapters.web.front_probe import FrontProbe
from putlive.domain.alignment import cut_seconds
from putlive.domain.events import Event, StreamStarted
from putlive.domain.streams import DenyReason
from putlive.ports import MediaEngine
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.input_watch import InputWatch
from putlive.services.ingest.inputs import Inputs
from putlive.services.ingest.keeper import KeeperService
from putlive.services.ingest.keys import KeyService
from putlive.services.ingest.publishing import PublishLimits, PublishService
from putlive.services.people.accounts import AccountPolicy, AccountService
from putlive.services.program.history import HistoryService
from putlive.services.program.preview import PreviewService
from putlive.services.program.renditions import RenditionService
from putlive.services.program.viewing import ViewingService
from putlive.services.running.bus import Bus
from putlive.services.running.pulse import Pulse, Stage
from putlive.services.running.rounds import EngineRound, HistoryRound, Looks, StationRound
from putlive.services.running.status import Probes, StatusService
from putlive.services.running.supervisor import Supervisor
from putlive.station import Station

HOPEFUL = timedelta(seconds=15)


def make_engine(station: Station, secrets: Secrets) -> MediaEngine:
    """The adapter of the engine this station was prepared with."""
    rtmp_port, api_port = station.settings.streaming.rtmp_port, station.ports.engine_api
    if station.engine == "srs":
        auth = BasicAuth(API_USER, secrets.engine_password)
        http = LoopbackHttp(api_port, "SRS", auth=auth)
        return SrsEngine(http, rtmp_port, station.layout.hls / "source")
    return NginxRtmpEngine(LoopbackHttp(api_port, "nginx-rtmp"), rtmp_port, secrets.engine_password)


def make_accounts(
    station: Station, store: SqliteStore, secrets: Secrets, bus: Bus
) -> AccountService:
    """Accounts as the settings want them."""
    wanted, clock = station.settings.authentication, SystemClock()
    policy = AccountPolicy(
        wanted.token_expiry, wanted.session_expiry, wanted.login_attempts, wanted.login_wait
    )
    tokens = JwtTokens(secrets.jwt, clock)
    return AccountService(store, clock, BcryptPasswords(), tokens, bus, policy)


class Parts:
    """Every service and adapter of a station, made once and in order; nothing runs yet."""

    def __init__(self, station: Station, store: SqliteStore, secrets: Secrets) -> None:
        self.station, self.store, self.secrets = station, store, secrets
        self.clock, self.manager, self.probes = SystemClock(), SystemdNotifier(), Probes()
        self._me = owner_mark("daemon")
        self.engine = make_engine(station, secrets)
        self.bus = Bus(store.events)
        self.accounts = make_accounts(station, store, secrets, self.bus)
        spawner = LocalSpawner(station.id, self._me)
        self.supervisor = Supervisor(spawner, self.clock, self.bus.publish)
        self.channels = ChannelService(store.channels)
        self.keys = KeyService(store.keys, self.clock, secrets.station)
        self.history = HistoryService()
        self.reaper = OrphanReaper(station.id, "daemon", self._me)
        self._make_publishing()
        self._make_media()
        self._make_status()
        self.bus.listen(self._heard)

    def _make_publishing(self) -> None:
        streaming = self.station.settings.streaming
        inputs = Inputs(self.clock, streaming.stall_timeout)
        self.publishing = PublishService(
            self.engine,
            self.channels,
            self.keys,
            inputs,
            self.accounts.users.find,
            self.bus,
            self.clock,
            PublishLimits(streaming.max_concurrent_streams, streaming.kick_duration),
        )
        self.keys.on_end(self.publishing.cut_key)
        self.channels.on_stop(self.publishing.cut_channel)
        self.accounts.users.on_end(self._cut_disabled)
        self._watch = InputWatch(
            self.engine,
            self.channels,
            inputs,
            self.publishing,
            self.store.events,
            self.clock,
        )

    def _make_media(self) -> None:
        """What plays, measures and makes renditions of the program stream."""
        layout, streaming = self.station.layout, self.station.settings.streaming
        clock, url, programs = self.clock, self.engine.play_url, find_programs()
        ladder = [as_rung(q) for q in streaming.qualities]
        hls = TmpfsHls(layout.hls, [rung.name for rung in ladder], clock)
        output = _rung_output(self.station)
        self.renditions = RenditionService(
            hls,
            self.supervisor,
            clock,
            self.store.channels,
            ladder,
            lambda launch: rung_spec(programs, url(launch.channel), output, launch),
            joins_at_last_keyframe=self.engine.joins_at_last_keyframe,
            segment_seconds=streaming.hls.segment_duration,
        )
        pictures = PreviewPictures(layout.previews, clock)
        self.preview = PreviewService(
            pictures,
            self.supervisor,
            clock,
            lambda name: preview_spec(programs, url(name), pictures.path(name), name),
        )
        self._keepers = KeeperService(
            self.engine,
            self.supervisor,
            lambda name: keeper_spec(programs, url(name), name),
            written_bytes,
            self.publishing.cut,
            clock,
        )
        self.viewing = ViewingService(clock, hls, self._max_viewers, streaming.hls.segment_duration)

    def _make_status(self) -> None:
        """The pulse and what it is seen by."""
        self.pulse = Pulse(self._stages(), self.clock, self.manager, self._something_begins)
        self.status = StatusService(
            self.channels,
            self.publishing,
            self.renditions,
            self.viewing,
            self.supervisor.statuses,
            self.pulse.failing,
            self.probes,
            self.clock,
            __version__,
        )

    def _stages(self) -> list[Stage]:
        engine = EngineRound(
            self.engine,
            self._watch,
            self._keepers,
            self.channels,
            self.publishing,
            self.probes,
            self.bus,
            self.clock,
        )
        rest = StationRound(self._looks(), self.store, self.probes)
        return [
            Stage("engine", engine.look),
            Stage("keepers", engine.keep),
            Stage("renditions", self._tend_renditions),
            Stage("preview", lambda: self.preview.reconcile(self.publishing.claims())),
            Stage("viewers", self.viewing.reconcile),
            Stage("history", self._record),
            Stage("processes", rest.tidy, every_seconds=10),
            Stage("self check", rest.check, every_seconds=10),
        ]

    def _looks(self) -> Looks:
        server, layout = self.station.settings.server, self.station.layout
        return Looks(
            end_orphans=self.reaper.sweep,
            reap_zombies=lambda: self.reaper.reap(self.supervisor.pids()),
            machine=LocalMachine(layout.state, layout.hls).facts,
            front_error=FrontProbe(server.bind, server.http_port).error,
        )

    async def _tend_renditions(self) -> None:
        await self.renditions.reconcile(self.publishing.claims())
        for name in self.renditions.foreign():
            await self.publishing.cut(name, DenyReason.CODEC)

    async def _record(self) -> None:
        await HistoryRound(self.history, self.status, self.clock).record()

    async def _cut_disabled(self, user_id: int) -> None:
        """A user who was disabled is off the air at once, not only logged out."""
        user = self.accounts.users.find(user_id)
        if user is None or user.active:
            return
        for key in self.keys.all():
            if key.user_id == user_id:
                await self.publishing.cut_key(key.id)

    def _something_begins(self) -> bool:
        """Whether an input has come whose picture is not there yet; a hopeless one counts not."""
        now = self.clock.now()
        return any(
            (now - claim.since) < HOPEFUL
            and (
                self.renditions.facts(name) is None
                or not self.renditions.playing(name, claim.client_id)
            )
            for name, claim in self.publishing.claims().items()
        )

    def _heard(self, event: Event) -> None:
        if isinstance(event, StreamStarted):
            self.viewing.reset(event.channel)

    def _max_viewers(self, name: str) -> int:
        channel = self.channels.find(name)
        own = channel.max_viewers if channel else 0
        return own or self.station.settings.streaming.max_viewers


def _rung_output(station: Station) -> RungOutput:
    hls = station.settings.streaming.hls
    segments = max(3, round(hls.playlist_window / hls.segment_duration))
    offset = TIMESTAMP_OFFSET[station.engine]
    return RungOutput(station.layout.hls, cut_seconds(hls.segment_duration), segments, offset)
