"""How domain objects become the bodies of answers."""

from __future__ import annotations

from datetime import datetime

from putlive.api.context import Context
from putlive.api.models_accounts import LoginOut, UserOut
from putlive.api.models_channels import (
    ChannelOut,
    InputOut,
    KeyOut,
    RefusalOut,
    RenditionOut,
    StreamOut,
    ViewersOut,
)
from putlive.api.models_station import (
    ComponentOut,
    HealthDetailOut,
    PublicOut,
)
from putlive.domain.access import User, may
from putlive.domain.health import StationHealth
from putlive.domain.keys import StreamKey
from putlive.domain.status import ChannelStatus, Input, OnAir, Refusal
from putlive.domain.streams import REASONS
from putlive.services.people.sessions import Identity, Login

# The dashboard's sentence names addresses; this is for everybody.
_PUBLIC_SENTENCES = {
    OnAir.LIVE: "On air.",
    OnAir.STARTING: "Going on air: the first picture is on its way.",
    OnAir.STALLED: "Interrupted: the picture should be back soon.",
    OnAir.ENGINE_DOWN: "Off air: the station has a technical problem and works on it.",
}


def user_out(user: User, one_time_password: str | None = None) -> UserOut:
    """A user without any secret but a one-time password just made."""
    return UserOut(
        id=user.id,
        username=user.name,
        role=user.role,
        active=user.active,
        must_change_password=user.must_change_password,
        created_at=user.created_at,
        one_time_password=one_time_password,
    )


def login_out(login: Login) -> LoginOut:
    """The tokens of a login."""
    return LoginOut(
        token=login.token,
        expires_in=login.token_seconds,
        refresh_token=login.refresh_token,
        csrf_token=login.csrf_token,
        user=user_out(login.identity.user),
    )


def hls_url(channel: str) -> str:
    """Where players find a channel's multivariant playlist."""
    return f"/live/{channel}.m3u8"


def channel_out(status: ChannelStatus) -> ChannelOut:
    """A channel as the dashboard shows it."""
    return ChannelOut(
        name=status.channel.name,
        title=status.channel.title,
        enabled=status.channel.enabled,
        state=status.state.value,
        sentence=status.sentence,
        advice=status.advice,
        uptime_seconds=status.uptime_seconds,
        hls_url=hls_url(status.channel.name),
        input=InputOut.model_validate(status.input) if status.input else None,
        viewers=ViewersOut.model_validate(status.viewers),
        renditions=[RenditionOut.model_validate(r) for r in status.renditions],
        refusal=_refusal(status.refusal),
    )


def _refusal(refusal: Refusal | None) -> RefusalOut | None:
    if refusal is None:
        return None
    return RefusalOut(
        reason=refusal.reason.value,
        sentence=REASONS[refusal.reason],
        address=refusal.address,
        at=refusal.at,
    )


def stream_out(status: ChannelStatus) -> StreamOut:
    """A channel's stream in few numbers."""
    source = status.input
    quality, resolution = _picture(source)
    return StreamOut(
        active=status.state is OnAir.LIVE,
        stream_name=status.channel.name,
        quality=quality,
        bitrate_kbps=source.bitrate_kbps if source else 0,
        fps=source.fps if source else 0.0,
        resolution=resolution,
        viewers=status.viewers.now,
        uptime_seconds=int(status.uptime_seconds),
        bytes_sent=status.viewers.bytes_out,
        state=status.state.value,
        sentence=status.sentence,
        advice=status.advice,
    )


def _picture(source: Input | None) -> tuple[str | None, str | None]:
    if source is None or not source.height:
        return None, None
    return f"{source.height}p", f"{source.width}x{source.height}"


def public_out(status: ChannelStatus) -> PublicOut:
    """A channel as anybody may know it."""
    on_air = status.state is OnAir.LIVE
    started: datetime | None = status.input.since if on_air and status.input else None
    return PublicOut(
        name=status.channel.name,
        title=status.channel.title,
        on_air=on_air,
        state=status.state.value,
        sentence=_PUBLIC_SENTENCES.get(status.state, "Off air."),
        viewers=status.viewers.now,
        uptime_seconds=status.uptime_seconds if on_air else 0.0,
        hls_url=hls_url(status.channel.name),
        started_at=started,
    )


def key_out(context: Context, key: StreamKey, who: Identity) -> KeyOut:
    """A stream key; with its text for those who may publish, while it is not revoked."""
    owner = context.accounts.users.find(key.user_id)
    shown = key.revoked_at is None and may(who.user.role, "publish")
    return KeyOut(
        id=key.id,
        channel=key.channel,
        label=key.label,
        owner=owner.name if owner else "",
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        blocked_until=key.blocked_until,
        last_used_at=key.last_used_at,
        version=key.version,
        stream_key=f"{key.channel}?key={context.keys.text(key)}" if shown else None,
    )


def health_out(health: StationHealth, now: datetime) -> HealthDetailOut:
    """Every component with its figures."""
    return HealthDetailOut(
        status=health.status,
        timestamp=now,
        version=health.version,
        uptime_seconds=health.uptime_seconds,
        components={n: ComponentOut.model_validate(c) for n, c in health.components.items()},
    )
