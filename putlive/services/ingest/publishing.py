"""Publishing: answers the engine's hooks within milliseconds, and ends inputs that have to go."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from putlive.domain.access import User
from putlive.domain.events import Event, PublishDenied
from putlive.domain.media import Publisher
from putlive.domain.status import Refusal
from putlive.domain.streams import (
    Allow,
    Claim,
    Deny,
    DenyReason,
    PublishFacts,
    PublishRequest,
    TakeOver,
    decide_publish,
    is_channel_name,
)
from putlive.errors import EngineDown, NotFound
from putlive.ports import Clock, MediaEngine
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.inputs import Inputs
from putlive.services.ingest.keys import KeyService
from putlive.services.running.bus import Bus

log = logging.getLogger(__name__)

CUT_SECONDS = 1.0  # a cut publisher was gone after 2 to 7 ms (measured on SRS 6.0.157)
OUTBOX = 256  # refusals kept for the event log while it cannot be written


@dataclass(frozen=True)
class PublishLimits:
    """The settings that matter here."""

    max_inputs: int = 3
    kick_seconds: float = 60.0


class PublishService:
    """Who may publish, and the end of whoever may no longer (ST2, ST8)."""

    def __init__(
        self,
        engine: MediaEngine,
        channels: ChannelService,
        keys: KeyService,
        inputs: Inputs,
        user: Callable[[int], User | None],
        bus: Bus,
        clock: Clock,
        limits: PublishLimits,
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._keys = keys
        self._inputs = inputs
        self._user = user
        self._bus = bus
        self._clock = clock
        self._limits = limits
        self._refusals: dict[str, Refusal] = {}
        self._outbox: deque[Event] = deque(maxlen=OUTBOX)
        self._used: dict[str, datetime] = {}
        self._decisions: dict[str, int] = {}

    def claims(self) -> Mapping[str, Claim]:
        """Who was let in, by channel."""
        return self._inputs.claims()

    def refusal(self, channel: str) -> Refusal | None:
        """The last input that was refused or cut on this channel."""
        return self._refusals.get(channel)

    def decisions(self) -> Mapping[str, int]:
        """How many publishes were decided, by outcome: `allowed` or the reason."""
        return dict(self._decisions)

    async def on_publish(self, request: PublishRequest) -> Allow | Deny:
        """Decide; from memory, but for a takeover, which asks the engine to cut the old input."""
        decision = decide_publish(request, self._facts(request))
        if isinstance(decision, TakeOver):
            decision = await self._take_over(request)
        if isinstance(decision, Deny):
            self._refuse(request, decision.reason)
            return decision
        self._let_in(request)
        return Allow()

    async def on_unpublish(self, name: str, client_id: str) -> None:
        """The engine reports an end. A late one of a former client ends nothing."""
        claim = self._inputs.claim(name)
        if claim is not None and claim.client_id == client_id:
            self.end(name, "ended")

    async def kick(self, channel: str) -> None:
        """Cut the live input and keep its key out for a while; `NotFound` without one."""
        claim = self._inputs.claim(channel)
        if claim is None:
            raise NotFound("No input is live on this channel.", hint="There is nobody to kick.")
        until = self._clock.now() + timedelta(seconds=self._limits.kick_seconds)
        await self._keys.block(claim.key_id, until)
        await self.cut(channel, DenyReason.KICKED)

    async def cut_key(self, key_id: str) -> None:
        """End whatever publishes with this key."""
        for name, claim in self.claims().items():
            if claim.key_id == key_id:
                await self.cut(name, DenyReason.REVOKED)

    async def cut_channel(self, channel: str) -> None:
        """End whatever publishes on this channel, because it was stopped."""
        await self.cut(channel, DenyReason.CHANNEL_STOPPED)

    async def cut(self, channel: str, reason: DenyReason) -> None:
        """Cut the channel's input, if there is one, and note why; `EngineDown` if it cannot be."""
        claim = self._inputs.claim(channel)
        if claim is None:
            return
        await self._cut_client(channel, claim.client_id)
        self._note(channel, claim.address, reason)
        self.end(channel, reason.value)

    def end(self, channel: str, reason: str) -> None:
        """Take the channel's input off the table, if it still is on it."""
        if self._inputs.claim(channel) is not None:
            self.tell(self._inputs.end(channel, reason))

    def tell(self, event: Event | None) -> None:
        """Publish `event` with the next `flush`: decisions do not wait for the database."""
        if event is not None:
            self._outbox.append(event)

    async def flush(self) -> None:
        """Publish what happened since the last time."""
        while self._outbox:
            await self._bus.publish(self._outbox.popleft())
        used, self._used = self._used, {}
        for key_id, at in used.items():
            await self._keys.used(key_id, at)

    def _facts(self, request: PublishRequest) -> PublishFacts:
        key = self._keys.find(request.secret)
        return PublishFacts(
            now=self._clock.now(),
            channel=self._channels.find(request.name),
            key=key,
            user=self._user(key.user_id) if key else None,
            current=self._inputs.claim(request.name),
            live_inputs=len(self._inputs.claims()),
            max_inputs=self._limits.max_inputs,
            ended=not self._engine.client_ids_return and self._inputs.has_ended(request.client_id),
        )

    async def _take_over(self, request: PublishRequest) -> Allow | Deny:
        claim = self._inputs.claim(request.name)
        try:
            if claim is not None and await self._cut_client(request.name, claim.client_id):
                self.end(request.name, "taken_over")
        except EngineDown:
            return Deny(DenyReason.INTERNAL)
        again = decide_publish(request, self._facts(request))
        return Deny(DenyReason.BUSY) if isinstance(again, TakeOver) else again

    async def _cut_client(self, channel: str, client_id: str) -> bool:
        """Cut this client and wait until the engine lets go of the name; False: it has not."""
        deadline = self._clock.monotonic() + CUT_SECONDS
        while publisher := await self._publishing(channel, client_id):
            await self._engine.kick(publisher)
            if await self._publishing(channel, client_id) is None:
                return True
            if self._clock.monotonic() > deadline:
                return False
            await self._clock.sleep(0.005)
        return True

    async def _publishing(self, channel: str, client_id: str) -> Publisher | None:
        for publisher in await self._engine.publishers():
            if (publisher.name, publisher.client_id) == (channel, client_id):
                return publisher
        return None

    def _let_in(self, request: PublishRequest) -> None:
        self._count("allowed")
        now, key = self._clock.now(), self._keys.find(request.secret)
        claim = self._inputs.claim(request.name)
        if key is None or (claim is not None and claim.client_id == request.client_id):
            return  # the same hook again
        self._inputs.put(Claim(request.name, request.client_id, key.id, request.address, now))
        self._used[key.id] = now
        log.info("publish allowed: channel=%s address=%s", request.name, request.address)

    def _refuse(self, request: PublishRequest, reason: DenyReason) -> None:
        self._count(reason.value)
        name = request.name if is_channel_name(request.name) else "-"
        log.warning(
            "publish refused: channel=%s address=%s reason=%s", name, request.address, reason.value
        )
        self._note(name, request.address, reason)

    def _note(self, channel: str, address: str, reason: DenyReason) -> None:
        now = self._clock.now()
        self.tell(PublishDenied(channel, address, reason.value, now))
        if self._channels.find(channel) is not None:
            self._refusals[channel] = Refusal(reason, address, now)

    def _count(self, outcome: str) -> None:
        self._decisions[outcome] = self._decisions.get(outcome, 0) + 1
