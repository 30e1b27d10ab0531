from __future__ import annotations

from datetime import timedelta

import pytest

from putlive.domain.access import Role
from putlive.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from putlive.services.ingest import channels as channels_module
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.keys import KeyService
from tests.fake_store import MemoryStore
from tests.fakes import FakeClock


class Rig:
    def __init__(self) -> None:
        self.store, self.clock, self.cut = MemoryStore(), FakeClock(), []
        self.channels = ChannelService(self.store.channels)
        self.keys = KeyService(self.store.keys, self.clock, b"station")
        self.keys.on_end(self.note)
        self.channels.on_stop(self.note)

    async def note(self, what: str) -> None:
        self.cut.append(what)


@pytest.fixture
async def rig():
    rig = Rig()
    rig.user = await rig.store.users.add("anna", Role.OPERATOR, "", must_change=False)
    await rig.channels.create("main", "Main")
    return rig


async def test_a_key_is_found_by_its_text_only(rig) -> None:
    key = await rig.keys.create(rig.user.id, "main", "OBS", None)
    assert rig.keys.find(rig.keys.text(key)) == key
    for wrong in ("", key.id, rig.keys.text(key) + "a", rig.keys.text(key).upper(), "x" * 5000):
        assert rig.keys.find(wrong) is None


async def test_keys_survive_a_restart_and_the_database_holds_no_text(rig) -> None:
    key = await rig.keys.create(rig.user.id, "main", "OBS", None)
    again = KeyService(rig.store.keys, rig.clock, b"station")
    await again.load()
    assert again.find(rig.keys.text(key)) == key
    stranger = KeyService(rig.store.keys, rig.clock, b"another station")
    await stranger.load()
    assert stranger.find(rig.keys.text(key)) is None
    assert rig.keys.text(key).split("-")[1] not in repr(await rig.store.keys.all())


async def test_rotation_changes_the_text_lifts_a_kick_and_cuts(rig) -> None:
    key = await rig.keys.create(rig.user.id, "main", "OBS", None)
    old = rig.keys.text(key)
    await rig.keys.block(key.id, rig.clock.now() + timedelta(minutes=1))
    new = await rig.keys.rotate(key.id)
    assert (rig.keys.find(old), new.blocked_until, rig.cut) == (None, None, [key.id])
    assert rig.keys.find(rig.keys.text(new)) == new


async def test_revocation_is_for_good_and_cuts_once(rig) -> None:
    key = await rig.keys.create(rig.user.id, "main", "OBS", None)
    for _ in range(2):
        assert (await rig.keys.revoke(key.id)).revoked_at == rig.clock.now()
    assert rig.cut == [key.id]
    with pytest.raises(Conflict):
        await rig.keys.rotate(key.id)


async def test_a_key_that_would_be_expired_is_refused_with_the_field(rig) -> None:
    with pytest.raises(InvalidInput) as error:
        await rig.keys.create(rig.user.id, "main", "", rig.clock.now())
    assert "expires_at" in error.value.fields


async def test_unknown_keys_are_said_to_be_unknown(rig) -> None:
    with pytest.raises(NotFound):
        rig.keys.get("nothing1")
    await rig.keys.block("nothing1", rig.clock.now())
    await rig.keys.used("nothing1", rig.clock.now())


async def test_use_is_written_down(rig) -> None:
    key = await rig.keys.create(rig.user.id, "main", "", None)
    await rig.keys.used(key.id, rig.clock.now())
    assert (await rig.store.keys.all())[0].last_used_at == rig.clock.now()


async def test_channels_are_listed_in_the_order_they_were_made(rig) -> None:
    await rig.channels.create("b-side", "")
    assert [(c.name, c.title) for c in rig.channels.all()] == [
        ("main", "Main"),
        ("b-side", "b-side"),
    ]
    again = ChannelService(rig.store.channels)
    await again.load()
    assert again.all() == rig.channels.all()


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a/b", "..", "a" * 41, "a\n"])
async def test_bad_channel_names_are_refused_with_the_rule(rig, name) -> None:
    with pytest.raises(InvalidInput) as error:
        await rig.channels.create(name, "")
    assert "1 to 40" in error.value.fields["name"]


async def test_a_taken_name_and_too_many_channels_are_refused(rig, monkeypatch) -> None:
    with pytest.raises(AlreadyExists):
        await rig.channels.create("main", "")
    monkeypatch.setattr(channels_module, "MAX_CHANNELS", 1)
    with pytest.raises(Conflict):
        await rig.channels.create("second", "")


async def test_stopping_a_channel_cuts_its_input_and_is_kept(rig) -> None:
    assert not (await rig.channels.set_enabled("main", False)).enabled
    assert rig.cut == ["main"]
    assert not (await rig.store.channels.all())[0].enabled
    assert (await rig.channels.set_enabled("main", True)).enabled and rig.cut == ["main"]
    with pytest.raises(NotFound):
        await rig.channels.set_enabled("nothing", True)
