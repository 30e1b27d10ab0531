"""Status: what people see of each channel and of the station, put together from the services."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from putlive.domain.health import (
    DEGRADED,
    DOWN,
    OK,
    Component,
    MachineFacts,
    StationHealth,
    of_space,
)
from putlive.domain.media import EngineHealth, SegmentFacts
from putlive.domain.process import ProcessState, ProcessStatus
from putlive.domain.status import ChannelStatus, Input, verdict
from putlive.domain.streams import Channel, Claim
from putlive.ports import Clock
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.publishing import PublishService
from putlive.services.program.renditions import RenditionService
from putlive.services.program.viewing import ViewingService


class Probes:
    """The latest answers of the parts the daemon asks about itself; filled by the pulse."""

    def __init__(self) -> None:
        self.engine: EngineHealth | None = None
        self.engine_error = "not asked yet"
        self.front_error: str | None = "not asked yet"
        self.database_error: str | None = None
        self.machine: MachineFacts | None = None
        self.zombies_reaped = 0
        self.orphans_ended = 0


class StatusService:
    """Reads, and changes nothing."""

    def __init__(
        self,
        channels: ChannelService,
        publishing: PublishService,
        renditions: RenditionService,
        viewing: ViewingService,
        processes: Callable[[], Sequence[ProcessStatus]],
        failing: Callable[[], Mapping[str, str]],
        probes: Probes,
        clock: Clock,
        version: str,
    ) -> None:
        self._channels = channels
        self._publishing = publishing
        self._renditions = renditions
        self._viewing = viewing
        self._processes = processes
        self._failing = failing
        self._probes = probes
        self._clock = clock
        self._version = version
        self._started = clock.monotonic()

    def channel(self, name: str) -> ChannelStatus:
        """One channel, or `NotFound`."""
        return self._of(self._channels.get(name))

    def all(self) -> Sequence[ChannelStatus]:
        """Every channel."""
        return [self._of(channel) for channel in self._channels.all()]

    def station(self) -> StationHealth:
        """Every component of the station."""
        uptime = self._clock.monotonic() - self._started
        return StationHealth(dict(self._components()), self._version, uptime)

    def machine(self) -> MachineFacts | None:
        """The machine's figures, None before the first look."""
        return self._probes.machine

    def probes(self) -> Probes:
        """The raw answers, for metrics."""
        return self._probes

    def _of(self, channel: Channel) -> ChannelStatus:
        claim = self._publishing.claims().get(channel.name)
        source = _input(claim, self._renditions.facts(channel.name)) if claim else None
        said = verdict(
            channel,
            self._clock.now(),
            source,
            playing=bool(claim and self._renditions.playing(channel.name, claim.client_id)),
            engine_up=self._probes.engine is not None,
            refusal=self._publishing.refusal(channel.name),
        )
        since = (self._clock.now() - claim.since).total_seconds() if claim else 0.0
        return ChannelStatus(
            channel=channel,
            state=said.state,
            sentence=said.sentence,
            advice=said.advice,
            input=source,
            uptime_seconds=max(0.0, since),
            viewers=self._viewing.stats(channel.name),
            renditions=self._renditions.statuses(channel.name),
            refusal=self._publishing.refusal(channel.name),
        )

    def _components(self) -> dict[str, Component]:
        probes = self._probes
        parts = {
            "engine": _engine(probes),
            "nginx": _probe(probes.front_error, "The web front answers."),
            "database": _probe(probes.database_error, "The database can be read."),
            "daemon": self._daemon(),
            "processes": self._supervised(),
        }
        if probes.machine is not None:
            parts["disk"] = of_space("disk", max(probes.machine.disk_percent.values()))
            parts["tmpfs"] = of_space("memory disk", max(probes.machine.tmpfs_percent.values()))
        return parts

    def _daemon(self) -> Component:
        failing = self._failing()
        if not failing:
            return Component(OK, "Every loop goes round.")
        return Component(DEGRADED, "; ".join(f"{k}: {v}" for k, v in sorted(failing.items())))

    def _supervised(self) -> Component:
        statuses = self._processes()
        given_up = [s for s in statuses if s.state is ProcessState.FATAL]
        numbers = {"count": len(statuses), "restarts": sum(s.restarts for s in statuses)}
        if given_up:
            reasons = "; ".join(f"{s.name}: {s.reason or 'no reason given'}" for s in given_up)
            return Component(DEGRADED, f"Given up after repeated failures: {reasons}", numbers)
        return Component(OK, f"{len(statuses)} media processes are looked after.", numbers)


def _input(claim: Claim, facts: SegmentFacts | None) -> Input:
    if facts is None:
        return Input(
            claim.client_id, claim.key_id, claim.address, claim.since, stalled=claim.stalled
        )
    return Input(
        claim.client_id,
        claim.key_id,
        claim.address,
        claim.since,
        bitrate_kbps=0 if claim.stalled else round(facts.bits_per_second / 1000),
        fps=0.0 if claim.stalled else round(facts.fps, 2),
        width=facts.width,
        height=facts.height,
        codecs=facts.codecs,
        stalled=claim.stalled,
    )


def _engine(probes: Probes) -> Component:
    engine = probes.engine
    if engine is None:
        return Component(DOWN, f"The media engine does not answer: {probes.engine_error}")
    numbers: dict[str, float | int | str] = {
        "name": engine.name,
        "version": engine.version,
        "pid": engine.pid,
    }
    return Component(OK, f"{engine.name} {engine.version} answers.", numbers)


def _probe(error: str | None, fine: str) -> Component:
    return Component(OK, fine) if error is None else Component(DOWN, error)
