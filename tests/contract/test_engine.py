"""What every media engine does for PutLive: one suite for the fake, nginx-rtmp and SRS."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest

from putlive.adapters.engines.engine_config import EngineName, find_srs
from putlive.domain.media import Publisher
from putlive.domain.streams import Allow, Deny, DenyReason, PublishRequest, is_channel_name
from putlive.errors import EngineDown
from putlive.settings import Settings
from tests.contract.engine_rig import KEY, Answer, Encoder, FakeRig, RealRig, Rig, make_clip, until

ENGINES = ["fake", "nginx-rtmp", pytest.param("srs", marks=pytest.mark.srs)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module", params=ENGINES)
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig]:
    """One engine for the whole file; a test that kills it starts it again."""
    name = str(request.param)
    if name == "fake":
        yield FakeRig()
        return
    if shutil.which("ffmpeg") is None:
        pytest.skip("there is no ffmpeg to publish with")
    if name == "srs" and find_srs(Settings(), os.environ) is None:
        pytest.skip("there is no SRS on this machine (PUTLIVE_SRS)")
    clip = request.getfixturevalue("clip")
    rig = RealRig(cast(EngineName, name), tmp_path_factory.mktemp(name), clip)
    yield rig
    rig.close()


@pytest.fixture
async def rig(stage: Rig) -> AsyncIterator[Rig]:
    yield stage
    await stage.clear()


async def listed(rig: Rig, name: str = "main") -> Publisher | None:
    return next((p for p in await rig.engine.publishers() if p.name == name), None)


async def live(rig: Rig, name: str = "main", *, but: str = "") -> Publisher:
    """The publisher once it is listed with its codecs; `but` is the client it must not be."""

    async def there() -> bool:
        found = await listed(rig, name)
        return found is not None and found.client_id != but and bool(found.video_codec)

    await until(there)
    found = await listed(rig, name)
    assert found is not None
    return found


async def refused(encoder: Encoder, seconds: float = 6.0) -> float:
    async def gone() -> bool:
        return encoder.gone()

    return await until(gone, seconds)


async def test_a_right_key_publishes_and_is_listed_with_codecs_and_size(rig: Rig) -> None:
    await rig.publish("main")
    publisher = await live(rig)
    asked = rig.script.asked[0]
    assert (asked.app, asked.name, asked.secret) == ("live", "main", KEY)
    assert (publisher.app, publisher.client_id) == ("live", asked.client_id)
    assert publisher.address == asked.address
    assert (publisher.video_codec, publisher.audio_codec) == ("H264", "AAC")
    assert (publisher.width, publisher.height) == (854, 480)


async def test_a_wrong_key_is_refused_and_never_listed(rig: Rig) -> None:
    encoder = await rig.publish("stranger", "bad-key")
    await refused(encoder)
    assert rig.script.asked[0].secret == "bad-key"
    assert await listed(rig, "stranger") is None
    assert not [f for f in rig.written() if "stranger" in f]


async def test_the_end_of_an_input_is_told_with_its_client_id(rig: Rig) -> None:
    encoder = await rig.publish("main")
    publisher = await live(rig)
    encoder.vanish() if rig.engine.name != "fake" else await rig.engine.kick(publisher)

    async def told() -> bool:
        return ("main", publisher.client_id) in rig.script.ended

    await until(told)
    assert await listed(rig) is None


async def test_bytes_grow_within_a_second_and_stand_still_when_nothing_arrives(rig: Rig) -> None:
    encoder = await rig.publish("main")
    seen = (await live(rig)).bytes_in

    async def grew() -> bool:
        now = await listed(rig)
        return now is not None and now.bytes_in > seen

    for _ in range(3):
        assert await until(grew) < 1.0
        seen = (await live(rig)).bytes_in
        await asyncio.sleep(0.05)
    encoder.freeze()
    await asyncio.sleep(0.4)  # what was under way arrives
    still = [(await live(rig)).bytes_in for _ in range(2)]
    assert still[0] == still[1]
    encoder.thaw()
    seen = still[1]
    await until(grew, 4)


async def test_several_channels_are_told_apart(rig: Rig) -> None:
    await rig.publish("one")
    await rig.publish("two")
    ids = {(await live(rig, name)).client_id for name in ("one", "two")}
    assert ids == {r.client_id for r in rig.script.asked} and len(ids) == 2


async def test_a_kick_cuts_one_input_and_leaves_the_others(rig: Rig) -> None:
    first = await rig.publish("one")
    second = await rig.publish("two")
    victim, other = await live(rig, "one"), await live(rig, "two")
    assert await rig.engine.kick(victim)
    await refused(first)

    async def told() -> bool:
        return ("one", victim.client_id) in rig.script.ended

    await until(told)
    assert not second.gone()
    assert [p.client_id for p in await rig.engine.publishers()] == [other.client_id]
    assert not await rig.engine.kick(victim)


async def test_a_kick_of_a_client_id_no_engine_makes_does_nothing(rig: Rig) -> None:
    await rig.publish("main")
    publisher = await live(rig)
    for strange in ("", "../streams", "1&app=live", "99999999"):
        assert not await rig.engine.kick(
            Publisher("live", "main", strange, publisher.address, publisher.bytes_in)
        )
    assert await listed(rig) is not None


async def test_an_input_is_taken_over_inside_the_publish_hook(rig: Rig) -> None:
    old_encoder = await rig.publish("main")
    old = await live(rig)
    took: list[float] = []

    async def take_over(request: PublishRequest) -> Answer:
        began = time.monotonic()
        while current := await listed(rig):
            await rig.engine.kick(current)
            await asyncio.sleep(0.005)
        took.append(time.monotonic() - began)
        return Allow()

    rig.script.decide = take_over
    new_encoder = await rig.publish("main")
    new = await live(rig, but=old.client_id)
    await refused(old_encoder)
    await asyncio.sleep(0.3)
    assert not new_encoder.gone() and took[0] < 1.0
    assert (await live(rig)).client_id == new.client_id == rig.script.asked[1].client_id


async def test_a_second_input_that_is_let_in_does_not_replace_the_first(rig: Rig) -> None:
    first = await rig.publish("main")
    publisher = await live(rig)
    second = await rig.publish("main")
    await refused(second)
    assert not first.gone()
    assert (await live(rig)).client_id == publisher.client_id


async def test_without_a_hook_server_publishing_is_refused_and_what_runs_goes_on(rig: Rig) -> None:
    running = await rig.publish("one")
    publisher = await live(rig, "one")
    await rig.stop_hooks()
    try:
        encoder = await rig.publish("two")
        assert await refused(encoder, 12) < 12
        assert not running.gone()
        assert (await live(rig, "one")).client_id == publisher.client_id
    finally:
        await rig.start_hooks()
    await rig.publish("two")
    await live(rig, "two")


async def test_a_hook_handler_that_hangs_refuses_the_publish(rig: Rig) -> None:
    async def hang(request: PublishRequest) -> Answer:
        await asyncio.Event().wait()
        return Allow()

    rig.script.decide = hang
    encoder = await rig.publish("main")
    assert await refused(encoder, 12) < 12
    assert await listed(rig) is None


async def test_a_hook_handler_that_fails_refuses_the_publish(rig: Rig) -> None:
    async def fail(request: PublishRequest) -> Answer:
        raise RuntimeError("broken")

    rig.script.decide = fail
    await refused(await rig.publish("main"))
    assert await listed(rig) is None


async def test_a_client_that_vanished_while_it_was_asked_for_leaves_no_ghost(rig: Rig) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slowly(request: PublishRequest) -> Answer:
        loop.call_soon_threadsafe(asked.set)
        await asyncio.sleep(0.15)
        return Allow()

    rig.script.decide = slowly
    encoder = await rig.publish("main")
    await asyncio.wait_for(asked.wait(), 5)
    encoder.vanish()
    ghost = rig.script.asked[0].client_id
    await asyncio.sleep(0.3)

    async def free() -> bool:
        return await listed(rig) is None

    await until(free, 8)
    await rig.publish("main")
    assert (await live(rig)).client_id != ghost


async def test_an_engine_that_was_killed_starts_again_with_nothing_listed(rig: Rig) -> None:
    encoder = await rig.publish("main")
    await live(rig)
    before = (await rig.engine.health()).incarnation
    await rig.kill_engine()
    with pytest.raises(EngineDown):
        await rig.engine.publishers()
    with pytest.raises(EngineDown):
        await rig.engine.health()
    await refused(encoder)
    await rig.start_engine()
    assert await rig.engine.publishers() == []
    health = await rig.engine.health()
    assert health.incarnation != before and health.name == rig.engine.name and health.version
    await rig.publish("main")
    await live(rig)


async def test_names_that_try_to_escape_are_refused_and_write_nothing(rig: Rig) -> None:
    async def allow_list(request: PublishRequest) -> Answer:
        fine = request.app == "live" and is_channel_name(request.name)
        return Allow() if fine else Deny(DenyReason.BAD_NAME)

    rig.script.decide = allow_list
    before = rig.written()
    names = ["../../x", "a/b", ";", "%2f", "a;b", 'q"q', "x" * 300, "..%2f..%2fx", "-", "A"]
    encoders = [await rig.publish(name) for name in names]
    encoders.append(await rig.publish("main", app="other"))
    encoders.append(await rig.publish("main", app="live/../.."))
    for encoder in encoders:
        await refused(encoder)
    # nginx-rtmp refuses `..` and unknown apps by itself; these reach the hook on every engine.
    assert {";", "%2f", "a;b", 'q"q', "-", "A"} <= {r.name for r in rig.script.asked}
    assert await rig.engine.publishers() == []
    assert rig.written() - before == set()


async def test_odd_names_that_are_let_in_break_neither_the_list_nor_a_kick(rig: Rig) -> None:
    async def anything(request: PublishRequest) -> Answer:
        return Allow()

    rig.script.decide = anything
    names = {"main", "a;b", "<x>&y", 'q"q', "%41%00"}
    for name in names:
        await rig.publish(name)

    async def all_there() -> bool:
        return {p.name for p in await rig.engine.publishers()} == names

    await until(all_there)
    for publisher in await rig.engine.publishers():
        if publisher.name != "main":
            assert await rig.engine.kick(publisher)

    async def alone() -> bool:
        return [p.name for p in await rig.engine.publishers()] == ["main"]

    await until(alone)
