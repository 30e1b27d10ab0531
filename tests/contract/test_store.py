"""What every store does; run on SQLite and on the one the unit tests use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from putlive.adapters.store.sqlite import SqliteStore
from putlive.domain.access import Role, Session, User
from putlive.domain.events import LoginFailed, ProcessExited, PublishDenied
from putlive.domain.keys import StreamKey
from putlive.domain.streams import Channel
from putlive.errors import AlreadyExists, NotFound
from putlive.ports import Store
from tests.fake_store import MemoryStore

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    async with SqliteStore.open(tmp_path / "putlive.db") as store:
        yield store


async def owner(store: Store, name: str = "ann") -> User:
    return await store.users.add(name, Role.OPERATOR, "hash", must_change=False)


def key(id: str = "abcd2345", **changes: object) -> StreamKey:
    made = StreamKey(id, "news", 1, "studio", 1, NOON)
    return replace(made, **changes)  # type: ignore[arg-type]


def session(id: str = "s1", **changes: object) -> Session:
    made = Session(id, 1, "refresh hash", NOON, NOON + HOUR, "192.0.2.7", "curl/8")
    return replace(made, **changes)  # type: ignore[arg-type]


# Channels


async def test_channels_come_in_the_order_they_were_added(store: Store) -> None:
    assert await store.channels.all() == []
    news = await store.channels.add("news", "The News")
    art = await store.channels.add("art", "Ärt — 艺术 🎬")
    assert news == Channel(news.id, "news", "The News", enabled=True, max_viewers=0)
    assert await store.channels.all() == [news, art]
    assert news.id != art.id


async def test_a_channel_name_is_taken_once(store: Store) -> None:
    news = await store.channels.add("news", "The News")
    with pytest.raises(AlreadyExists, match="news"):
        await store.channels.add("news", "Other")
    assert await store.channels.all() == [news]


async def test_a_channel_is_saved_but_never_renamed(store: Store) -> None:
    news = await store.channels.add("news", "The News")
    art = await store.channels.add("art", "Art")
    await store.channels.save(Channel(news.id, "other", "Late News", False, 50))
    assert await store.channels.all() == [Channel(news.id, "news", "Late News", False, 50), art]


async def test_an_unknown_channel_cannot_be_saved(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.channels.save(Channel(7, "news", "News"))
    assert await store.channels.all() == []


async def test_renditions_are_remembered_per_channel(store: Store) -> None:
    await store.channels.add("news", "News")
    await store.channels.add("art", "Art")
    assert await store.channels.renditions() == {}
    await store.channels.set_rendition("news", "480p", False)
    await store.channels.set_rendition("art", "480p", True)
    await store.channels.set_rendition("news", "144p", True)
    await store.channels.set_rendition("news", "480p", True)
    assert await store.channels.renditions() == {
        "news": {"480p": True, "144p": True},
        "art": {"480p": True},
    }


async def test_a_rendition_of_an_unknown_channel_is_refused(store: Store) -> None:
    with pytest.raises(NotFound, match="news"):
        await store.channels.set_rendition("news", "480p", True)
    assert await store.channels.renditions() == {}


# Keys


async def test_keys_keep_every_field(store: Store) -> None:
    await owner(store)
    await store.channels.add("news", "News")
    first = key("zzzz2345")
    second = key(
        label="Ä; drop table stream_keys; --",
        version=3,
        expires_at=NOON + HOUR,
        revoked_at=NOON + timedelta(microseconds=1),
        blocked_until=NOON - HOUR,
        last_used_at=NOON.astimezone(timezone(timedelta(hours=5, minutes=30))),
    )
    await store.keys.add(first)
    await store.keys.add(second)
    assert await store.keys.all() == [first, second]


async def test_a_key_is_saved_whole_and_keeps_its_place(store: Store) -> None:
    await owner(store)
    bob = await owner(store, "bob")
    await store.channels.add("news", "News")
    await store.channels.add("art", "Art")
    await store.keys.add(key("aaaa2345"))
    await store.keys.add(key("bbbb2345"))
    changed = key("aaaa2345", channel="art", user_id=bob.id, version=2, last_used_at=NOON)
    await store.keys.save(changed)
    assert await store.keys.all() == [changed, key("bbbb2345")]
    await store.keys.save(key("aaaa2345"))
    assert (await store.keys.all())[0] == key("aaaa2345")


async def test_a_key_id_is_taken_once(store: Store) -> None:
    await owner(store)
    await store.channels.add("news", "News")
    await store.keys.add(key())
    with pytest.raises(AlreadyExists):
        await store.keys.add(key(label="other"))
    assert await store.keys.all() == [key()]


async def test_a_key_needs_its_channel_and_its_user(store: Store) -> None:
    await owner(store)
    await store.channels.add("news", "News")
    for wrong in (key(channel="nope"), key(user_id=7)):
        with pytest.raises(NotFound):
            await store.keys.add(wrong)
    await store.keys.add(key())
    for wrong in (key(channel="nope"), key(user_id=7), key("unknown2")):
        with pytest.raises(NotFound):
            await store.keys.save(wrong)
    assert await store.keys.all() == [key()]


# Users


async def test_users_come_in_the_order_they_were_added(store: Store) -> None:
    zoe = await store.users.add("Zoe", Role.ADMIN, "h1", must_change=True)
    ann = await store.users.add("ann", Role.VIEWER, "h2", must_change=False)
    assert await store.users.all() == [zoe, ann]
    assert (zoe.name, zoe.role, zoe.password_hash) == ("Zoe", Role.ADMIN, "h1")
    assert (zoe.active, zoe.must_change_password) == (True, True)
    assert (ann.role, ann.must_change_password) == (Role.VIEWER, False)
    assert zoe.created_at is not None and zoe.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("name,same", [("Zoe", "zOE"), ("Ärger", "äRGER"), ("Straße", "STRASSE")])
async def test_a_user_name_is_taken_in_any_case(store: Store, name: str, same: str) -> None:
    user = await store.users.add(name, Role.ADMIN, "h1", must_change=False)
    with pytest.raises(AlreadyExists, match=same):
        await store.users.add(same, Role.VIEWER, "h2", must_change=False)
    assert await store.users.all() == [user]


async def test_a_user_is_saved_but_never_renamed(store: Store) -> None:
    ann = await owner(store)
    changed = replace(
        ann, role=Role.ADMIN, password_hash="new", active=False, must_change_password=True
    )
    await store.users.save(replace(changed, name="eve", created_at=None))
    assert await store.users.all() == [changed]


async def test_an_unknown_user_cannot_be_saved(store: Store) -> None:
    ann = await owner(store)
    with pytest.raises(NotFound):
        await store.users.save(replace(ann, id=ann.id + 1))
    assert await store.users.all() == [ann]


# Sessions


async def test_sessions_keep_every_field(store: Store) -> None:
    await owner(store)
    await store.sessions.add(session("s2"))
    await store.sessions.add(session("s1", address="2001:db8::1", agent="Ünïcode 📺"))
    assert await store.sessions.all() == [
        session("s2"),
        session("s1", address="2001:db8::1", agent="Ünïcode 📺"),
    ]


async def test_a_session_is_saved_whole(store: Store) -> None:
    await owner(store)
    bob = await owner(store, "bob")
    await store.sessions.add(session())
    changed = session(
        user_id=bob.id, refresh_hash="other", expires_at=NOON + 2 * HOUR, address="", agent="x"
    )
    await store.sessions.save(changed)
    assert await store.sessions.all() == [changed]


async def test_a_revoked_session_is_gone(store: Store) -> None:
    await owner(store)
    await store.sessions.add(session())
    await store.sessions.add(session("s2"))
    await store.sessions.save(session(revoked_at=NOON))
    assert await store.sessions.all() == [session("s2")]
    with pytest.raises(AlreadyExists):
        await store.sessions.add(session())


async def test_a_session_needs_an_id_of_its_own_and_a_user(store: Store) -> None:
    await owner(store)
    await store.sessions.add(session())
    with pytest.raises(AlreadyExists):
        await store.sessions.add(session(agent="other"))
    for wrong in (session("s2", user_id=7), session(user_id=7)):
        with pytest.raises(NotFound):
            await (store.sessions.add if wrong.id == "s2" else store.sessions.save)(wrong)
    with pytest.raises(NotFound):
        await store.sessions.save(session("unknown"))
    assert await store.sessions.all() == [session()]


async def test_sessions_that_expired_before_a_time_are_forgotten(store: Store) -> None:
    await owner(store)
    for hours in (1, 2, 3):
        await store.sessions.add(session(f"s{hours}", expires_at=NOON + hours * HOUR))
    await store.sessions.save(session("s1", expires_at=NOON + HOUR, revoked_at=NOON))
    assert await store.sessions.forget_before(NOON + 3 * HOUR) == 2
    assert [s.id for s in await store.sessions.all()] == ["s3"]
    assert await store.sessions.forget_before(NOON + 3 * HOUR) == 0


# Events


async def test_events_come_newest_first(store: Store) -> None:
    await store.events.append(PublishDenied("news", "192.0.2.1", "busy", NOON))
    await store.events.append(LoginFailed("eve", "192.0.2.2", NOON - HOUR))
    failed, denied = await store.events.latest(5)
    assert (denied.kind, denied.at, denied.body) == (
        "publish_denied",
        NOON,
        {"channel": "news", "address": "192.0.2.1", "reason": "busy", "at": NOON.isoformat()},
    )
    assert (failed.kind, failed.at) == ("login_failed", NOON - HOUR)
    assert failed.id > denied.id
    assert list(await store.events.latest(1)) == [failed]
    assert list(await store.events.latest(0)) == []
    assert list(await store.events.latest(-1)) == []


async def test_events_are_chosen_by_kind(store: Store) -> None:
    await store.events.append(LoginFailed("eve", "a", NOON))
    await store.events.append(PublishDenied("news", "a", "busy", NOON))
    await store.events.append(ProcessExited("engine", -9, 1.5, "backoff", "killed", NOON))
    kinds = [e.kind for e in await store.events.latest(9, kinds=["login_failed", "process_exited"])]
    assert kinds == ["process_exited", "login_failed"]
    assert list(await store.events.latest(9, kinds=["nope"])) == []
    assert len(await store.events.latest(1, kinds=("login_failed",))) == 1


async def test_an_event_may_carry_any_text(store: Store) -> None:
    text = "\x00\ud800'\"; drop table events; -- 📺\n"
    await store.events.append(PublishDenied(text, text, "bad_name", NOON))
    (row,) = await store.events.latest(1)
    assert (row.body["channel"], row.body["address"]) == (text, text)


async def test_old_events_are_forgotten_and_their_numbers_not_used_again(store: Store) -> None:
    for hours in range(3):
        await store.events.append(LoginFailed("eve", "a", NOON + hours * HOUR))
    last = (await store.events.latest(1))[0].id
    assert await store.events.forget_before(NOON + 2 * HOUR) == 2
    assert [e.at for e in await store.events.latest(9)] == [NOON + 2 * HOUR]
    assert await store.events.forget_before(NOON + 9 * HOUR) == 1
    await store.events.append(LoginFailed("eve", "a", NOON))
    assert (await store.events.latest(1))[0].id > last


# Transactions


async def test_a_transaction_keeps_everything(store: Store) -> None:
    async with store.transaction():
        await owner(store)
        await store.channels.add("news", "News")
        await store.keys.add(key())
        assert len(await store.keys.all()) == 1
    assert await store.keys.all() == [key()]


async def test_a_failed_transaction_keeps_nothing(store: Store) -> None:
    news = await store.channels.add("news", "News")
    with pytest.raises(ZeroDivisionError):
        async with store.transaction():
            await owner(store)
            await store.channels.save(replace(news, enabled=False))
            await store.channels.set_rendition("news", "480p", True)
            await store.keys.add(key())
            await store.sessions.add(session())
            await store.events.append(LoginFailed("eve", "a", NOON))
            raise ZeroDivisionError
    assert await store.channels.all() == [news]
    assert await store.channels.renditions() == {}
    assert not await store.keys.all() and not await store.users.all()
    assert not await store.sessions.all()
    assert list(await store.events.latest(9)) == []
    await owner(store)  # and the store goes on


async def test_an_error_that_is_handled_inside_a_transaction_does_not_end_it(store: Store) -> None:
    async with store.transaction():
        await store.channels.add("news", "News")
        with pytest.raises(AlreadyExists):
            await store.channels.add("news", "News")
        with pytest.raises(NotFound):
            await store.keys.add(key())
        await store.channels.add("art", "Art")
    assert [c.name for c in await store.channels.all()] == ["news", "art"]


async def test_a_transaction_inside_another_fails_alone_or_with_it(store: Store) -> None:
    async with store.transaction():
        await store.channels.add("news", "News")
        with pytest.raises(ZeroDivisionError):
            async with store.transaction():
                await store.channels.add("lost", "Lost")
                raise ZeroDivisionError
        async with store.transaction():
            await store.channels.add("art", "Art")
    assert [c.name for c in await store.channels.all()] == ["news", "art"]
    with pytest.raises(ZeroDivisionError):
        async with store.transaction():
            async with store.transaction():
                await store.channels.add("lost", "Lost")
            raise ZeroDivisionError
    assert [c.name for c in await store.channels.all()] == ["news", "art"]


async def test_tasks_do_not_share_a_transaction(store: Store) -> None:
    inside, go = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        async with store.transaction():
            await store.channels.add("lost", "Lost")
            inside.set()
            await go.wait()
            raise ZeroDivisionError

    failing = asyncio.create_task(fail())
    await inside.wait()
    adding = asyncio.create_task(store.channels.add("kept", "Kept"))
    looking = asyncio.create_task(store.channels.all())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not adding.done() and not looking.done()  # nobody sees what may not last
    go.set()
    with pytest.raises(ZeroDivisionError):
        await failing
    await adding
    assert [c.name for c in await looking] == ["kept"]
    assert [c.name for c in await store.channels.all()] == ["kept"]


async def test_many_tasks_take_turns(store: Store) -> None:
    news = await store.channels.add("news", "News")

    async def one_more() -> None:
        async with store.transaction():
            channel = (await store.channels.all())[0]
            await asyncio.sleep(0)
            await store.channels.save(replace(channel, max_viewers=channel.max_viewers + 1))

    await asyncio.gather(*(one_more() for _ in range(20)))
    assert await store.channels.all() == [replace(news, max_viewers=20)]


@pytest.mark.parametrize("turns", range(12))
async def test_a_task_cancelled_at_any_point_leaves_all_or_nothing(
    store: Store, turns: int
) -> None:
    async def add_two() -> None:
        async with store.transaction():
            await store.channels.add("news", "News")
            await store.channels.add("art", "Art")

    task = asyncio.create_task(add_two())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(await store.channels.all()) in (0, 2)
    async with store.transaction():
        await store.channels.add("more", "More")


async def test_the_check_passes_and_waits_for_nobody_in_its_own_transaction(store: Store) -> None:
    await store.check()
    async with store.transaction():
        await store.check()
