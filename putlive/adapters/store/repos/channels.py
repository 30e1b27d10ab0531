"""Channels, and which of their renditions were switched by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from putlive.adapters.store.repos.columns import Run
from putlive.domain.streams import Channel
from putlive.errors import AlreadyExists, NotFound


class SqliteChannels:
    """`ChannelRepo`; channels come in the order they were added."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def all(self) -> Sequence[Channel]:
        rows = await self._run(
            "select id, name, title, enabled, max_viewers from channels order by id"
        )
        return [Channel(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows]

    async def add(self, name: str, title: str) -> Channel:
        rows = await self._run(
            "insert into channels (name, title) values (?, ?)"
            " on conflict (name) do nothing returning id",
            name,
            title,
        )
        if not rows:
            raise AlreadyExists(f"There is a channel called {name} already.")
        return Channel(rows[0][0], name, title)

    async def save(self, channel: Channel) -> None:
        rows = await self._run(
            "update channels set title = ?, enabled = ?, max_viewers = ? where id = ? returning id",
            channel.title,
            channel.enabled,
            channel.max_viewers,
            channel.id,
        )
        if not rows:
            raise NotFound(f"There is no channel number {channel.id}.")

    async def renditions(self) -> Mapping[str, Mapping[str, bool]]:
        found: dict[str, dict[str, bool]] = {}
        for channel, name, enabled in await self._run(
            "select c.name, r.name, r.enabled from channel_renditions r"
            " join channels c on c.id = r.channel_id order by c.id, r.name"
        ):
            found.setdefault(channel, {})[name] = bool(enabled)
        return found

    async def set_rendition(self, channel: str, rendition: str, enabled: bool) -> None:
        rows = await self._run(
            "insert into channel_renditions (channel_id, name, enabled)"
            " select id, ?, ? from channels where name = ?"
            " on conflict (channel_id, name) do update set enabled = excluded.enabled"
            " returning channel_id",
            rendition,
            enabled,
            channel,
        )
        if not rows:
            raise NotFound(f"There is no channel called {channel}.")
