"""Channels: kept in memory, stored before they count; stopping one cuts its input."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from putlive.domain.streams import NAME_RULE, Channel, is_channel_name
from putlive.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from putlive.ports import ChannelRepo

MAX_CHANNELS = 50

Cut = Callable[[str], Awaitable[None]]  # ends the running publish on a channel


class ChannelService:
    """Lists, creates, starts and stops channels (ST8)."""

    def __init__(self, repo: ChannelRepo) -> None:
        self._repo = repo
        self._channels: dict[str, Channel] = {}
        self._cut: Cut = _nothing

    async def load(self) -> None:
        """Read every channel; called once at start."""
        self._channels = {c.name: c for c in await self._repo.all()}

    def on_stop(self, cut: Cut) -> None:
        """Call `cut` whenever a channel is stopped."""
        self._cut = cut

    def all(self) -> Sequence[Channel]:
        """Every channel, in the order in which they were made."""
        return sorted(self._channels.values(), key=lambda c: c.id)

    def find(self, name: str) -> Channel | None:
        """One channel, or None."""
        return self._channels.get(name)

    def get(self, name: str) -> Channel:
        """One channel, or `NotFound`."""
        channel = self._channels.get(name)
        if channel is None:
            raise NotFound(f"There is no channel {name!r}."[:120], hint="List the channels.")
        return channel

    async def create(self, name: str, title: str) -> Channel:
        """Make a channel; raises `InvalidInput`, `AlreadyExists` or `Conflict`."""
        if not is_channel_name(name):
            raise InvalidInput("That is not a channel name.", fields={"name": f"Use {NAME_RULE}."})
        if name in self._channels:
            raise AlreadyExists(f"There is a channel {name} already.", hint="Take another name.")
        if len(self._channels) >= MAX_CHANNELS:
            raise Conflict(f"A station has at most {MAX_CHANNELS} channels.")
        channel = await self._repo.add(name, title or name)
        self._channels[name] = channel
        return channel

    async def set_enabled(self, name: str, enabled: bool) -> Channel:
        """Start or stop a channel by hand; a stop cuts the input that is live on it."""
        channel = replace(self.get(name), enabled=enabled)
        await self._repo.save(channel)
        self._channels[name] = channel
        if not enabled:
            await self._cut(name)
        return channel


async def _nothing(_: str) -> None:
    pass
