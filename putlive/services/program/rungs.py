"""Runs one rung of one channel: starts its encoder at the right number and looks at the result."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from putlive.domain.alignment import (
    CONNECT_SECONDS,
    RungLaunch,
    first_number,
    moment,
    offset,
)
from putlive.domain.ladder import RungPlan
from putlive.domain.measuring import Measure, measured
from putlive.domain.mpegts import read_segment
from putlive.domain.playlists import MediaPlaylist, parse_media
from putlive.domain.process import (
    ProcessSpec,
    ProcessState,
    ProcessStatus,
    RestartPolicy,
    after_exit,
)
from putlive.ports import Clock, HlsFiles
from putlive.services.program.source_watch import SourceWatch, is_fresh

log = logging.getLogger(__name__)

_POLICY = RestartPolicy(max_retries=None, start_seconds=10.0, base_delay=1.0, max_delay=30.0)
_ENDED = (ProcessState.EXITED, ProcessState.FATAL, ProcessState.STOPPED)
_CORRECTIONS = 3  # per publish: a restart costs the rung some seconds


class Processes(Protocol):
    """The supervisor, as those see it who need a process kept."""

    def start(self, spec: ProcessSpec) -> None:
        """Look after `spec`, unless a process of that name is looked after already."""

    async def stop(self, name: str) -> None:
        """Stop a process, wait until it is gone and forget it; unknown names are fine."""

    def status(self, name: str) -> ProcessStatus | None: ...


@dataclass(frozen=True)
class RungTools:
    """What every rung of a station is run with."""

    files: HlsFiles
    processes: Processes
    clock: Clock
    build: Callable[[RungLaunch], ProcessSpec]
    joins_at_last_keyframe: bool
    segment_seconds: float


@dataclass(frozen=True)
class _Run:
    """One start of the encoder."""

    launch: RungLaunch
    process: str
    client_id: str
    started_at: float


class RungRunner:
    """One rung of one channel. `measure` is of the present encoder's segments only."""

    def __init__(self, tools: RungTools, source: SourceWatch, name: str) -> None:
        self._tools = tools
        self._source = source
        self._name = name
        self._run: _Run | None = None
        self._newest = -1
        self._tries = 0
        self._not_before = 0.0
        self._corrections = 0
        self._corrected_for = ""
        self._off_before: int | None = 0
        self.measure: Measure | None = None
        self.reason = ""  # why the encoder last failed; empty while it is well

    @property
    def is_running(self) -> bool:
        """Whether an encoder was started and not ended since."""
        return self._run is not None

    def is_fresh(self) -> bool:
        """Whether the present encoder's segments keep coming."""
        playlist = self._produced()
        if playlist is None or self.measure is None:
            return False
        age = self._tools.files.playlist_age_seconds(self._name, self._source.channel)
        return is_fresh(age, playlist, self._tools.segment_seconds)

    async def pursue(self, plan: RungPlan, client_id: str) -> None:
        """Bring the rung closer to what it should be: started, restarted or measured."""
        run = self._run
        if run and (run.client_id != client_id or run.launch.plan.needs_restart(plan)):
            await self.end()
        if self._run and self._has_died(self._run):
            await self._note_death(self._run)
        if self._run is None:
            if self._tools.clock.monotonic() >= self._not_before:
                await self._launch(plan, client_id)
            return
        self._look()
        await self._correct()

    async def end(self) -> None:
        """Stop the encoder; it completes its last segment."""
        run, self._run = self._run, None
        self.measure, self._newest, self._off_before = None, -1, 0
        if run is not None:
            await self._tools.processes.stop(run.process)

    def _former(self) -> MediaPlaylist | None:
        return parse_media(self._tools.files.playlist(self._name, self._source.channel))

    def _produced(self) -> MediaPlaylist | None:
        """The playlist, once it holds a segment of the present encoder."""
        playlist = self._former() if self._run else None
        if playlist is None or self._run is None:
            return None
        return playlist if playlist.next_number > self._run.launch.first_number else None

    async def _launch(self, plan: RungPlan, client_id: str) -> None:
        quick = self._can_start_at_once()
        if not quick and not self._source.is_playing():
            return
        meets = True if quick else await self._meet()
        source = self._source.playlist()
        if source is None:
            return
        number, append = first_number(
            source, self._former(), meets=meets, joins_at_last=self._tools.joins_at_last_keyframe
        )
        launch = RungLaunch(
            self._source.channel,
            plan,
            first_number=number,
            token=round(self._tools.clock.now().timestamp() * 1000),
            append=append,
            discontinuity=quick or source.shows_discontinuity,
        )
        spec = self._tools.build(launch)
        self._run = _Run(launch, spec.name, client_id, self._tools.clock.monotonic())
        self._tools.processes.start(spec)

    def _can_start_at_once(self) -> bool:
        """Whether a new publish is so young that its first keyframe is what an encoder gets.

        Then the rung misses nothing and goes on in its playlist. Only where the engine hands out
        the last keyframe, and the size of the picture is known from the publish before.
        """
        source = self._source
        return (
            self._tools.joins_at_last_keyframe
            and source.facts is not None
            and source.playlist() is not None
            and not source.has_begun()
            and source.claim_seconds() + CONNECT_SECONDS < self._tools.segment_seconds
        )

    async def _meet(self) -> bool:
        """Whether the encoder will meet the segment being made; waits until that is clear."""
        playlist = self._source.playlist()
        seconds = self._tools.segment_seconds
        if playlist is not None and playlist.newest is not None:
            seconds = max(playlist.newest.seconds, 1.0)
        meets, wait = moment(self._source.age_seconds() or 0.0, seconds)
        if wait <= 0:
            return meets
        await self._tools.clock.sleep(wait)
        return moment(self._source.age_seconds() or 0.0, seconds)[0]

    def _has_died(self, run: _Run) -> bool:
        status = self._tools.processes.status(run.process)
        return status is None or status.state in _ENDED

    async def _note_death(self, run: _Run) -> None:
        status = self._tools.processes.status(run.process)
        said = status.reason if status and status.reason else "it gave no reason"
        now = self._tools.clock.monotonic()
        outcome = after_exit(1, now - run.started_at, self._tries, _POLICY)
        self._tries, self._not_before = outcome.tries, now + outcome.delay
        self.reason = f"The encoder stopped ({said}). It is started again."
        await self.end()

    def _look(self) -> None:
        playlist = self._produced()
        newest = playlist.newest if playlist else None
        if newest is None or newest.sequence <= self._newest:
            return
        self._newest = newest.sequence
        data = self._tools.files.segment(self._name, newest.uri)
        facts = read_segment(data) if data else None
        if facts is not None:
            self.measure, self.reason = measured(self.measure, facts), ""

    async def _correct(self) -> None:
        """Restart an encoder whose numbers are off in two looks in a row."""
        off = 0
        if self.measure is not None:
            pts = self.measure.newest.first_pts
            off = offset(self._source.starts, self._newest, pts) or 0
        twice, self._off_before = off != 0 and off == self._off_before, off
        run = self._run
        if not twice or run is None or not self._may_correct(run.client_id):
            return
        log.info(
            "rung %s of %s is numbered %+d segments off; its encoder is started again",
            self._name,
            self._source.channel,
            -off,
        )
        # Numbers that are too high cannot go back: the source has to come up with them first.
        wait = (1 - off) * self._tools.segment_seconds if off < 0 else 0.0
        self._not_before = self._tools.clock.monotonic() + wait
        await self.end()

    def _may_correct(self, client_id: str) -> bool:
        if self._corrected_for != client_id:
            self._corrected_for, self._corrections = client_id, 0
        self._corrections += 1
        return self._corrections <= _CORRECTIONS
