"""The metrics, in Prometheus' text format, put together from the services when they are read."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from fastapi import Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from putlive.api.context import Context
from putlive.api.deps import Address, Ctx, authenticate, check_right
from putlive.api.routing import Route
from putlive.domain.events import Event, PublishDenied, StreamStarted
from putlive.domain.health import DEGRADED, OK
from putlive.domain.process import ProcessStatus
from putlive.domain.status import ChannelStatus, OnAir

BUCKETS = (0.005, 0.025, 0.1, 0.5, 2.5)  # seconds
# Prometheus exposition formats, text format 0.0.4: what every version of it reads.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_HEALTH = {OK: 1.0, DEGRADED: 0.5}  # anything else is 0

Values = Iterable[tuple[tuple[str, ...], float]]  # label values, value


class Requests:
    """Counts and durations of requests. Labels are route templates, so there are few of them."""

    def __init__(self) -> None:
        self._count: Counter[tuple[str, ...]] = Counter()
        self._statuses: Counter[tuple[str, ...]] = Counter()
        self._seconds: dict[str, list[float]] = {}

    def add(self, method: str, endpoint: str, status: int, seconds: float) -> None:
        """One request, `seconds` from its arrival to the first byte of its answer."""
        self._count[method, endpoint] += 1
        self._statuses[f"{status // 100}xx",] += 1
        row = self._seconds.setdefault(endpoint, [0.0] * (len(BUCKETS) + 2))
        row[bisect_left(BUCKETS, seconds)] += 1
        row[-1] += seconds

    def collect(self) -> Iterator[Metric]:
        """The families."""
        yield _counter(
            "putlive_api_requests", "Requests.", ("method", "endpoint"), self._count.items()
        )
        yield _counter("putlive_api_responses", "Answers.", ("status",), self._statuses.items())
        family = HistogramMetricFamily(
            "putlive_api_requests_duration_seconds",
            "Time to the first byte of an answer.",
            labels=["endpoint"],
        )
        for endpoint, row in self._seconds.items():
            family.add_metric([endpoint], _cumulated(row), row[-1])
        yield family


def _cumulated(row: Sequence[float]) -> list[tuple[str, float]]:
    names = [*map(str, BUCKETS), "+Inf"]
    return [(name, sum(row[: i + 1])) for i, name in enumerate(names)]


class Decisions:
    """How inputs that knocked were answered: allowed, or the reason of the refusal."""

    def __init__(self) -> None:
        self._count: Counter[tuple[str, ...]] = Counter()

    def heard(self, event: Event) -> None:
        """Count what the bus says."""
        if isinstance(event, StreamStarted):
            self._count["allowed",] += 1
        elif isinstance(event, PublishDenied):
            self._count[event.reason,] += 1

    def collect(self) -> Iterator[Metric]:
        """The family."""
        help = "Inputs let in or refused, by outcome."
        yield _counter("putlive_publish_decisions", help, ("outcome",), self._count.items())


class StationFigures:
    """Reads the services anew each time."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        """Every family of streams, processes, health and the machine."""
        yield from _streams(self._context.statuses.all())
        yield from _processes(self._context.processes())
        reaped = CounterMetricFamily("putlive_ffmpeg_zombies_killed", "Zombies that were reaped.")
        reaped.add_metric([], self._context.zombies_reaped())
        yield reaped
        yield from self._health()
        yield from self._machine()

    def _health(self) -> Iterator[Metric]:
        parts = self._context.statuses.station().components
        values = {(name,): _HEALTH.get(part.status, 0.0) for name, part in parts.items()}
        help = "1 ok, 0.5 degraded, 0 down."
        yield _gauge("putlive_health_status", help, ("component",), values.items())

    def _machine(self) -> Iterator[Metric]:
        facts = self._context.statuses.machine()
        if facts is None:
            return
        cpu, memory = facts.cpu_percent, facts.memory_used_bytes
        yield _gauge("putlive_cpu_usage_percent", "Processor in use.", (), [((), cpu)])
        yield _gauge("putlive_memory_used_bytes", "Memory in use.", (), [((), memory)])
        for name, disks in (("disk", facts.disk_percent), ("tmpfs", facts.tmpfs_percent)):
            values = {(mount,): percent for mount, percent in disks.items()}
            yield _gauge(
                f"putlive_{name}_used_percent", "Space in use.", ("mount",), values.items()
            )


def _streams(statuses: Sequence[ChannelStatus]) -> Iterator[Metric]:
    live = {
        (s.channel.name, r.name): r
        for s in statuses
        for r in s.renditions
        if s.state is OnAir.LIVE and r.state == "live"
    }
    every = [(s.channel.name, r.name) for s in statuses for r in s.renditions]
    labels = ("channel", "quality")
    active = {key: float(key in live) for key in every}
    yield _gauge("putlive_stream_active", "1 while players get it.", labels, active.items())
    bitrates = {key: float(r.bitrate_kbps) for key, r in live.items()}
    yield _gauge("putlive_stream_bitrate_kbps", "Bit rate as measured.", labels, bitrates.items())
    frames = {key: r.fps for key, r in live.items()}
    yield _gauge("putlive_stream_fps", "Frames per second as measured.", labels, frames.items())
    viewers = {(s.channel.name,): float(s.viewers.now) for s in statuses}
    # A gauge by a counter's name: dashboards of the source document read it as it is.
    yield _gauge("putlive_stream_viewers_total", "Viewers now.", ("channel",), viewers.items())


def _processes(statuses: Sequence[ProcessStatus]) -> Iterator[Metric]:
    ffmpeg = [s for s in statuses if s.pid and not s.name.startswith("keeper:")]
    yield _gauge(
        "putlive_ffmpeg_processes_running", "ffmpeg at work.", (), [((), float(len(ffmpeg)))]
    )
    label = ("process",)
    restarts = {(s.name,): float(s.restarts) for s in statuses}
    yield _counter("putlive_process_restarts", "Starts after the first.", label, restarts.items())
    stalls = {(s.name,): float(s.stalls) for s in statuses}
    yield _counter(
        "putlive_process_stalls", "Restarts of a hanging process.", label, stalls.items()
    )
    dropped = {(s.name,): _number(s.progress.get("drop_frames")) for s in statuses}
    name = "putlive_stream_dropped_frames"
    yield _counter(name, "Frames ffmpeg had to drop.", label, dropped.items())


def _number(text: str | None) -> float:
    return float(text) if text and text.strip().isdigit() else 0.0


def _gauge(name: str, help: str, labels: Sequence[str], values: Values) -> Metric:
    return _filled(GaugeMetricFamily(name, help, labels=labels), values)


def _counter(name: str, help: str, labels: Sequence[str], values: Values) -> Metric:
    return _filled(CounterMetricFamily(name, help, labels=labels), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Values) -> Metric:
    for label_values, value in values:
        family.add_metric(list(label_values), value)
    return family


class Metrics:
    """All of them, in a registry of their own."""

    def __init__(self, context: Context) -> None:
        self.requests = Requests()
        decisions = Decisions()
        self.stop: Callable[[], None] = context.bus.listen(decisions.heard)
        self._registry = CollectorRegistry()
        for collector in (StationFigures(context), decisions, self.requests):
            self._registry.register(collector)

    def text(self) -> bytes:
        """What Prometheus reads."""
        return generate_latest(self._registry)


async def metrics(request: Request, ctx: Ctx, address: Address) -> Response:
    """Prometheus metrics, for the allowed networks or with an admin's token."""
    if not _is_allowed(address, ctx.site.metrics_networks):
        check_right(authenticate(request), "administer")
    found: Metrics = request.app.state.metrics
    return Response(found.text(), headers={"Content-Type": CONTENT_TYPE})


def _is_allowed(address: str, networks: Sequence[str]) -> bool:
    if address == "local":
        return True
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network, strict=False) for network in networks)


ROUTES = (
    Route(
        "GET",
        "/metrics",
        metrics,
        "public",
        "Prometheus metrics",
        None,
        errors=(401, 403),
        media="text/plain",
    ),
)
