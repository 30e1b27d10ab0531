"""The viewing service: channels apart, expiry by real segment length, and the `full` flag."""

from __future__ import annotations

import pytest

from putlive.domain.status import ViewerStats
from putlive.services.program import viewing
from putlive.services.program.viewing import ViewingService
from tests.fake_hls import FakeHls
from tests.fakes import FakeClock
from tests.unit.test_viewers import request

LIMITS = {"main": 2, "open": 0}


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.hls = FakeHls(["144p"], self.clock)
        self.service = ViewingService(self.clock, self.hls, lambda name: LIMITS.get(name, 0), 2.0)

    def watch(self, sid: str, channel: str = "main") -> None:
        self.service.saw(request(f"/live/{channel}.m3u8", sid=sid))
        self.service.saw(request(f"/live/source/{channel}.m3u8", sid=sid))

    async def wait(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.service.reconcile()

    def full(self, channel: str = "main") -> bool:
        return channel in self.hls.files("full")


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_channel_nobody_watches_has_empty_numbers(rig) -> None:
    assert rig.service.stats("main") == ViewerStats()
    assert rig.service.viewers("main") == ()
    rig.service.reset("main")
    await rig.service.reconcile()


async def test_channels_are_counted_apart(rig) -> None:
    rig.watch("abcdefgh", "main")
    rig.watch("abcdefgh", "open")
    rig.watch("ijklmnop", "open")
    assert (rig.service.stats("main").now, rig.service.stats("open").now) == (1, 2)
    assert [v.id for v in rig.service.viewers("open")] == ["abcdefgh", "ijklmnop"]


async def test_who_stops_asking_is_let_go_by_reconcile(rig) -> None:
    rig.watch("abcdefgh")
    await rig.wait(8)
    assert rig.service.stats("main").now == 1
    await rig.wait(0.5)
    assert rig.service.stats("main").now == 0


async def test_long_segments_make_for_patient_counting(rig) -> None:
    rig.hls.put_playlist("source", "main", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n")
    rig.watch("abcdefgh")
    await rig.wait(1)
    await rig.wait(24)
    assert rig.service.stats("main").now == 1
    await rig.wait(5)
    assert rig.service.stats("main").now == 0


@pytest.mark.parametrize("text", ["", "#EXT-X-TARGETDURATION:0\n", "#EXT-X-TARGETDURATION:x\n"])
async def test_an_odd_playlist_leaves_the_configured_length(rig, text) -> None:
    rig.hls.put_playlist("source", "main", text)
    rig.watch("abcdefgh")
    await rig.wait(8.5)
    assert rig.service.stats("main").now == 0


async def test_an_absurd_target_duration_is_not_believed(rig) -> None:
    rig.hls.put_playlist("source", "main", "#EXT-X-TARGETDURATION:9999\n")
    rig.watch("abcdefgh")
    await rig.wait(93)
    assert rig.service.stats("main").now == 0


async def test_the_flag_is_raised_at_the_limit_and_lowered_below_it(rig) -> None:
    rig.watch("abcdefgh")
    await rig.wait(2)
    assert not rig.full()
    rig.watch("abcdefgh")
    rig.watch("ijklmnop")
    await rig.wait(2)
    assert rig.full()
    rig.watch("abcdefgh")
    await rig.wait(7)
    assert not rig.full()


async def test_a_channel_without_limit_is_never_full(rig) -> None:
    for number in range(50):
        rig.watch(f"person-{number}", "open")
    await rig.wait(1)
    assert rig.service.stats("open").now == 50
    assert not rig.full("open")


async def test_a_flag_left_by_a_daemon_that_died_is_lowered(rig) -> None:
    rig.hls.put_playlist("source", "main", "#EXTM3U\n")
    rig.hls.set_full("main", True)
    await rig.service.reconcile()
    assert not rig.full()


async def test_a_flag_somebody_deleted_is_raised_again(rig) -> None:
    rig.watch("abcdefgh")
    rig.watch("ijklmnop")
    await rig.service.reconcile()
    rig.hls.set_full("main", False)
    await rig.service.reconcile()
    assert rig.full()


async def test_who_is_refused_does_not_keep_the_channel_full(rig) -> None:
    for number in range(10):
        rig.service.saw(request("/live/main.m3u8", sid=f"person-{number}", status=503))
    await rig.service.reconcile()
    assert rig.service.stats("main") == ViewerStats()


async def test_a_new_stream_resets_the_numbers(rig) -> None:
    rig.watch("abcdefgh")
    await rig.wait(30)
    rig.service.reset("main")
    assert rig.service.stats("main") == ViewerStats()


async def test_however_many_channels_are_asked_for_the_memory_is_bounded(rig, monkeypatch) -> None:
    monkeypatch.setattr(viewing, "MAX_CHANNELS", 2)
    for name in ("one", "two", "three"):
        rig.watch("abcdefgh", name)
    assert [rig.service.stats(n).now for n in ("one", "two", "three")] == [1, 1, 0]
