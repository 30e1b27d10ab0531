from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import m3u8
import pytest

from putlive.domain.alignment import RungLaunch
from putlive.domain.ladder import Rung
from putlive.domain.process import ProcessSpec, ProcessState, ProcessStatus
from putlive.domain.streams import Claim
from putlive.errors import InvalidInput, NotFound
from putlive.services.program.renditions import RenditionService
from tests.fake_hls import FakeHls
from tests.fake_store import MemoryStore
from tests.fakes import FakeClock
from tests.ts_bytes import segment

P144 = Rung("144p", 256, 144, 200_000, 15, 32_000)
P480 = Rung("480p", 854, 480, 1_200_000, 30, 96_000)


class FakeProcesses:
    """Knows what was asked to run."""

    def __init__(self) -> None:
        self.running: dict[str, ProcessSpec] = {}
        self.ended: dict[str, ProcessStatus] = {}
        self.starts: list[str] = []

    def start(self, spec: ProcessSpec) -> None:
        if spec.name not in self.running:
            self.running[spec.name] = spec
            self.starts.append(spec.name)
            self.ended.pop(spec.name, None)

    async def stop(self, name: str) -> None:
        self.running.pop(name, None)
        self.ended.pop(name, None)

    def status(self, name: str) -> ProcessStatus | None:
        if name in self.running:
            return ProcessStatus(name, ProcessState.RUNNING)
        return self.ended.get(name)

    def die(self, name: str, reason: str) -> None:
        del self.running[name]
        self.ended[name] = ProcessStatus(name, ProcessState.FATAL, reason=reason)


class Stage:
    """One channel; the test plays the engine and the encoders."""

    def __init__(
        self, ladder: Sequence[Rung] = (P144, P480), *, joins_at_last: bool = True
    ) -> None:
        self.clock = FakeClock()
        self.files = FakeHls([r.name for r in ladder], self.clock)
        self.processes = FakeProcesses()
        self.store = MemoryStore()
        self.launches: list[RungLaunch] = []
        self.live: dict[str, Claim] = {}
        self.ladder = ladder
        self.joins_at_last = joins_at_last
        self.playlists: dict[str, list[tuple[int, str, bool]]] = {}
        self.offset = 0.0
        self.restart_daemon()

    def restart_daemon(self) -> None:
        self.service = RenditionService(
            self.files,
            self.processes,
            self.clock,
            self.store.channels,
            self.ladder,
            self._build,
            joins_at_last_keyframe=self.joins_at_last,
            segment_seconds=2.0,
        )

    def _build(self, launch: RungLaunch) -> ProcessSpec:
        self.launches.append(launch)
        return ProcessSpec(f"rung:{launch.channel}:{launch.plan.rung.name}", ("ffmpeg",))

    def publish(self, client: str = "c1") -> None:
        self.live = {"main": Claim("main", client, "k", "192.0.2.1", self.clock.now())}

    async def cut(
        self,
        number: int,
        rendition: str = "source",
        *,
        size: tuple[int, int] = (1280, 720),
        fps: float = 30,
        shown: int | None = None,
        discontinuity: bool = False,
        frames: int = 60,
        sound_type: int = 0x0F,
    ) -> None:
        """Let a writer finish a segment; `shown`: which source segment's time it carries."""
        at = 2.0 * (number if shown is None else shown)
        name = f"main-{1000 + len(self.playlists.get(rendition, []))}.ts"
        data = segment(
            start=at,
            size=size,
            fps=fps,
            frames=frames,
            bytes_per_frame=900,
            sound_type=sound_type,
        )
        self.files.put_segment(rendition, name, data)
        entries = self.playlists.setdefault(rendition, [])
        if entries and entries[-1][0] != number - 1:
            entries.clear()
        entries.append((number, name, discontinuity))
        window = entries[-6:]
        lines = ["#EXTM3U", f"#EXT-X-MEDIA-SEQUENCE:{window[0][0]}", "#EXT-X-TARGETDURATION:2"]
        for _, uri, broken in window:
            lines += ["#EXT-X-DISCONTINUITY"] * broken + ["#EXTINF:2.000,", uri]
        self.files.put_playlist(rendition, "main", "\n".join(lines) + "\n")

    async def step(self, seconds: float = 2.0) -> None:
        """Time passes, then one round of the service."""
        await self.clock.advance(seconds)
        await self.service.reconcile(self.live)

    async def on_air(self) -> None:
        """A publish whose first two segments were cut and whose rungs were started."""
        self.publish()
        await self.clock.advance(2.5)
        await self.cut(0)
        await self.step(0.5)

    def state(self, rendition: str) -> str:
        return {s.name: s.state for s in self.service.statuses("main")}[rendition]

    def listed(self) -> list[str]:
        text = self.files.multivariant("main")
        return [p.uri for p in m3u8.loads(text).playlists] if text else []


async def test_without_an_input_everything_waits() -> None:
    stage = Stage((P144, replace(P480, enabled=False)))
    await stage.step()
    assert [s.state for s in stage.service.statuses("main")] == ["waiting", "waiting", "off"]
    assert stage.service.facts("main") is None
    assert not stage.service.playing("main")


async def test_before_the_first_segment_the_source_is_starting_and_rungs_wait() -> None:
    stage = Stage()
    stage.publish()
    await stage.step(0.5)
    assert [s.state for s in stage.service.statuses("main")] == ["starting", "waiting", "waiting"]
    assert stage.launches == []
    assert stage.listed() == []


async def test_the_first_segment_starts_the_rungs_and_lists_the_source() -> None:
    stage = Stage()
    await stage.on_air()
    assert stage.service.playing("main")
    facts = stage.service.facts("main")
    assert facts is not None and (facts.width, facts.height) == (1280, 720)
    assert [launch.plan.rung.name for launch in stage.launches] == ["144p", "480p"]
    assert stage.listed() == ["source/main.m3u8"]
    assert [s.state for s in stage.service.statuses("main")] == ["live", "starting", "starting"]


async def test_a_channel_plays_when_players_find_its_playlist_and_not_before() -> None:
    stage = Stage()
    stage.publish()
    await stage.clock.advance(2.5)
    await stage.step(0.1)
    await stage.cut(0)
    assert (stage.listed(), stage.service.playing("main")) == ([], False)
    await stage.step(0.5)
    assert (stage.listed(), stage.service.playing("main")) == (["source/main.m3u8"], True)


async def test_an_input_with_another_codec_is_told_and_the_one_after_it_is_not_blamed() -> None:
    stage = Stage()
    stage.publish()
    await stage.clock.advance(2.5)
    await stage.cut(0, sound_type=0x03)
    await stage.step(0.5)
    assert stage.service.foreign() == ["main"]

    stage.live = {}
    await stage.step()
    assert stage.service.foreign() == []
    await stage.cut(1, sound_type=0x03)  # what the engine still had when it was cut
    stage.publish("c2")
    await stage.step(0.1)
    assert stage.service.foreign() == []
    await stage.clock.advance(2.5)
    await stage.cut(2)
    await stage.step(0.5)
    assert stage.service.foreign() == []


async def test_a_next_input_does_not_play_what_the_one_before_left() -> None:
    stage = Stage()
    await stage.on_air()
    (claim,) = stage.live.values()
    assert stage.service.playing("main", claim.client_id)
    assert not stage.service.playing("main", "the next one")


@pytest.mark.parametrize(("joins_at_last", "number"), [(True, 1), (False, 2)])
async def test_a_rung_begins_with_the_number_of_the_segment_it_will_get(
    joins_at_last: bool, number: int
) -> None:
    stage = Stage((P144,), joins_at_last=joins_at_last)
    await stage.on_air()
    assert stage.launches[0].first_number == number


async def test_late_in_a_segment_the_rung_waits_for_the_next_one() -> None:
    stage = Stage((P144,))
    stage.publish()
    await stage.clock.advance(2.5)
    await stage.cut(0)
    await stage.step(1.98)
    assert stage.launches[0].first_number == 2


async def test_a_rung_is_listed_once_its_own_segments_come() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    await stage.step()
    assert stage.listed() == ["source/main.m3u8"]
    await stage.cut(1)
    await stage.cut(1, "144p", size=(256, 144), fps=15, frames=30)
    await stage.step()
    assert stage.listed() == ["source/main.m3u8", "144p/main.m3u8"]
    rung = stage.service.statuses("main")[1]
    assert (rung.state, rung.width, rung.height, rung.fps) == ("live", 256, 144, 15)
    assert rung.bitrate_kbps > 0


async def test_segments_of_an_earlier_encoder_do_not_count() -> None:
    stage = Stage((P144,))
    await stage.cut(0, "144p", size=(256, 144))
    await stage.on_air()
    await stage.step()
    assert stage.listed() == ["source/main.m3u8"]
    assert stage.state("144p") == "starting"


async def test_a_rung_that_stops_coming_is_unlisted() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    await stage.cut(1, "144p", size=(256, 144))
    await stage.step()
    assert "144p/main.m3u8" in stage.listed()
    for number in range(1, 6):
        await stage.cut(number)
        await stage.step()
    assert stage.listed() == ["source/main.m3u8"]


async def test_a_small_source_gets_no_enlarged_rung() -> None:
    stage = Stage()
    stage.publish()
    await stage.clock.advance(2.5)
    await stage.cut(0, size=(640, 360))
    await stage.step(0.5)
    assert [launch.plan.rung.name for launch in stage.launches] == ["144p"]
    assert stage.state("480p") == "too_small"


async def test_a_switch_works_while_live_and_is_kept() -> None:
    stage = Stage()
    await stage.store.channels.add("main", "Main")
    await stage.on_air()
    await stage.service.set_enabled("main", "480p", False)
    await stage.step()
    assert list(stage.processes.running) == ["rung:main:144p"]
    assert stage.state("480p") == "off"
    stage.restart_daemon()
    await stage.step()
    assert stage.state("480p") == "off"
    await stage.service.set_enabled("main", "480p", True)
    await stage.cut(1)
    await stage.step(0.5)
    assert "rung:main:480p" in stage.processes.running


async def test_what_cannot_be_switched_is_refused_with_a_remedy() -> None:
    stage = Stage()
    await stage.store.channels.add("main", "Main")
    with pytest.raises(InvalidInput):
        await stage.service.set_enabled("main", "source", False)
    with pytest.raises(NotFound) as unknown:
        await stage.service.set_enabled("main", "4k", True)
    assert "144p" in unknown.value.hint
    with pytest.raises(NotFound):
        await stage.service.set_enabled("other", "144p", True)


async def test_a_dead_encoder_is_started_again_with_a_higher_number() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    await stage.cut(1, "144p", size=(256, 144))
    await stage.cut(1)
    await stage.step(0.2)
    stage.processes.die("rung:main:144p", "Conversion failed!")
    await stage.step(1.3)
    assert stage.state("144p") == "failed"
    assert "Conversion failed!" in stage.service.statuses("main")[1].reason
    assert len(stage.launches) == 1
    await stage.cut(2)
    await stage.step(1.1)
    assert len(stage.launches) == 2
    assert stage.launches[1].first_number == 3
    assert not stage.launches[1].append
    assert stage.launches[1].token != stage.launches[0].token


async def test_an_encoder_that_keeps_dying_is_started_ever_more_rarely() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    for number in range(1, 31):
        if "rung:main:144p" in stage.processes.running:
            stage.processes.die("rung:main:144p", "no")
        await stage.clock.advance(1.8)
        await stage.cut(number)
        await stage.step(0.2)
    assert 3 <= len(stage.launches) <= 7
    assert stage.state("144p") == "failed"


async def test_a_republish_at_once_goes_on_in_the_same_playlist() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    for number in (1, 2):
        await stage.cut(number)
        await stage.cut(number, "144p", size=(256, 144))
        await stage.step()
    stage.publish("c2")
    await stage.step(0.5)
    launch = stage.launches[-1]
    assert len(stage.launches) == 2
    assert (launch.first_number, launch.append) == (3, True)


async def test_a_republish_waits_for_a_segment_where_the_last_keyframe_is_not_to_be_had() -> None:
    stage = Stage((P144,), joins_at_last=False)
    await stage.on_air()
    await stage.cut(1)
    await stage.cut(2)
    await stage.cut(2, "144p", size=(256, 144))
    await stage.step(0.5)
    stage.publish("c2")
    await stage.step(0.5)
    assert len(stage.launches) == 1
    await stage.clock.advance(1.5)
    await stage.cut(3, discontinuity=True)
    await stage.step(0.2)
    launch = stage.launches[-1]
    assert (launch.first_number, launch.append, launch.discontinuity) == (5, False, True)


async def test_another_picture_size_restarts_only_what_it_changes() -> None:
    stage = Stage((P144, P480))
    await stage.on_air()
    await stage.cut(1, size=(640, 480))
    await stage.step(0.5)
    again = [launch.plan for launch in stage.launches[2:]]
    assert {(p.rung.name, p.width, p.height) for p in again} == {
        ("144p", 192, 144),
        ("480p", 640, 480),
    }


async def test_numbers_that_are_off_are_put_right_by_one_restart() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    for number in (1, 2, 3):
        await stage.cut(number)
        await stage.cut(number, "144p", size=(256, 144), shown=number - 1)
        await stage.step()
    assert "rung:main:144p" not in stage.processes.running
    for number in (4, 5, 6):
        await stage.step(1.8)
        await stage.cut(number)
        await stage.step(0.2)
    assert len(stage.launches) == 2
    assert stage.launches[-1].first_number == 5


async def test_numbers_that_fit_are_left_alone() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    for number in range(1, 12):
        await stage.cut(number)
        await stage.cut(number, "144p", size=(256, 144))
        await stage.step()
    assert len(stage.launches) == 1


async def test_the_multivariant_playlist_does_not_flap() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    for number in range(1, 12):
        await stage.cut(number, frames=60 - number % 2)
        await stage.step()
    assert stage.files.multivariant_writes == 1


async def test_a_short_outage_ends_nothing() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    stage.live = {}
    for _ in range(14):
        await stage.step()
    assert stage.listed() == ["source/main.m3u8"]
    assert stage.files.playlist("source", "main") is not None
    assert stage.state("source") == "waiting"
    assert not stage.service.playing("main")


async def test_encoders_without_input_are_ended_after_a_moment() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    stage.live = {}
    await stage.step()
    assert stage.processes.running
    for _ in range(3):
        await stage.step()
    assert not stage.processes.running


async def test_thirty_seconds_after_the_input_everything_is_forgotten() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    await stage.cut(1, "144p", size=(256, 144))
    stage.live = {}
    for _ in range(17):
        await stage.step()
    assert stage.files.channels() == []
    assert stage.files.files("source") == stage.files.files("144p") == []


async def test_what_an_earlier_daemon_left_is_forgotten_when_it_is_old() -> None:
    stage = Stage((P144,))
    await stage.cut(7)
    stage.files.write_multivariant("main", "#EXTM3U\n")
    await stage.step(20)
    assert stage.files.channels() == ["main"]
    await stage.step(20)
    assert stage.files.channels() == []


async def test_a_new_daemon_goes_on_from_the_numbers_it_finds() -> None:
    stage = Stage((P144,))
    await stage.on_air()
    for number in range(1, 6):
        await stage.cut(number)
        await stage.cut(number, "144p", size=(256, 144))
        await stage.step()
    stage.processes = FakeProcesses()
    stage.restart_daemon()
    stage.live = {
        "main": replace(stage.live["main"], since=stage.clock.now() - timedelta(seconds=30))
    }
    await stage.cut(6)
    await stage.step(0.5)
    assert stage.launches[-1].first_number == 7


async def test_old_segments_nobody_lists_are_swept() -> None:
    stage = Stage((P144,))
    stage.files.put_segment("source", "main-1.ts", b"left by an earlier engine")
    await stage.on_air()
    for number in range(1, 25):
        await stage.cut(number)
        await stage.step()
    assert "main-1.ts" not in stage.files.files("source")


async def test_one_channels_trouble_does_not_stop_another() -> None:
    stage = Stage((P144,))
    stage.publish()
    await stage.clock.advance(2.5)
    await stage.cut(0)
    stage.live = {"Not A Name": stage.live["main"], **stage.live}
    with pytest.raises(ValueError, match="channel"):
        await stage.step(0.5)
    assert stage.listed() == ["source/main.m3u8"]


async def test_broken_segments_are_passed_over() -> None:
    stage = Stage((P144,))
    stage.publish()
    await stage.clock.advance(2.5)
    await stage.cut(0)
    stage.files.put_segment("source", "main-1000.ts", b"\x47" * 900)
    await stage.step(0.5)
    assert stage.service.facts("main") is None
    assert stage.state("144p") == "waiting"
