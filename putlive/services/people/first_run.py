"""What a station needs before anybody can use it: a channel, an administrator, a stream key."""

from __future__ import annotations

from dataclasses import dataclass, field

from putlive.domain.access import Role, User
from putlive.domain.keys import StreamKey
from putlive.ports import Clock
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.keys import KeyService
from putlive.services.people.accounts import AccountService

LABEL = "First key"


@dataclass(frozen=True)
class FirstRun:
    """What the owner is shown. The password is there only while nobody has chosen another one."""

    admin_user: str
    admin_password: str | None = field(repr=False)
    channel: str
    stream_key: str = field(repr=False)


async def make_usable(
    channel: str,
    accounts: AccountService,
    channels: ChannelService,
    keys: KeyService,
    clock: Clock,
) -> FirstRun:
    """Make what is missing; every part that is there already is left as it is."""
    if channels.find(channel) is None:
        await channels.create(channel, channel.capitalize())
    password = await _one_time_password(accounts)
    admin = _admin(accounts)
    key = _good_key(keys, channel, clock) or await keys.create(admin.id, channel, LABEL, None)
    return FirstRun(admin.name, password, channel, f"{channel}?key={keys.text(key)}")


async def _one_time_password(accounts: AccountService) -> str | None:
    """A fresh one for as long as the first one was never replaced: it is kept as a hash only."""
    password = await accounts.ensure_admin()
    users = accounts.users.all()
    if password is None and len(users) == 1 and users[0].must_change_password:
        return (await accounts.users.change(users[0].id, reset_password=True))[1]
    return password


def _admin(accounts: AccountService) -> User:
    return next(u for u in accounts.users.all() if u.role is Role.ADMIN and u.active)


def _good_key(keys: KeyService, channel: str, clock: Clock) -> StreamKey | None:
    now = clock.now()
    return next(
        (
            k
            for k in keys.all()
            if k.channel == channel
            and k.revoked_at is None
            and (k.expires_at is None or k.expires_at > now)
        ),
        None,
    )
