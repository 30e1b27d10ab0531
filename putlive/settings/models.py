"""Every setting with its type, default, limits and help.

The configuration reference, `putlive config` and the daemon are all made from these models. Values
that contradict each other are refused here, so that no code has to think of them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from putlive.settings.ladder import LADDER, Quality
from putlive.settings.quantities import TIME
from putlive.settings.values import (
    Address,
    Bytes,
    FilePath,
    HostName,
    Network,
    Origin,
    Port,
    Seconds,
    Section,
    Whole,
)

SEGMENTS_TO_START = 3  # players begin three segments from the end (RFC 8216, 6.3.3)


def contradiction(text: str, *names: str) -> PydanticCustomError:
    """Values that are right alone and wrong together: the settings' names, the first first."""
    return PydanticCustomError("contradiction", "{text}", {"text": text, "names": names})


class Server(Section):
    """Where people reach the station."""

    domain: HostName = Field(
        default="", description="Public host name; empty: the address people used."
    )
    bind: Address = Field(
        default="127.0.0.1", description="Address the web pages and RTMP listen on."
    )
    http_port: Port = Field(default=8000, description="Port of pages, API and HLS.")


class Hls(Section):
    """How the stream is cut for players."""

    segment_duration: Seconds = Field(
        default=2.0, ge=1, le=10, description="Length of one segment."
    )
    playlist_window: Seconds = Field(
        default=12.0, ge=3, le=120, description="Length of a playlist, at least three segments."
    )
    tmpfs_path: FilePath = Field(
        default="", description="Folder for segments; empty: chosen by PutLive."
    )
    tmpfs_max_size: Bytes = Field(
        default=500 << 20, ge=32 << 20, le=1 << 40, description="Cap of that folder."
    )

    @model_validator(mode="after")
    def _long_enough(self) -> Hls:
        least = SEGMENTS_TO_START * self.segment_duration
        if self.playlist_window < least:
            raise contradiction(
                f"streaming.hls.playlist_window is {TIME.text(self.playlist_window)}, but has to be"
                f" at least three times streaming.hls.segment_duration, {TIME.text(least)}.",
                "streaming.hls.playlist_window",
                "streaming.hls.segment_duration",
            )
        return self


class Streaming(Section):
    """Ingest and renditions."""

    rtmp_port: Port = Field(default=1935, description="Port encoders publish to.")
    engine: Literal["auto", "srs", "nginx-rtmp"] = Field(
        default="auto", description="Media engine; auto takes SRS where it is found."
    )
    srs_binary: FilePath = Field(
        default="", description="Path of SRS; empty: PUTLIVE_SRS or /usr/local/srs."
    )
    max_concurrent_streams: Whole = Field(
        default=3, ge=1, le=100, description="Live inputs at once."
    )
    max_viewers: Whole = Field(
        default=0, ge=0, le=1_000_000, description="Viewers per channel before 503; 0: no limit."
    )
    kick_duration: Seconds = Field(
        default=60.0, ge=0, le=604800, description="How long a kicked input stays out."
    )
    stall_timeout: Seconds = Field(
        default=3.0, ge=1, le=60, description="No bytes for this long: stalled."
    )
    qualities: tuple[Quality, ...] = Field(
        default=LADDER, max_length=8, description="The ladder below the source."
    )
    hls: Hls = Hls()

    @field_validator("qualities")
    @classmethod
    def _distinct(cls, value: tuple[Quality, ...]) -> tuple[Quality, ...]:
        names = [quality.name for quality in value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise contradiction(
                f'Two qualities are called "{twice}", but each has to have a name of its own.',
                "streaming.qualities",
            )
        return value


class Authentication(Section):
    """Login of people and API clients."""

    token_expiry: Seconds = Field(default=86400.0, ge=60, le=604800, description="Life of a token.")
    session_expiry: Seconds = Field(
        default=2592000.0,
        ge=3600,
        le=31536000,
        description="Life of a login, at least that of a token.",
    )
    login_attempts: Whole = Field(
        default=5, ge=1, le=100, description="Wrong passwords before a wait."
    )
    login_wait: Seconds = Field(default=60.0, ge=1, le=86400, description="The wait after them.")

    @model_validator(mode="after")
    def _outlives_its_tokens(self) -> Authentication:
        if self.session_expiry < self.token_expiry:
            raise contradiction(
                f"authentication.session_expiry is {TIME.text(self.session_expiry)}, but has to be"
                f" at least authentication.token_expiry, {TIME.text(self.token_expiry)}.",
                "authentication.session_expiry",
                "authentication.token_expiry",
            )
        return self


class Cors(Section):
    """Which other sites' pages may call the API."""

    allowed_origins: tuple[Origin, ...] = Field(
        default=(), max_length=100, description="Origins such as `https://example.org`."
    )


class RateLimit(Section):
    """Requests per client address that nginx lets through to pages and API."""

    requests_per_minute: Whole = Field(
        default=100, ge=1, le=1_000_000, description="Requests per minute."
    )
    burst: Whole = Field(default=20, ge=0, le=1_000_000, description="Requests above that at once.")


class Security(Section):
    """Limits and lists."""

    cors: Cors = Cors()
    rate_limit: RateLimit = RateLimit()


class Monitoring(Section):
    """Who may read the metrics."""

    metrics_networks: tuple[Network, ...] = Field(
        default=("127.0.0.0/8", "::1/128"),
        max_length=100,
        description="Networks that may read /metrics without a token.",
    )


class Settings(Section):
    """The whole file."""

    server: Server = Server()
    streaming: Streaming = Streaming()
    authentication: Authentication = Authentication()
    security: Security = Security()
    monitoring: Monitoring = Monitoring()

    @model_validator(mode="after")
    def _ports_of_their_own(self) -> Settings:
        if self.server.http_port == self.streaming.rtmp_port:
            raise contradiction(
                f"server.http_port and streaming.rtmp_port are both {self.server.http_port}, but"
                " each has to have a port of its own.",
                "server.http_port",
                "streaming.rtmp_port",
            )
        return self
