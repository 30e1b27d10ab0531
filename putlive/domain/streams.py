"""Who may publish on which channel: the whole decision, without looking anything up."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Union

from putlive.domain.access import User, may
from putlive.domain.keys import StreamKey

PUBLISH_APP = "live"

# Names end up in file paths and URLs (SRS writes outside its folder for `../`; measured on
# 6.0.157), so this is an allow-list and not a list of bad characters.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?\Z")
NAME_RULE = "1 to 40 of a-z, 0-9, '-' and '_', starting and ending with a letter or digit"


def is_channel_name(name: str) -> bool:
    """Whether `name` may be a channel's name (`NAME_RULE`)."""
    return bool(_NAME.match(name))


@dataclass(frozen=True)
class Channel:
    """What viewers watch. `enabled` is the owner's wish: off means stopped by hand."""

    id: int
    name: str
    title: str
    enabled: bool = True
    max_viewers: int = 0  # 0: no limit


@dataclass(frozen=True)
class PublishRequest:
    """A client asks the engine to publish; `secret` is what it put after `?key=`."""

    engine: str
    app: str
    name: str
    client_id: str
    address: str
    secret: str = field(repr=False)


class DenyReason(str, Enum):
    """Why an input was refused or cut; the words are stable (log, metrics, fail2ban)."""

    BAD_APP = "bad_app"
    BAD_NAME = "bad_name"
    NO_KEY = "no_key"
    UNKNOWN_KEY = "unknown_key"
    REVOKED = "revoked"
    EXPIRED = "expired"
    KICKED = "kicked"
    USER_DISABLED = "user_disabled"
    NOT_ALLOWED = "not_allowed"
    WRONG_CHANNEL = "wrong_channel"
    CHANNEL_STOPPED = "channel_stopped"
    REPLAYED = "replayed"
    BUSY = "busy"
    LIMIT = "limit"
    CODEC = "codec"
    NO_VIDEO = "no_video"
    BROKEN = "broken"
    INTERNAL = "internal"


REASONS: dict[DenyReason, str] = {
    DenyReason.BAD_APP: "The server address has to end in /live.",
    DenyReason.BAD_NAME: f"That is not a channel name ({NAME_RULE}).",
    DenyReason.NO_KEY: "The stream key has no secret: it has to look like NAME?key=SECRET.",
    DenyReason.UNKNOWN_KEY: "The stream key is not one of this station's. Copy it again.",
    DenyReason.REVOKED: "This stream key was revoked. Create or copy another one.",
    DenyReason.EXPIRED: "This stream key has expired. Create another one.",
    DenyReason.KICKED: "This input was kicked and has to wait, or gets in with a rotated key.",
    DenyReason.USER_DISABLED: "The owner of this stream key is disabled.",
    DenyReason.NOT_ALLOWED: "The owner of this stream key may not publish.",
    DenyReason.WRONG_CHANNEL: "This stream key belongs to another channel.",
    DenyReason.CHANNEL_STOPPED: "The channel is stopped. Start it on the dashboard.",
    DenyReason.REPLAYED: "This connection had already ended.",
    DenyReason.BUSY: "Another input is live on this channel.",
    DenyReason.LIMIT: "As many inputs are live as this station allows.",
    DenyReason.CODEC: "Only H.264 video with AAC sound is accepted. Change the encoder's output.",
    DenyReason.NO_VIDEO: "The input carries no video.",
    DenyReason.BROKEN: "The input was live but gave players nothing; it was cut to reconnect.",
    DenyReason.INTERNAL: "PutLive could not decide. Look at the log.",
}


@dataclass(frozen=True)
class Claim:
    """An input that was let in; `confirmed` once the engine itself lists it."""

    channel: str
    client_id: str
    key_id: str
    address: str
    since: datetime
    confirmed: bool = False
    stalled: bool = False


@dataclass(frozen=True)
class PublishFacts:
    """All a decision needs to know, looked up beforehand."""

    now: datetime
    channel: Channel | None
    key: StreamKey | None  # the key whose signature matched, else None
    user: User | None
    current: Claim | None
    live_inputs: int
    max_inputs: int
    ended: bool = False  # this client id has published before and is gone


@dataclass(frozen=True)
class Allow:
    """Let it in."""


@dataclass(frozen=True)
class TakeOver:
    """Let it in after the stalled input `client_id` has been cut."""

    client_id: str


@dataclass(frozen=True)
class Deny:
    """Refuse it."""

    reason: DenyReason


Decision = Union[Allow, TakeOver, Deny]


def decide_publish(request: PublishRequest, facts: PublishFacts) -> Decision:
    """Decide on `request` (ST2): names, key, user, channel, then who else is live."""
    reason = _address(request) or _key(request, facts) or _channel(facts)
    return Deny(reason) if reason else _place(request, facts)


def _address(request: PublishRequest) -> DenyReason | None:
    if request.app != PUBLISH_APP:
        return DenyReason.BAD_APP
    return None if is_channel_name(request.name) else DenyReason.BAD_NAME


def _key(request: PublishRequest, facts: PublishFacts) -> DenyReason | None:
    key = facts.key
    if not request.secret:
        return DenyReason.NO_KEY
    if key is None:
        return DenyReason.UNKNOWN_KEY
    if key.revoked_at is not None:
        return DenyReason.REVOKED
    if key.expires_at is not None and key.expires_at <= facts.now:
        return DenyReason.EXPIRED
    return _user(facts.user) or _aim(request, key, facts.now)


def _user(user: User | None) -> DenyReason | None:
    if user is None or not user.active:
        return DenyReason.USER_DISABLED
    return None if may(user.role, "publish") else DenyReason.NOT_ALLOWED


def _aim(request: PublishRequest, key: StreamKey, now: datetime) -> DenyReason | None:
    if key.channel != request.name:
        return DenyReason.WRONG_CHANNEL
    if key.blocked_until is not None and key.blocked_until > now:
        return DenyReason.KICKED
    return None


def _channel(facts: PublishFacts) -> DenyReason | None:
    if facts.channel is None:
        return DenyReason.WRONG_CHANNEL
    if not facts.channel.enabled:
        return DenyReason.CHANNEL_STOPPED
    return DenyReason.REPLAYED if facts.ended else None


def _place(request: PublishRequest, facts: PublishFacts) -> Decision:
    current = facts.current
    if current is not None and current.client_id == request.client_id:
        return Allow()  # the same hook again
    if current is not None:
        return TakeOver(current.client_id) if current.stalled else Deny(DenyReason.BUSY)
    return Deny(DenyReason.LIMIT) if facts.live_inputs >= facts.max_inputs else Allow()
