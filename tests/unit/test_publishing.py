"""The story of a publish, from knock to end, on a fake engine that calls the real services."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from putlive.domain.access import Role
from putlive.domain.streams import Deny, DenyReason, PublishRequest
from putlive.errors import NotFound
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.input_watch import InputWatch
from putlive.services.ingest.inputs import Inputs
from putlive.services.ingest.keys import KeyService
from putlive.services.ingest.publishing import PublishLimits, PublishService
from putlive.services.running.bus import Bus
from tests.fake_engine import FakeClient, FakeEngine
from tests.fake_store import MemoryStore
from tests.fakes import FakeClock


class Rig:
    """A station of one channel `main`, its owner and a key."""

    def __init__(self) -> None:
        self.clock, self.engine, self.store = FakeClock(), FakeEngine(), MemoryStore()
        self.users = {}
        self.start()

    def start(self) -> None:
        """A daemon begins with empty hands; engine and store are as they are."""
        self.bus = Bus(self.store.events)
        self.events = []
        self.bus.listen(self.events.append)
        self.channels = ChannelService(self.store.channels)
        self.keys = KeyService(self.store.keys, self.clock, b"station")
        self.inputs = Inputs(self.clock, stall_seconds=3)
        self.publishing = PublishService(
            self.engine,
            self.channels,
            self.keys,
            self.inputs,
            self.users.get,
            self.bus,
            self.clock,
            PublishLimits(max_inputs=2, kick_seconds=60),
        )
        self.keys.on_end(self.publishing.cut_key)
        self.channels.on_stop(self.publishing.cut_channel)
        self.watch = InputWatch(
            self.engine, self.channels, self.inputs, self.publishing, self.store.events, self.clock
        )
        self.engine.hooks(self.publishing.on_publish, self.publishing.on_unpublish)

    async def load(self) -> None:
        await self.channels.load()
        await self.keys.load()

    async def fill(self) -> None:
        owner = await self.store.users.add("anna", Role.OPERATOR, "", must_change=False)
        self.users[owner.id] = owner
        for name in ("main", "other", "third"):
            await self.channels.create(name, name)
        self.key = await self.keys.create(owner.id, "main", "OBS", None)
        self.secret = self.keys.text(self.key)

    async def secret_for(self, channel: str) -> str:
        return self.keys.text(await self.keys.create(self.key.user_id, channel, "", None))

    async def look(self, seconds: float = 2.0) -> None:
        await self.clock.advance(seconds)
        await self.watch.reconcile(await self.engine.health(), await self.engine.publishers())

    def kinds(self):
        return [type(e).__name__ for e in self.events]


@pytest.fixture
async def rig():
    rig = Rig()
    await rig.fill()
    return rig


async def test_an_input_with_a_good_key_is_live_once_the_engine_lists_it(rig) -> None:
    client = await rig.engine.connect("main", rig.secret)
    assert client.live and not rig.publishing.claims()["main"].confirmed
    await rig.look()
    assert rig.publishing.claims()["main"].confirmed
    assert rig.kinds() == ["StreamStarted"]
    await rig.engine.disconnect(client)
    await rig.look()
    assert rig.publishing.claims() == {} and rig.kinds() == ["StreamStarted", "StreamEnded"]
    assert rig.keys.get(rig.key.id).last_used_at is not None


async def test_a_wrong_key_is_refused_with_address_and_reason_but_without_the_key(
    rig, caplog
) -> None:
    client = await rig.engine.connect("main", "abcd2345-wrong", address="192.0.2.66")
    assert client.gone
    assert "publish refused: channel=main address=192.0.2.66 reason=unknown_key" in caplog.text
    assert "abcd2345" not in caplog.text
    await rig.look()
    assert [(e.reason, e.address) for e in rig.events] == [("unknown_key", "192.0.2.66")]
    assert rig.publishing.refusal("main").reason is DenyReason.UNKNOWN_KEY
    assert rig.publishing.decisions() == {"unknown_key": 1}


async def test_a_hostile_name_is_not_written_to_the_log(rig, caplog) -> None:
    await rig.engine.connect('x"\n{"level":"info"}', rig.secret)
    assert "channel=- " in caplog.text and "level" not in caplog.text


async def test_a_second_input_is_refused_while_the_first_sends(rig) -> None:
    first = await rig.engine.connect("main", rig.secret)
    await rig.look()
    second = await rig.engine.connect("main", rig.secret)
    assert first.live and second.gone
    assert rig.publishing.refusal("main").reason is DenyReason.BUSY


async def test_a_stalled_input_gives_way_to_the_next_one(rig) -> None:
    first = await rig.engine.connect("main", rig.secret)
    await rig.look()
    first.sending = False
    for _ in range(3):
        await rig.look()
    assert rig.publishing.claims()["main"].stalled
    knocking = asyncio.create_task(rig.engine.connect("main", rig.secret))
    await rig.clock.advance(0.1)
    second = await knocking
    assert first.gone and second.live
    assert rig.publishing.claims()["main"].client_id == second.client_id


async def test_a_takeover_is_refused_when_the_engine_does_not_let_go(rig) -> None:
    first = await rig.engine.connect("main", rig.secret)
    await rig.look()
    first.sending = False
    for _ in range(3):
        await rig.look()

    async def ignored(_) -> bool:
        return True

    rig.engine.kick = ignored
    knocking = asyncio.create_task(rig.engine.connect("main", rig.secret))
    await rig.clock.advance(2)
    assert (await knocking).gone


async def test_a_takeover_while_the_engine_is_down_is_refused(rig) -> None:
    first = await rig.engine.connect("main", rig.secret)
    await rig.look()
    first.sending = False
    for _ in range(3):
        await rig.look()
    rig.engine.up = False
    request = PublishRequest("srs", "live", "main", "new", "192.0.2.7", rig.secret)
    assert await rig.publishing.on_publish(request) == Deny(DenyReason.INTERNAL)


async def test_the_limit_counts_inputs_of_all_channels(rig) -> None:
    for name in ("main", "other"):
        assert (await rig.engine.connect(name, await rig.secret_for(name))).live
    assert (await rig.engine.connect("third", await rig.secret_for("third"))).gone
    assert rig.publishing.refusal("third").reason is DenyReason.LIMIT


async def test_a_late_unpublish_of_a_former_client_ends_nothing(rig) -> None:
    await rig.engine.connect("main", rig.secret)
    await rig.publishing.on_unpublish("main", "somebody else")
    assert "main" in rig.publishing.claims()


async def test_a_replayed_hook_of_an_ended_client_is_refused(rig) -> None:
    client = await rig.engine.connect("main", rig.secret)
    await rig.look()
    await rig.engine.disconnect(client)
    again = PublishRequest("srs", "live", "main", client.client_id, "192.0.2.7", rig.secret)
    assert await rig.publishing.on_publish(again) == Deny(DenyReason.REPLAYED)


async def test_client_ids_may_come_again_after_an_engine_restart(rig) -> None:
    client = await rig.engine.connect("main", rig.secret)
    await rig.look()
    await rig.engine.disconnect(client)
    await rig.look()
    rig.engine.start()
    await rig.look()
    again = PublishRequest("srs", "live", "main", client.client_id, "192.0.2.7", rig.secret)
    assert not isinstance(await rig.publishing.on_publish(again), Deny)


async def test_the_same_hook_twice_is_one_publish(rig) -> None:
    request = PublishRequest("srs", "live", "main", "c9", "192.0.2.7", rig.secret)
    for _ in range(2):
        assert not isinstance(await rig.publishing.on_publish(request), Deny)
    assert len(rig.publishing.claims()) == 1


async def test_who_was_let_in_and_never_came_is_dropped(rig) -> None:
    await rig.publishing.on_publish(
        PublishRequest("srs", "live", "main", "ghost", "192.0.2.7", rig.secret)
    )
    await rig.look(9)
    assert "main" in rig.publishing.claims()
    await rig.look(2)
    assert rig.publishing.claims() == {} and rig.kinds() == []


async def test_a_kicked_input_stays_out_until_its_time_is_up(rig) -> None:
    client = await rig.engine.connect("main", rig.secret)
    await rig.look()
    kicking = asyncio.create_task(rig.publishing.kick("main"))
    await rig.clock.advance(0.1)
    await kicking
    assert client.gone
    assert (await rig.engine.connect("main", rig.secret)).gone
    assert rig.publishing.refusal("main").reason is DenyReason.KICKED
    await rig.look(61)
    assert (await rig.engine.connect("main", rig.secret)).live


async def test_a_rotated_key_lifts_the_kick_and_the_old_text_is_dead(rig) -> None:
    await rig.engine.connect("main", rig.secret)
    await rig.look()
    kicking = asyncio.create_task(rig.publishing.kick("main"))
    await rig.clock.advance(0.1)
    await kicking
    key = await rig.keys.rotate(rig.key.id)
    assert (await rig.engine.connect("main", rig.secret)).gone
    assert (await rig.engine.connect("main", rig.keys.text(key))).live


async def test_kicking_nobody_says_so(rig) -> None:
    with pytest.raises(NotFound):
        await rig.publishing.kick("main")


@pytest.mark.parametrize("end", ["rotate", "revoke", "stop"])
async def test_rotation_revocation_and_stop_end_a_running_publish_at_once(rig, end) -> None:
    client = await rig.engine.connect("main", rig.secret)
    await rig.look()
    ending = {
        "rotate": lambda: rig.keys.rotate(rig.key.id),
        "revoke": lambda: rig.keys.revoke(rig.key.id),
        "stop": lambda: rig.channels.set_enabled("main", False),
    }[end]
    task = asyncio.create_task(ending())
    await rig.clock.advance(0.1)
    await task
    assert client.gone and rig.publishing.claims() == {}
    assert (await rig.engine.connect("main", rig.secret)).gone


async def test_a_new_daemon_adopts_what_is_live_with_its_key_and_its_start(rig) -> None:
    client = await rig.engine.connect("main", rig.secret)
    await rig.look()
    since = rig.publishing.claims()["main"].since
    rig.start()
    await rig.load()
    await rig.look(30)
    claim = rig.publishing.claims()["main"]
    assert (claim.key_id, claim.since, claim.client_id) == (rig.key.id, since, client.client_id)
    assert rig.kinds() == []  # its start is on record already
    task = asyncio.create_task(rig.keys.revoke(rig.key.id))
    await rig.clock.advance(0.1)
    await task
    assert client.gone


async def test_a_publish_nobody_allowed_is_cut(rig) -> None:
    rig.engine.no_hooks()
    for app, name in (("vod", "main"), ("live", "nobody"), ("live", "..")):
        stranger = FakeClient(app, name, f"{app}-{name}", "192.0.2.7", live=True)
        rig.engine.clients.append(stranger)
        await rig.look()
        assert stranger.gone, (app, name)


@pytest.mark.parametrize("codecs", [("HEVC", "AAC"), ("H264", "MP3")])
async def test_other_codecs_are_cut_with_the_reason_on_the_dashboard(rig, codecs) -> None:
    client = await rig.engine.connect("main", rig.secret)
    client.video_codec, client.audio_codec = codecs
    task = asyncio.create_task(rig.look())
    await rig.clock.advance(2.1)
    await task
    assert client.gone and rig.publishing.refusal("main").reason is DenyReason.CODEC


async def test_sound_without_picture_is_cut_after_ten_seconds(rig) -> None:
    client = await rig.engine.connect("main", rig.secret)
    client.video_codec = ""
    for _ in range(6):
        task = asyncio.create_task(rig.look())
        await rig.clock.advance(2.1)
        await task
    assert client.gone and rig.publishing.refusal("main").reason is DenyReason.NO_VIDEO


async def test_picture_without_sound_is_fine(rig) -> None:
    client = await rig.engine.connect("main", rig.secret)
    client.audio_codec = ""
    for _ in range(8):
        await rig.look()
    assert client.live


async def test_a_disabled_owner_publishes_nothing(rig) -> None:
    owner = rig.users[rig.key.user_id]
    rig.users[owner.id] = replace(owner, active=False)
    assert (await rig.engine.connect("main", rig.secret)).gone


async def test_an_expired_key_is_refused(rig) -> None:
    soon = rig.clock.now() + timedelta(seconds=5)
    key = await rig.keys.create(rig.key.user_id, "main", "", soon)
    await rig.clock.advance(6)
    assert (await rig.engine.connect("main", rig.keys.text(key))).gone
    assert rig.publishing.refusal("main").reason is DenyReason.EXPIRED
