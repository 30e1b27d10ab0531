"""SQLite behind the port `Store`: one connection, one writer, a lock around every turn."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import anyio

from putlive.adapters.store.repos.channels import SqliteChannels
from putlive.adapters.store.repos.columns import Row, Value
from putlive.adapters.store.repos.events import SqliteEvents
from putlive.adapters.store.repos.keys import SqliteKeys
from putlive.adapters.store.repos.sessions import SqliteSessions
from putlive.adapters.store.repos.users import SqliteUsers
from putlive.adapters.store.sqlite_file import APPLICATION_ID, create, inspect
from putlive.adapters.store.sqlite_migrations import migrations, statements
from putlive.errors import DatabaseRefused, DatabaseUnavailable

TURN_SECONDS = 10.0  # longest wait for the transactions of other tasks
BUSY_SECONDS = 5.0  # longest wait for another process, such as a backup

_PRAGMAS = (
    f"busy_timeout = {int(BUSY_SECONDS * 1000)}",
    "cache_size = -1000",  # one megabyte is plenty here, and memory is what hosts are short of
    "mmap_size = 0",
    "journal_mode = wal",
    "synchronous = normal",  # with a log: a power cut may lose the last commits, never the rest
    "journal_size_limit = 4194304",
)
_REMEDIES = {
    "locked": "Another process keeps it locked. Close what else has it open.",
    "full": "The disk is full. Free some space.",
    "readonly": "PutLive may not write to it. Look at its owner and at the file system.",
    "I/O": "Look at the disk and at what the kernel says about it.",
    "malformed": "It is damaged. Stop PutLive and restore a backup.",
}


class SqliteStore:
    """The database of a station.

    A task inside `transaction()` has the connection for itself: statements of other tasks wait,
    else they would join that transaction and be lost with its rollback. A task it starts is
    another task; waiting for one that uses the store ends in `DatabaseUnavailable`.
    """

    def __init__(self, db: aiosqlite.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._inode = path.stat().st_ino
        self._lock = asyncio.Lock()
        self._owner: asyncio.Task[object] | None = None
        self.channels = SqliteChannels(self._run)
        self.keys = SqliteKeys(self._run)
        self.users = SqliteUsers(self._run)
        self.sessions = SqliteSessions(self._run)
        self.events = SqliteEvents(self._run)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[SqliteStore]:
        """Open or make the database at `path` and bring it up to date.

        Raises `DatabaseRefused`, and changes nothing, when the file is damaged, of another
        program or of a newer PutLive.
        """
        files = migrations()
        inspect(path, len(files))
        create(path)
        async with aiosqlite.connect(path, isolation_level=None, cached_statements=32) as db:
            store = cls(db, path)
            try:
                await store._prepare(files)
            except (DatabaseUnavailable, sqlite3.IntegrityError) as error:
                raise DatabaseRefused(
                    f"The database {path} cannot be brought up to date: {error}",
                    hint=getattr(error, "hint", "") or "Restore a backup or report this.",
                ) from error
            yield store

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Keep everything done inside, or nothing; one inside another is a part of it."""
        inner = self._mine()
        async with self._turn():
            try:
                await self._execute("savepoint part" if inner else "begin immediate")
                yield
                await self._execute("release part" if inner else "commit")
            except BaseException:
                await self._undo(inner)
                raise

    async def check(self) -> None:
        """Read one row and see that the file is still the one that was opened.

        Raises `DatabaseUnavailable`.
        """
        await self._run("select id from channels limit 1")
        if _inode(self._path) != self._inode:
            raise DatabaseUnavailable(
                f"The database {self._path} was moved, deleted or replaced while PutLive runs.",
                hint="Put the file back or restore a backup, then restart PutLive.",
            )

    def _mine(self) -> bool:
        return self._owner is not None and self._owner is asyncio.current_task()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._mine():
            yield
            return
        await self._wait_for_turn()
        self._owner = asyncio.current_task()
        try:
            yield
        finally:
            self._owner = None
            self._lock.release()

    async def _wait_for_turn(self) -> None:
        try:
            with anyio.fail_after(TURN_SECONDS):
                await self._lock.acquire()
        except TimeoutError as error:
            raise DatabaseUnavailable(
                f"The database was busy for {TURN_SECONDS:.0f} seconds.", hint="Try again."
            ) from error

    async def _run(self, sql: str, *values: Value) -> list[Row]:
        async with self._turn():
            return await self._execute(sql, values)

    async def _execute(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        try:
            return [tuple(row) for row in await self._db.execute_fetchall(sql, values)]
        except sqlite3.IntegrityError:
            raise  # a repository knows what it means
        except sqlite3.Error as error:
            remedy = next((r for word, r in _REMEDIES.items() if word in str(error)), "")
            raise DatabaseUnavailable(f"The database failed: {error}.", hint=remedy) from error

    async def _undo(self, inner: bool) -> None:
        # A cancelled `begin` or `commit` may still be on its way to the connection's thread; it
        # takes what it is given in order, and `rollback()` is no error without a transaction.
        if not inner:
            await self._db.rollback()
            return
        await self._execute("rollback to part")
        await self._execute("release part")

    async def _prepare(self, files: Sequence[Path]) -> None:
        for pragma in _PRAGMAS:
            await self._execute(f"pragma {pragma}")
        version = (await self._execute("pragma user_version"))[0][0]
        for number, file in enumerate(files[version:], version + 1):
            await self._migrate(number, file.read_text(encoding="utf-8"))
        await self._execute("pragma foreign_keys = on")

    async def _migrate(self, number: int, script: str) -> None:
        # Foreign keys are off so that a migration may rebuild a table; they are checked after it.
        async with self.transaction():
            for statement in statements(script):
                await self._execute(statement)
            if await self._execute("pragma foreign_key_check"):
                raise DatabaseUnavailable(f"migration {number} left rows without their parents")
            await self._execute(f"pragma application_id = {APPLICATION_ID}")
            await self._execute(f"pragma user_version = {number}")


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
