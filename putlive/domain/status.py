"""What a channel looks like to people: its numbers, and one sentence on why it is as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from putlive.domain.streams import REASONS, Channel, DenyReason


class OnAir(str, Enum):
    """The state of a channel; the words are stable (API, metrics, screen)."""

    LIVE = "live"
    STARTING = "starting"  # an input was let in, players get nothing yet
    STALLED = "stalled"  # connected, but nothing arrives
    OFF_AIR = "off_air"
    STOPPED = "stopped"
    ENGINE_DOWN = "engine_down"


@dataclass(frozen=True)
class RenditionStatus:
    """One rendition of a channel. `state`: off, waiting, starting, live, failed or too_small."""

    name: str
    enabled: bool
    state: str
    reason: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    bitrate_kbps: int = 0
    codecs: str = ""


@dataclass(frozen=True)
class ViewerStats:
    """Viewers of one channel since its stream began (`now` and `peak`: persons at once)."""

    now: int = 0
    peak: int = 0
    unique: int = 0
    watch_seconds: float = 0.0
    bytes_out: int = 0


@dataclass(frozen=True)
class Refusal:
    """The last input that was refused or cut on a channel."""

    reason: DenyReason
    address: str
    at: datetime


@dataclass(frozen=True)
class Input:
    """The live input of a channel, with what was measured of it."""

    client_id: str
    key_id: str
    address: str
    since: datetime
    bitrate_kbps: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    codecs: str = ""
    stalled: bool = False


@dataclass(frozen=True)
class ChannelStatus:
    """Everything a dashboard shows of one channel."""

    channel: Channel
    state: OnAir
    sentence: str
    advice: str
    input: Input | None
    uptime_seconds: float
    viewers: ViewerStats
    renditions: Sequence[RenditionStatus]
    refusal: Refusal | None


@dataclass(frozen=True)
class Verdict:
    """Whether a channel is on air, in one sentence, and what to do about it."""

    state: OnAir
    sentence: str
    advice: str = ""


def verdict(
    channel: Channel,
    now: datetime,
    input: Input | None,
    *,
    playing: bool,
    engine_up: bool,
    refusal: Refusal | None,
) -> Verdict:
    """Say how the channel is; `playing` means that a player gets fresh segments now."""
    if not engine_up:
        return Verdict(
            OnAir.ENGINE_DOWN,
            "Off air: the media engine does not answer.",
            "PutLive is restarting it. If this lasts over a minute, look at the log.",
        )
    if not channel.enabled:
        return Verdict(OnAir.STOPPED, "Off air: the channel was stopped by hand.", "Press Start.")
    if input is None:
        return _nobody(refusal, now)
    return _somebody(input, now, playing)


def _nobody(refusal: Refusal | None, now: datetime) -> Verdict:
    if refusal is not None and (now - refusal.at).total_seconds() < 600:
        ago = span((now - refusal.at).total_seconds())
        return Verdict(
            OnAir.OFF_AIR,
            f"Off air: an input from {refusal.address} was refused {ago} ago.",
            REASONS[refusal.reason],
        )
    return Verdict(
        OnAir.OFF_AIR,
        "Off air: no input is connected.",
        "Start streaming in OBS with this channel's server and stream key.",
    )


def _somebody(input: Input, now: datetime, playing: bool) -> Verdict:
    lasted = span((now - input.since).total_seconds())
    if input.stalled:
        return Verdict(
            OnAir.STALLED,
            f"Off air: {input.address} is connected, but nothing arrives from it.",
            "Look at the encoder and its network.",
        )
    if not playing:
        return Verdict(
            OnAir.STARTING,
            f"Going on air: {input.address} connected {lasted} ago; the picture is on its way.",
            "This takes as long as one keyframe interval and one segment, some seconds.",
        )
    rate = f" at {input.bitrate_kbps} kbit/s" if input.bitrate_kbps else ""
    return Verdict(OnAir.LIVE, f"On air: live from {input.address} for {lasted}{rate}.")


def span(seconds: float) -> str:
    """A length of time in the two largest units people use, e.g. `2 h 5 min`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
