"""Stream keys: kept in memory so that a decision needs no query, stored before they count."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from putlive.domain.keys import StreamKey, is_text_of, key_id_of, key_text
from putlive.errors import Conflict, InvalidInput, NotFound
from putlive.ports import Clock, KeyRepo

MAX_KEYS = 1000
_ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"

Cut = Callable[[str], Awaitable[None]]  # ends a running publish of the key with this id


class KeyService:
    """Creates, shows, rotates, revokes and finds keys (ST2)."""

    def __init__(self, repo: KeyRepo, clock: Clock, station_secret: bytes) -> None:
        self._repo = repo
        self._clock = clock
        self._secret = station_secret
        self._keys: dict[str, StreamKey] = {}
        self._cut: Cut = _nothing

    async def load(self) -> None:
        """Read every key; called once at start."""
        self._keys = {key.id: key for key in await self._repo.all()}

    def on_end(self, cut: Cut) -> None:
        """Call `cut` whenever a key stops being good."""
        self._cut = cut

    def all(self) -> Sequence[StreamKey]:
        """Every key, newest first."""
        return sorted(self._keys.values(), key=lambda k: k.created_at, reverse=True)

    def get(self, id: str) -> StreamKey:
        """One key, or `NotFound`."""
        if id not in self._keys:
            raise NotFound("There is no such stream key.", hint="List the keys to see their ids.")
        return self._keys[id]

    def text(self, key: StreamKey) -> str:
        """What the owner puts after `?key=`."""
        return key_text(key, self._secret)

    def find(self, secret: str) -> StreamKey | None:
        """The key whose signed text this is; None for any other text."""
        key = self._keys.get(key_id_of(secret) or "")
        return key if key is not None and is_text_of(secret, key, self._secret) else None

    async def create(
        self, user_id: int, channel: str, label: str, expires_at: datetime | None
    ) -> StreamKey:
        """Make a key of `user_id` for `channel`; raises `InvalidInput` or `Conflict`."""
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise InvalidInput(
                "The key would already be expired.", fields={"expires_at": "Choose a later time."}
            )
        if len(self._keys) >= MAX_KEYS:
            raise Conflict("There are too many stream keys.", hint="Rotate one instead.")
        key = StreamKey(_new_id(), channel, user_id, label, 1, now, expires_at)
        await self._repo.add(key)
        self._keys[key.id] = key
        return key

    async def rotate(self, id: str) -> StreamKey:
        """Give the key a new text: the old one ends at once, a kick is lifted."""
        key = self.get(id)
        if key.revoked_at is not None:
            raise Conflict("This key is revoked for good.", hint="Create another one.")
        new = await self._save(replace(key, version=key.version + 1, blocked_until=None))
        await self._cut(id)
        return new

    async def revoke(self, id: str) -> StreamKey:
        """End the key for good; revoking twice changes nothing."""
        key = self.get(id)
        if key.revoked_at is None:
            key = await self._save(replace(key, revoked_at=self._clock.now()))
            await self._cut(id)
        return key

    async def block(self, id: str, until: datetime) -> None:
        """Keep the key's inputs out until then (a kick); unknown ids are fine."""
        if id in self._keys:
            await self._save(replace(self._keys[id], blocked_until=until))

    async def used(self, id: str, at: datetime) -> None:
        """Note that an input got in with it; unknown ids are fine."""
        if id in self._keys:
            await self._save(replace(self._keys[id], last_used_at=at))

    async def _save(self, key: StreamKey) -> StreamKey:
        await self._repo.save(key)
        self._keys[key.id] = key
        return key


async def _nothing(_: str) -> None:
    pass


def _new_id() -> str:
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(8))
