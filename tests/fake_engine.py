"""A media engine in memory, which calls its hooks as the real ones do."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from putlive.domain.media import EngineHealth, Publisher
from putlive.domain.streams import Allow, Deny, PublishRequest
from putlive.errors import EngineDown

OnPublish = Callable[[PublishRequest], Awaitable["Allow | Deny"]]
OnUnpublish = Callable[[str, str], Awaitable[None]]
CHUNK = 1000  # bytes that have arrived from each sending client between two looks


@dataclass(eq=False)
class FakeClient:
    """A connection to the engine. It publishes when `live`, and never again once `gone`."""

    app: str
    name: str
    client_id: str
    address: str
    live: bool = False
    gone: bool = False
    sending: bool = True
    bytes_in: int = 0
    video_codec: str = "H264"
    audio_codec: str = "AAC"
    width: int = 854
    height: int = 480


class FakeEngine:
    """Lists, kicks and restarts; `kicked` remembers client ids. Set `up` to False to be down."""

    name = "fake"
    needs_keeper = True
    joins_at_last_keyframe = True
    client_ids_return = False

    def __init__(self) -> None:
        self.up = True
        self.kicked: list[str] = []
        self.clients: list[FakeClient] = []
        self._ids = itertools.count(1)
        self._starts = 1
        self._tasks: set[asyncio.Task[None]] = set()
        self.no_hooks()

    def hooks(
        self, on_publish: OnPublish, on_unpublish: OnUnpublish, limit_seconds: float | None = None
    ) -> None:
        """Ask these from now on; without an answer within the limit the publish is refused."""
        self._on_publish, self._on_unpublish, self._limit = on_publish, on_unpublish, limit_seconds

    def no_hooks(self) -> None:
        """Nobody answers hooks any more: every publish is refused, those that run go on."""
        self.hooks(_nobody_asked, _nobody_told)

    async def health(self) -> EngineHealth:
        self._look()
        return EngineHealth(self.name, "1.0", 4000 + self._starts, f"start-{self._starts}")

    async def publishers(self) -> Sequence[Publisher]:
        self._look()
        for client in self.clients:
            client.bytes_in += CHUNK if client.live and client.sending else 0
        return [_publisher(client) for client in self.clients if client.live]

    async def kick(self, publisher: Publisher) -> bool:
        self._look()
        for client in self.clients:
            if client.live and client.client_id == publisher.client_id:
                self.kicked.append(client.client_id)
                await self.disconnect(client)
                return True
        return False

    def play_url(self, channel: str) -> str:
        return f"rtmp://fake/live/{channel}"

    async def connect(
        self, channel: str, secret: str, *, app: str = "live", address: str = "192.0.2.7"
    ) -> FakeClient:
        """An encoder connects and asks to publish; the client is `live` or `gone` afterwards."""
        client = self._client(app, channel, address)
        await self._ask(client, secret)
        return client

    def dial(
        self, channel: str, secret: str, *, app: str = "live", address: str = "192.0.2.7"
    ) -> FakeClient:
        """Like `connect`, without waiting for the hook."""
        client = self._client(app, channel, address)
        task = asyncio.create_task(self._ask(client, secret))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return client

    async def disconnect(self, client: FakeClient) -> None:
        """The connection ends, and the hook tells so."""
        was_live = client.live
        self.vanish(client)
        if was_live:
            await self._on_unpublish(client.name, client.client_id)

    def vanish(self, client: FakeClient) -> None:
        """The connection ends and no hook tells so."""
        client.live, client.gone = False, True
        if client in self.clients:
            self.clients.remove(client)

    async def hang_up_all(self) -> None:
        for client in list(self.clients):
            await self.disconnect(client)

    def die(self) -> None:
        """Killed: every connection is lost without a word, and nothing answers."""
        self.up = False
        for client in list(self.clients):
            self.vanish(client)

    def start(self) -> None:
        """Started anew: an empty list and another incarnation."""
        self.die()
        self.up = True
        self._starts += 1

    def _client(self, app: str, name: str, address: str) -> FakeClient:
        client = FakeClient(app, name, f"c{next(self._ids)}", address)
        self.clients.append(client)
        return client

    async def _ask(self, client: FakeClient, secret: str) -> None:
        request = PublishRequest(
            self.name, client.app, client.name, client.client_id, client.address, secret
        )
        try:
            answer = await asyncio.wait_for(self._on_publish(request), self._limit)
        except Exception:  # whatever goes wrong there, the engine takes it for a no
            answer = None
        if client.gone:
            return
        if not isinstance(answer, Allow) or self._busy(client):
            self.vanish(client)
        else:
            client.live = True

    def _busy(self, client: FakeClient) -> bool:
        return any(c.live and (c.app, c.name) == (client.app, client.name) for c in self.clients)

    def _look(self) -> None:
        if not self.up:
            raise EngineDown("The fake engine is down.")


def _publisher(client: FakeClient) -> Publisher:
    return Publisher(
        client.app,
        client.name,
        client.client_id,
        client.address,
        client.bytes_in,
        client.video_codec,
        client.audio_codec,
        client.width,
        client.height,
    )


async def _nobody_asked(request: PublishRequest) -> Allow | Deny:
    raise ConnectionRefusedError


async def _nobody_told(name: str, client_id: str) -> None:
    return None
