"""Who is one viewer: what an HLS request tells about the person behind it (ST6)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from putlive.domain.streams import is_channel_name

# What nginx mints for a player that brings no id: `n` and its $request_id (32 hex digits).
_MINTED = re.compile(r"n[0-9a-f]{32}\Z")
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
_MULTIVARIANT = re.compile(r"/live/([^/]+)\.m3u8\Z")
_PLAYLIST = re.compile(r"/live/([a-z0-9]{1,16})/([^/]+)\.m3u8\Z")
_SEGMENT = re.compile(r"/live/([a-z0-9]{1,16})/([^/]+)-[0-9]{1,24}\.ts\Z")
_SERVED = frozenset({200, 206, 304})
ANONYMOUS = "@"  # begins the id of a viewer that has none but its address and user agent
AGENT_LENGTH = 200  # of a user agent that is kept and compared


class RequestKind(str, Enum):
    """What was asked for."""

    MULTIVARIANT = "multivariant"
    PLAYLIST = "playlist"
    SEGMENT = "segment"


@dataclass(frozen=True)
class HlsRequest:
    """One request for media, as nginx logged it. `sid` is empty when the player sent none."""

    at: datetime
    address: str
    agent: str
    channel: str
    rendition: str  # empty for a multivariant playlist
    sid: str
    kind: RequestKind
    status: int
    bytes: int

    @property
    def served(self) -> bool:
        """Whether the player got what it asked for; refusals and errors are not watching."""
        return self.status in _SERVED

    @property
    def origin(self) -> Origin:
        """Where it came from: all that is known of a player without a session id."""
        return Origin(self.address, self.agent)

    @property
    def viewer_id(self) -> str:
        """The session id, else one made of address and user agent."""
        return self.sid or f"{ANONYMOUS}{self.address} {self.agent}"


@dataclass(frozen=True)
class Origin:
    """An address and a user agent."""

    address: str
    agent: str


@dataclass(frozen=True)
class Target:
    """What a path under /live/ names."""

    kind: RequestKind
    channel: str
    rendition: str


def target(path: str) -> Target | None:
    """What `path` names, or None when it is no media of any channel."""
    if found := _MULTIVARIANT.match(path):
        return _named(RequestKind.MULTIVARIANT, found.group(1), "")
    if found := _PLAYLIST.match(path):
        return _named(RequestKind.PLAYLIST, found.group(2), found.group(1))
    if found := _SEGMENT.match(path):
        return _named(RequestKind.SEGMENT, found.group(2), found.group(1))
    return None


def _named(kind: RequestKind, channel: str, rendition: str) -> Target | None:
    return Target(kind, channel, rendition) if is_channel_name(channel) else None


def session_id(text: str) -> str:
    """`text` when it may be a session id, else nothing: the same rule as in the front."""
    return text if _SESSION_ID.match(text) else ""


def is_minted(sid: str) -> bool:
    """Whether the front made this id up, so that it lasts only as long as one visit."""
    return bool(_MINTED.match(sid))


def period_seconds(target_seconds: float) -> float:
    """After how long a playing player must have asked for its playlist again.

    A player reloads after a target duration (RFC 8216 section 6.3.4); half as much again and a
    second are for the network and for a segment that came late.
    """
    return 1.5 * target_seconds + 1.0


def expiry_seconds(target_seconds: float) -> float:
    """How long a viewer counts after the last request: three target durations and some."""
    return 3.0 * target_seconds + 2.0


@dataclass(frozen=True)
class Viewer:
    """One person watching. `born` and `seen` are monotonic seconds, the others for people."""

    id: str
    origin: Origin
    rendition: str
    since: datetime
    born: float
    seen: float
    requests: int
    bytes: int
    counted: bool  # False: so far it may be a robot that looked once

    @property
    def minted(self) -> bool:
        """Whether the id lasts only for one visit."""
        return is_minted(self.id)

    @property
    def watch_seconds(self) -> float:
        """From the first request to the last."""
        return self.seen - self.born if self.counted else 0.0

    @property
    def person(self) -> Origin | str:
        """By what this person is known again after having been away."""
        return self.origin if self.minted or self.id.startswith(ANONYMOUS) else self.id


def newcomer(id: str, request: HlsRequest, now: float) -> Viewer:
    """The viewer a first request makes; a segment alone proves that somebody plays."""
    return Viewer(
        id=id,
        origin=request.origin,
        rendition=request.rendition,
        since=request.at,
        born=now,
        seen=now,
        requests=1,
        bytes=request.bytes,
        counted=request.kind is RequestKind.SEGMENT,
    )


def went_on(viewer: Viewer, request: HlsRequest, now: float) -> Viewer:
    """The viewer after another request; it counts unless it only asked what there is."""
    return replace(
        viewer,
        origin=request.origin,
        rendition=request.rendition or viewer.rendition,
        seen=now,
        requests=viewer.requests + 1,
        bytes=viewer.bytes + request.bytes,
        counted=viewer.counted or bool(request.rendition or viewer.rendition),
    )


def came_back(before: Viewer, after: Viewer) -> Viewer:
    """One viewer out of two visits of the same person: the new id, the old beginning."""
    return replace(
        after,
        since=before.since,
        born=before.born,
        requests=before.requests + after.requests,
        bytes=before.bytes + after.bytes,
        counted=before.counted or after.counted,
    )


def is_away(viewer: Viewer, now: float, target_seconds: float) -> bool:
    """Whether a playlist period passed without a sign: a new visit from there is this person."""
    return now - viewer.seen > period_seconds(target_seconds)


def is_gone(viewer: Viewer, now: float, target_seconds: float) -> bool:
    """Whether the viewer counts no more."""
    return now - viewer.seen > expiry_seconds(target_seconds)
