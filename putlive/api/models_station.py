"""Bodies about the station: the public page, health, history and the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from putlive.api.models import SOME_TIME, Answer, eg


class PublicOut(Answer):
    """What anybody may know of a channel: no address, no name of a person."""

    name: str = eg("demo")
    title: str = eg("Demo")
    on_air: bool = eg(True)
    state: str = eg("live")
    sentence: str = eg("On air.")
    viewers: int = eg(12)
    uptime_seconds: float = eg(300.0)
    hls_url: str = eg("/live/demo.m3u8")
    started_at: datetime | None = eg(SOME_TIME)


class PublicsOut(Answer):
    """Every channel, as anybody may know it."""

    channels: list[PublicOut]


class HealthOut(Answer):
    """Whether the station is well: ok, degraded or down."""

    status: str = eg("ok")
    version: str = eg("0.1.0")
    uptime_seconds: float = eg(3600.0)


class AliveOut(Answer):
    """Each component in one word."""

    status: str = eg("ok")
    components: dict[str, str] = eg({"engine": "ok"})


class ComponentOut(Answer):
    """One component: ok, degraded or down, and why."""

    status: str = eg("ok")
    detail: str = eg("SRS 6.0.157 answers.")
    numbers: dict[str, float | int | str] = eg({"used_percent": 12.5})


class HealthDetailOut(Answer):
    """Each component with its figures."""

    status: str = eg("ok")
    timestamp: datetime = eg(SOME_TIME)
    version: str = eg("0.1.0")
    uptime_seconds: float = eg(3600.0)
    components: dict[str, ComponentOut]


class PointOut(Answer):
    """Most viewers at once and the mean bit rate of one step."""

    at: datetime = eg(SOME_TIME)
    viewers: int = eg(12)
    bitrate_kbps: int = eg(1250)


class HistoryOut(Answer):
    """Steps, oldest first."""

    points: list[PointOut]


class EventOut(Answer):
    """Something that happened; what `body` holds depends on `kind`."""

    id: int = eg(1)
    kind: str = eg("stream_started")
    at: datetime = eg(SOME_TIME)
    body: dict[str, Any] = eg({"channel": "demo"})


class LogOut(Answer):
    """Events, newest first."""

    events: list[EventOut]


class MachineOut(Answer):
    """The machine's figures; percentages by folder for disks."""

    cpu_percent: float = eg(12.5)
    cores: int = eg(2)
    memory_used_bytes: int = eg(194000000)
    memory_total_bytes: int = eg(1000000000)
    disk_percent: dict[str, float] = eg({"/": 45.0})
    tmpfs_percent: dict[str, float] = eg({"/dev/shm": 12.0})
