"""Makes the table of inputs agree with the engine's own list, and ends what must not go on.

Hooks get lost and clients vanish: SRS sends no unpublish for one it refuses itself after we let
it in, and neither engine repeats what it said while the daemon was away.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from putlive.domain.media import EngineHealth, Publisher
from putlive.domain.streams import PUBLISH_APP, Channel, Claim, DenyReason, is_channel_name
from putlive.ports import Clock, EventLog, MediaEngine
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.inputs import Inputs
from putlive.services.ingest.publishing import PublishService

log = logging.getLogger(__name__)

VIDEO_SECONDS = 10.0  # an input that carries no video for this long is not a channel
SEARCHED = 100  # stored starts looked through for the key of an input found running


class InputWatch:
    """One look at the engine's list every 2 s."""

    def __init__(
        self,
        engine: MediaEngine,
        channels: ChannelService,
        inputs: Inputs,
        publishing: PublishService,
        events: EventLog,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._inputs = inputs
        self._publishing = publishing
        self._events = events
        self._clock = clock
        self._incarnation = ""

    async def reconcile(self, health: EngineHealth, publishers: Sequence[Publisher]) -> None:
        """Drop ghosts, adopt what runs, confirm what came, cut what must not be."""
        if health.incarnation != self._incarnation:
            self._inputs.forget_ended()
            self._incarnation = health.incarnation
        listed = {p.name: p for p in publishers if p.app == PUBLISH_APP}
        for name in self._inputs.claims():
            if self._inputs.is_gone(name, listed.get(name)):
                self._publishing.end(name, "gone")
        for publisher in publishers:
            await self._look(publisher)
        await self._publishing.flush()

    async def _look(self, publisher: Publisher) -> None:
        channel = self._wanted(publisher)
        if channel is None:
            log.warning("cutting a publish nobody allowed: address=%s", publisher.address)
            await self._engine.kick(publisher)
            return
        claim = self._inputs.claim(channel.name)
        if claim is None:
            self._inputs.put(await self._adopted(publisher))
        elif claim.client_id != publisher.client_id:
            return  # two at once for a moment: the claim decides, `is_gone` ends the other
        self._publishing.tell(self._inputs.saw(publisher))
        if reason := self._unfit(publisher):
            await self._publishing.cut(channel.name, reason)

    def _wanted(self, publisher: Publisher) -> Channel | None:
        if publisher.app != PUBLISH_APP or not is_channel_name(publisher.name):
            return None
        channel = self._channels.find(publisher.name)
        return channel if channel is not None and channel.enabled else None

    async def _adopted(self, publisher: Publisher) -> Claim:
        """The claim of an input that was live before this daemon was."""
        key_id, since = await self._start_of(publisher)
        log.info("adopted: channel=%s address=%s", publisher.name, publisher.address)
        # A start that is on record is not told a second time.
        return Claim(
            publisher.name,
            publisher.client_id,
            key_id,
            publisher.address,
            since,
            confirmed=bool(key_id),
        )

    async def _start_of(self, publisher: Publisher) -> tuple[str, datetime]:
        for row in await self._events.latest(SEARCHED, kinds=("stream_started",)):
            body = row.body
            if (body.get("channel"), body.get("client_id")) == (
                publisher.name,
                publisher.client_id,
            ):
                return str(body.get("key_id", "")), row.at
        return "", self._clock.now()

    def _unfit(self, publisher: Publisher) -> DenyReason | None:
        """ST1: H.264 with AAC or without sound; the engine knows the codecs after some frames."""
        if publisher.video_codec not in ("", "H264"):
            return DenyReason.CODEC
        if publisher.audio_codec not in ("", "AAC"):
            return DenyReason.CODEC
        if self._inputs.videoless_seconds(publisher.name) > VIDEO_SECONDS:
            return DenyReason.NO_VIDEO
        return None
