"""Bodies about channels, their inputs, renditions, viewers and stream keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, Field, StrictBool

from putlive.api.models import SOME_TIME, Answer, Sent, eg

NAME_PATTERN = "^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$"  # domain.streams.NAME_RULE
Named = Annotated[str, Query(max_length=40, description="Name of a channel.", examples=["demo"])]


class InputOut(Answer):
    """The live input of a channel, as measured."""

    client_id: str = eg("4tmz71u0")
    key_id: str = eg("abcd1234")
    address: str = eg("203.0.113.7")
    since: datetime = eg(SOME_TIME)
    bitrate_kbps: int = eg(1250)
    fps: float = eg(30.0)
    width: int = eg(854)
    height: int = eg(480)
    codecs: str = eg("avc1.64001e,mp4a.40.2")
    stalled: bool = eg(False)


class ViewersOut(Answer):
    """Viewers since the stream began."""

    now: int = eg(12)
    peak: int = eg(20)
    unique: int = eg(31)
    watch_seconds: float = eg(5400.0)
    bytes_out: int = eg(456789012)


class RenditionOut(Answer):
    """One rendition; `state` is off, waiting, starting, live, failed or too_small."""

    name: str = eg("480p")
    enabled: bool = eg(True)
    state: str = eg("live")
    reason: str = eg("")
    width: int = eg(854)
    height: int = eg(480)
    fps: float = eg(30.0)
    bitrate_kbps: int = eg(1310)
    codecs: str = eg("avc1.4d401e,mp4a.40.2")


class RefusalOut(Answer):
    """The last input that was refused or cut."""

    reason: str = eg("wrong_channel")
    sentence: str = eg("This stream key belongs to another channel.")
    address: str = eg("203.0.113.9")
    at: datetime = eg(SOME_TIME)


class ChannelOut(Answer):
    """A channel and how it is, with one sentence on why."""

    name: str = eg("demo")
    title: str = eg("Demo")
    enabled: bool = eg(True)
    state: str = eg("live")
    sentence: str = eg("On air: live from 203.0.113.7 for 5 min at 1250 kbit/s.")
    advice: str = eg("")
    uptime_seconds: float = eg(300.0)
    hls_url: str = eg("/live/demo.m3u8")
    input: InputOut | None
    viewers: ViewersOut
    renditions: list[RenditionOut]
    refusal: RefusalOut | None


class ChannelsOut(Answer):
    """Every channel."""

    channels: list[ChannelOut]
    total: int = eg(1)


class ChannelIn(Sent):
    """A new channel."""

    name: str = eg("news", pattern=NAME_PATTERN, max_length=40)
    title: str = Field("", max_length=100, examples=["News"])


class ChannelNamed(Sent):
    """Which channel."""

    channel: str = eg("demo", max_length=40)


class ChannelDone(Answer):
    """What was done, and how the channel is now."""

    message: str = eg("The channel is started.")
    channel: ChannelOut


class Switch(Sent):
    """On or off."""

    enabled: StrictBool = eg(True)


class StreamOut(Answer):
    """One channel's stream in few numbers."""

    active: bool = eg(True)
    stream_name: str = eg("demo")
    quality: str | None = eg("480p")
    bitrate_kbps: int = eg(1250)
    fps: float = eg(30.0)
    resolution: str | None = eg("854x480")
    viewers: int = eg(12)
    uptime_seconds: int = eg(3456)
    bytes_sent: int = eg(456789012)
    state: str = eg("live")
    sentence: str = eg("On air: live from 203.0.113.7 for 57 min at 1250 kbit/s.")
    advice: str = eg("")


class ClientOut(Answer):
    """Somebody connected to the media engine."""

    client_id: str = eg("4tmz71u0")
    kind: str = eg("input")
    address: str = eg("203.0.113.7")
    channel: str = eg("demo")
    since: datetime = eg(SOME_TIME)
    key_id: str = eg("abcd1234")


class ClientsOut(Answer):
    """Every input."""

    clients: list[ClientOut]


class KeyIn(Sent):
    """A new stream key."""

    channel: str = eg("demo", max_length=40)
    label: str = Field("", max_length=100, examples=["Studio 1"])
    expires_at: AwareDatetime | None = Field(None, examples=[None])


class KeyOut(Answer):
    """A stream key; its text only for those who may use it, and while it is good."""

    id: str = eg("abcd1234")
    channel: str = eg("demo")
    label: str = eg("Studio 1")
    owner: str = eg("admin")
    created_at: datetime = eg(SOME_TIME)
    expires_at: datetime | None = eg(None)
    revoked_at: datetime | None = eg(None)
    blocked_until: datetime | None = eg(None)
    last_used_at: datetime | None = eg(None)
    version: int = eg(1)
    stream_key: str | None = eg("demo?key=abcd1234-secret")


class KeysOut(Answer):
    """Every key, newest first."""

    keys: list[KeyOut]


class IngestOut(Answer):
    """The server part of what an encoder is given."""

    rtmp_url: str = eg("rtmp://tv.example.org:1935/live")
