"""Renditions of every channel: measured, made, listed in the multivariant playlist, forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from putlive.domain.alignment import RungLaunch
from putlive.domain.ladder import SOURCE, Rung, RungChoice, rungs
from putlive.domain.measuring import Measure, variant
from putlive.domain.media import SegmentFacts
from putlive.domain.playlists import Variant, multivariant, parse_media, variant_uri
from putlive.domain.process import ProcessSpec
from putlive.domain.status import RenditionStatus
from putlive.domain.streams import Claim
from putlive.errors import InvalidInput, NotFound
from putlive.ports import ChannelRepo, Clock, HlsFiles
from putlive.services.program.rungs import Processes, RungRunner, RungTools
from putlive.services.program.source_watch import SourceWatch

KEEP_SECONDS = 30.0  # how long playlists outlive their input: a short outage ends nothing
_SWEEP_SECONDS = 10.0
_RUN_OUT_SECONDS = 6.0  # encoders without input end by themselves in half that time


@dataclass
class _Channel:
    """What is known of one channel that has, or had until just now, an input."""

    source: SourceWatch
    runners: dict[str, RungRunner]
    listed: dict[str, Variant] = field(default_factory=dict)
    gone_at: float | None = None
    swept_at: float = 0.0


class RenditionService:
    """Every two seconds, brings renditions to what the input and people's switches call for."""

    def __init__(
        self,
        files: HlsFiles,
        processes: Processes,
        clock: Clock,
        channels: ChannelRepo,
        ladder: Sequence[Rung],
        build: Callable[[RungLaunch], ProcessSpec],
        *,
        joins_at_last_keyframe: bool,
        segment_seconds: float,
    ) -> None:
        self._files = files
        self._clock = clock
        self._repo = channels
        self._ladder = tuple(ladder)
        self._tools = RungTools(
            files, processes, clock, build, joins_at_last_keyframe, segment_seconds
        )
        self._switched: dict[str, dict[str, bool]] | None = None
        self._channels: dict[str, _Channel] = {}

    def facts(self, channel: str) -> SegmentFacts | None:
        """Of the newest source segment; None while there is no input."""
        known = self._channels.get(channel)
        return known.source.facts if known and known.gone_at is None else None

    def playing(self, channel: str, client_id: str = "") -> bool:
        """Whether players get fresh segments now (within three fragments); of this client's.

        Not before the multivariant playlist is written: people come as soon as this is so.
        """
        known = self._channels.get(channel)
        if known is None or known.source.claim is None or SOURCE not in known.listed:
            return False
        # The next input may have come since the last round.
        is_theirs = client_id in ("", known.source.claim.client_id)
        return is_theirs and known.source.is_playing()

    def foreign(self) -> Sequence[str]:
        """Channels whose input carries another codec than H.264 and AAC; SRS lists no MP3."""
        return [name for name, known in self._channels.items() if known.source.foreign]

    def statuses(self, channel: str) -> Sequence[RenditionStatus]:
        """How each rendition is: the source first, then the rungs in the ladder's order."""
        known = self._channels.get(channel)
        live = known if known and known.gone_at is None else None
        return [_source_status(live), *(_status(c, live) for c in self._choices(channel, live))]

    async def set_enabled(self, channel: str, rendition: str, enabled: bool) -> None:
        """Switch a rung on or off for good; takes effect within two seconds, also while live."""
        if rendition == SOURCE:
            raise InvalidInput("The source cannot be switched off.", hint="Stop the channel.")
        if rendition not in {rung.name for rung in self._ladder}:
            names = ", ".join(rung.name for rung in self._ladder) or "none"
            raise NotFound(f"There is no rendition {rendition}.", hint=f"There are: {names}.")
        if channel not in {c.name for c in await self._repo.all()}:
            raise NotFound(f"There is no channel {channel}.", hint="See the list of channels.")
        switched = await self._switches()
        await self._repo.set_rendition(channel, rendition, enabled)
        switched.setdefault(channel, {})[rendition] = enabled

    async def reconcile(self, live: Mapping[str, Claim]) -> None:
        """One round over all channels; one channel's error does not keep the others from it."""
        await self._switches()
        work = [self._tend(self._known(name), claim) for name, claim in live.items()]
        absent = [name for name in self._channels if name not in live]
        work += [self._let_go(name, self._channels[name]) for name in absent]
        results = await asyncio.gather(*work, return_exceptions=True)
        self._clean_up(live)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _switches(self) -> dict[str, dict[str, bool]]:
        if self._switched is None:
            stored = await self._repo.renditions()
            self._switched = {name: dict(rungs) for name, rungs in stored.items()}
        return self._switched

    def _known(self, name: str) -> _Channel:
        if name not in self._channels:
            source = SourceWatch(name, self._files, self._clock, self._tools.segment_seconds)
            runners = {r.name: RungRunner(self._tools, source, r.name) for r in self._ladder}
            self._channels[name] = _Channel(source, runners)
        return self._channels[name]

    def _choices(self, name: str, known: _Channel | None) -> Sequence[RungChoice]:
        switched = (self._switched or {}).get(name, {})
        return rungs(known.source.facts if known else None, self._ladder, switched)

    async def _tend(self, known: _Channel, claim: Claim) -> None:
        known.gone_at = None
        known.source.look(claim)
        choices = self._choices(known.source.channel, known)
        self._list(known)  # before rungs, which may wait for the right moment to start
        await asyncio.gather(*(self._pursue(known, choice, claim) for choice in choices))
        self._list(known)
        self._sweep(known)

    async def _pursue(self, known: _Channel, choice: RungChoice, claim: Claim) -> None:
        runner = known.runners[choice.rung.name]
        if choice.plan is not None:
            await runner.pursue(choice.plan, claim.client_id)
            return
        await runner.end()
        age = self._files.playlist_age_seconds(choice.rung.name, known.source.channel)
        if age is not None and age > KEEP_SECONDS:
            self._files.forget(choice.rung.name, known.source.channel)

    def _list(self, known: _Channel) -> None:
        """Write the multivariant playlist: the source and the rungs that really come."""
        measures: dict[str, Measure | None] = {SOURCE: known.source.measure}
        measures.update({n: r.measure for n, r in known.runners.items() if r.is_fresh()})
        channel = known.source.channel
        known.listed = {
            name: variant(measure, variant_uri(name, channel), known.listed.get(name))
            for name, measure in measures.items()
            if measure is not None
        }
        if SOURCE in known.listed:
            self._files.write_multivariant(channel, multivariant(list(known.listed.values())))

    def _sweep(self, known: _Channel) -> None:
        """Delete segments nobody lists any more: engines and ended encoders leave some (C13)."""
        now = self._clock.monotonic()
        if now - known.swept_at < _SWEEP_SECONDS:
            return
        known.swept_at = now
        for rendition in (SOURCE, *known.runners):
            playlist = parse_media(self._files.playlist(rendition, known.source.channel))
            keep = {segment.uri for segment in playlist.segments} if playlist else set()
            self._files.sweep(rendition, known.source.channel, keep, KEEP_SECONDS)

    async def _let_go(self, name: str, known: _Channel) -> None:
        known.source.claim, known.source.foreign = None, False
        if known.gone_at is None:
            known.gone_at = self._clock.monotonic()
        gone = self._clock.monotonic() - known.gone_at
        if gone >= _RUN_OUT_SECONDS:
            await asyncio.gather(*(runner.end() for runner in known.runners.values()))
        if gone >= KEEP_SECONDS:
            del self._channels[name]
            self._forget(name)

    def _clean_up(self, live: Mapping[str, Claim]) -> None:
        """Forget what an earlier daemon left, once its files are old."""
        for name in self._files.channels():
            if name in self._channels or name in live:
                continue
            age = self._files.playlist_age_seconds(SOURCE, name)
            if age is None or age > KEEP_SECONDS:
                self._forget(name)

    def _forget(self, name: str) -> None:
        self._files.forget_multivariant(name)
        for rendition in (SOURCE, *(rung.name for rung in self._ladder)):
            self._files.forget(rendition, name)


def _source_status(live: _Channel | None) -> RenditionStatus:
    if live is None:
        return RenditionStatus(SOURCE, True, "waiting", "No input is connected.")
    if not live.source.is_playing():
        return RenditionStatus(SOURCE, True, "starting", "The first segment is on its way.")
    return _measured(RenditionStatus(SOURCE, True, "live"), live.source.measure)


def _status(choice: RungChoice, live: _Channel | None) -> RenditionStatus:
    name = choice.rung.name
    if choice.plan is None or live is None:
        reason = "No input is connected." if live is None else choice.reason
        return RenditionStatus(name, choice.enabled, choice.state, reason if choice.enabled else "")
    runner = live.runners[name]
    if runner.is_fresh():
        return _measured(RenditionStatus(name, True, "live"), runner.measure)
    state, reason = "starting", "The encoder is starting."
    if runner.reason:
        state, reason = "failed", runner.reason
    plan = choice.plan
    return RenditionStatus(name, True, state, reason, plan.width, plan.height, plan.fps)


def _measured(status: RenditionStatus, measure: Measure | None) -> RenditionStatus:
    if measure is None:
        return status
    facts = measure.newest
    return RenditionStatus(
        name=status.name,
        enabled=status.enabled,
        state=status.state,
        reason=status.reason,
        width=facts.width,
        height=facts.height,
        fps=measure.fps,
        bitrate_kbps=round(measure.recent / 1000),
        codecs=facts.codecs,
    )
