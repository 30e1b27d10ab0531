"""The database file itself: what is kept, what is refused, and that refusing changes nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import sys
import textwrap
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from putlive.adapters.store import sqlite as sqlite_adapter
from putlive.adapters.store.sqlite import SqliteStore
from putlive.adapters.store.sqlite_file import APPLICATION_ID
from putlive.adapters.store.sqlite_migrations import migrations, statements
from putlive.domain.access import Role
from putlive.domain.events import LoginFailed
from putlive.errors import DatabaseRefused, DatabaseUnavailable

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


async def make(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        await store.channels.add("news", "News")


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mode) for p in folder.iterdir() if p.is_file()}


async def refusal(path: Path) -> DatabaseRefused:
    """The refusal of `path`, after seeing that nothing around it changed."""
    before = everything(path.parent)
    with pytest.raises(DatabaseRefused) as refused:
        async with SqliteStore.open(path):
            pass
    assert everything(path.parent) == before
    assert str(path) in str(refused.value) and refused.value.hint
    assert refused.value.exit_code == 2
    return refused.value


async def test_rows_are_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "putlive.db"
    async with SqliteStore.open(path) as store:
        user = await store.users.add("ann", Role.ADMIN, "h", must_change=True)
        news = await store.channels.add("news", "News")
        await store.channels.set_rendition("news", "480p", False)
        await store.events.append(LoginFailed("eve", "a", NOON))
    async with SqliteStore.open(path) as store:
        assert await store.users.all() == [user]
        assert await store.channels.all() == [news]
        assert await store.channels.renditions() == {"news": {"480p": False}}
        assert [e.at for e in await store.events.latest(9)] == [NOON]


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "putlive.db"
    mask = os.umask(0)
    try:
        async with SqliteStore.open(path) as store:
            await store.channels.add("news", "News")
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert set(modes.values()) == {0o600}
    assert "putlive.db-wal" in modes
    path.chmod(0o644)
    async with SqliteStore.open(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_connection_is_set_up_as_designed(tmp_path: Path) -> None:
    async with SqliteStore.open(tmp_path / "putlive.db") as store:
        for pragma, value in {
            "journal_mode": "wal",
            "synchronous": 1,
            "foreign_keys": 1,
            "busy_timeout": 5000,
            "mmap_size": 0,
            "cache_size": -1000,
            "application_id": APPLICATION_ID,
            "user_version": len(migrations()),
        }.items():
            rows = await store._run(f"pragma {pragma}")
            assert (rows[0][0] if rows else 0) == value, pragma


@pytest.mark.parametrize(
    "content", [b"hello", b"\0", b"S", b"\0" * 4096, b"SQLite format 3\0" + b"x" * 5000]
)
async def test_what_is_not_a_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "putlive.db"
    path.write_bytes(content)
    assert "Restore a backup" in (await refusal(path)).hint


async def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "putlive.db"
    path.touch(0o644)
    await make(path)
    await make_again(path)


async def make_again(path: Path) -> None:
    async with SqliteStore.open(path) as store:
        assert [c.name for c in await store.channels.all()] == ["news"]


async def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "putlive.db"
    await make(path)
    whole = path.read_bytes()
    for at in range(4096, len(whole), 4096):
        path.write_bytes(whole[:at] + b"\xff" * 512 + whole[at + 512 :])
        assert "damaged" in str(await refusal(path))
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in str(await refusal(path))
    path.write_bytes(whole)
    await make_again(path)


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "putlive.db"
    await make(path)
    newer = len(migrations()) + 1
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"pragma user_version = {newer}")
    refused = await refusal(path)
    assert "newer PutLive" in str(refused) and f"version is {newer}" in str(refused)
    assert "Upgrade PutLive" in refused.hint


@pytest.mark.parametrize("setup", ["pragma application_id = 7", "create table theirs (a)"])
async def test_a_database_of_another_program_is_refused(tmp_path: Path, setup: str) -> None:
    path = tmp_path / "putlive.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(setup)
        db.commit()
    assert "another program" in str(await refusal(path))


async def test_a_folder_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "putlive.db"
    folder.mkdir()
    assert "is not a file" in str(await refusal(folder))
    missing = tmp_path / "nowhere" / "putlive.db"
    with pytest.raises(DatabaseRefused, match="No such file") as refused:
        async with SqliteStore.open(missing):
            pass
    assert refused.value.hint and not missing.parent.exists()
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseRefused, match="Not a directory"):
        async with SqliteStore.open(tmp_path / "file" / "putlive.db"):
            pass


async def test_a_time_without_a_zone_is_never_stored(tmp_path: Path) -> None:
    async with SqliteStore.open(tmp_path / "putlive.db") as store:
        with pytest.raises(ValueError, match="without a zone"):
            await store.events.append(LoginFailed("eve", "a", NOON.replace(tzinfo=None)))


KILLED = """
import asyncio, os, pathlib, signal, sys
from putlive.adapters.store.sqlite import SqliteStore
async def main():
    async with SqliteStore.open(pathlib.Path(sys.argv[1])) as store:
        await store.channels.add("news", "News")
        await store._run(f"pragma user_version = {sys.argv[2]}")
        async with store.transaction():
            await store.channels.add("lost", "Lost")
            os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def killed_while_writing(path: Path, version: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(KILLED), str(path), str(version), cwd=ROOT
    )
    assert await process.wait() == -signal.SIGKILL
    assert path.with_name(path.name + "-wal").stat().st_size > 0


async def test_a_kill_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "putlive.db"
    await killed_while_writing(path, len(migrations()))
    await make_again(path)


async def test_a_newer_database_is_refused_when_only_its_log_says_so(tmp_path: Path) -> None:
    path = tmp_path / "putlive.db"
    await killed_while_writing(path, 99)
    names = ("putlive.db", "putlive.db-wal")
    before = [(tmp_path / name).read_bytes() for name in names]
    with pytest.raises(DatabaseRefused, match="newer PutLive"):
        async with SqliteStore.open(path):
            pass
    assert [(tmp_path / name).read_bytes() for name in names] == before


async def test_the_check_sees_a_file_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "putlive.db"
    async with SqliteStore.open(path) as store:
        await store.check()
        path.rename(tmp_path / "elsewhere.db")
        with pytest.raises(DatabaseUnavailable, match="moved, deleted or replaced") as problem:
            await store.check()
        assert problem.value.status == 503 and problem.value.hint


async def test_a_lock_of_another_process_is_told_after_a_limit(
    tmp_path: Path,
) -> None:
    path = tmp_path / "putlive.db"
    async with SqliteStore.open(path) as store:
        await store._run("pragma busy_timeout = 50")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            with pytest.raises(DatabaseUnavailable, match="locked") as problem:
                await store.channels.add("news", "News")
            assert "Another process" in problem.value.hint
            with pytest.raises(DatabaseUnavailable, match="locked"):
                async with store.transaction():
                    pass
            other.execute("rollback")
        await store.channels.add("news", "News")


async def test_a_transaction_that_never_ends_does_not_hold_others_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_adapter, "TURN_SECONDS", 0.05)
    async with SqliteStore.open(tmp_path / "putlive.db") as store:
        async with store.transaction():
            waiting = asyncio.create_task(store.channels.add("news", "News"))
            with pytest.raises(DatabaseUnavailable, match="busy"):
                await waiting
        await store.channels.add("news", "News")


async def test_many_old_events_are_forgotten_in_bites(tmp_path: Path) -> None:
    async with SqliteStore.open(tmp_path / "putlive.db") as store:
        async with store.transaction():
            for number in range(2500):
                await store.events.append(LoginFailed("eve", str(number), NOON))
        assert await store.events.forget_before(NOON + timedelta(seconds=1)) == 2500


async def test_a_migration_that_fails_leaves_the_version_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "putlive.db"
    await make(path)
    bad = tmp_path / "0002_bad.sql"
    bad.write_text("create table half (a);\nselect * from absent;\n")
    monkeypatch.setattr(sqlite_adapter, "migrations", lambda: [*migrations(), bad])
    with pytest.raises(DatabaseRefused, match="no such table: absent"):
        async with SqliteStore.open(path):
            pass
    monkeypatch.undo()
    await make_again(path)


async def test_a_migration_may_rebuild_a_table_but_leave_no_orphans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "putlive.db"
    async with SqliteStore.open(path) as store:
        await store.channels.add("news", "News")
        await store.channels.set_rendition("news", "480p", True)
    script = tmp_path / "0002_rebuild.sql"
    monkeypatch.setattr(sqlite_adapter, "migrations", lambda: [*migrations(), script])
    script.write_text("delete from channels;")
    with pytest.raises(DatabaseRefused, match="without their parents"):
        async with SqliteStore.open(path):
            pass
    script.write_text(
        "create table c2 as select * from channels; drop table channels;"
        " create table channels (id integer primary key, name text unique, title, enabled,"
        " max_viewers); insert into channels select * from c2; drop table c2;"
    )
    async with SqliteStore.open(path) as store:
        assert await store.channels.renditions() == {"news": {"480p": True}}


def test_statements_are_cut_where_sqlite_says_they_end() -> None:
    script = """-- a comment; with a semicolon
        create table a (b text default ';'); insert into a values ('x;y');
        create trigger t after insert on a begin
            insert into a values (1); delete from a; -- end;
        end;
        /* last; words */"""
    found = list(statements(script))
    assert [s.split()[0] for s in found] == ["--", "insert", "create", "/*"]
    with closing(sqlite3.connect(":memory:")) as db:
        for statement in found:
            db.execute(statement)
    assert list(statements("select 1")) == ["select 1"]
    assert list(statements("")) == []
    with pytest.raises(ValueError, match="not a complete statement"):
        list(statements("select 'open;"))


def test_migrations_are_numbered_without_gaps(tmp_path: Path) -> None:
    assert [p.name[:4] for p in migrations()] == ["0001"]
    with pytest.raises(ValueError, match="not numbered"):
        migrations(tmp_path)
    for name in ("0001_a.sql", "0003_b.sql"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match="not numbered"):
        migrations(tmp_path)
