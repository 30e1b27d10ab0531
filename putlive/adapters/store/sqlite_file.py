"""A look at a database file before anything is done to it: ours, readable, whole, not too new.

Looking changes neither the file nor its write-ahead log; what is refused stays as it was.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from putlive.errors import DatabaseRefused

APPLICATION_ID = 0x50754C76  # "PuLv"; https://www.sqlite.org/fileformat2.html#application_id
_SMALLEST = 512  # bytes of the smallest page a database consists of
_RESTORE = (
    "Restore a backup in its place, or move the file away and PutLive starts with an empty"
    " database. PutLive changed nothing in it."
)
_MOVE = "Move it away or choose another state folder. PutLive changed nothing in it."


def inspect(path: Path, newest: int) -> None:
    """Return when `path` is missing, empty or a whole PutLive database of version <= `newest`.

    Raises `DatabaseRefused` for everything else.
    """
    try:
        if not _has_content(path):
            return
        with closing(_open_to_look(path)) as db:
            _look(path, db, newest)
    except sqlite3.Error as error:
        if "not a database" in str(error):
            raise DatabaseRefused(f"{path} is not an SQLite database.", hint=_RESTORE) from error
        raise DatabaseRefused(f"The database {path} is damaged: {error}.", hint=_RESTORE) from error
    except OSError as error:
        raise refused_by_system(path, error) from error


def create(path: Path) -> None:
    """Make the file, or the one that is there, readable by its owner only.

    SQLite gives its write-ahead log the mode of the database.
    """
    try:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            path.chmod(0o600)
    except OSError as error:
        raise refused_by_system(path, error) from error


def refused_by_system(path: Path, error: OSError) -> DatabaseRefused:
    """The operating system does not let us at the file."""
    return DatabaseRefused(
        f"The database {path} cannot be opened: {error.strerror}.",
        hint="Give the user PutLive runs as a folder it may write to, with this file its own.",
    )


def _has_content(path: Path) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode):
        raise DatabaseRefused(f"The database {path} is not a file.", hint=_MOVE)
    if 0 < status.st_size < _SMALLEST:  # SQLite takes a file of one byte for an empty one
        raise DatabaseRefused(f"{path} is not an SQLite database.", hint=_RESTORE)
    return status.st_size > 0


def _open_to_look(path: Path) -> sqlite3.Connection:
    # Without a log the main file is the whole truth, and `immutable` keeps SQLite from making
    # files beside it. After a crash the log counts, and SQLite has to read it.
    log = path.with_name(path.name + "-wal")
    whole = not log.exists() or log.stat().st_size == 0
    options = "mode=ro&immutable=1" if whole else "mode=ro"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=5.0)


def _look(path: Path, db: sqlite3.Connection, newest: int) -> None:
    owner, version = _number(db, "pragma application_id"), _number(db, "pragma user_version")
    if owner == APPLICATION_ID and version > newest:
        raise DatabaseRefused(
            f"The database {path} was written by a newer PutLive"
            f" (its version is {version}, this program knows {newest}).",
            hint="Upgrade PutLive, or restore a backup from before the upgrade."
            " PutLive changed nothing in it.",
        )
    db.execute("pragma cache_size = -1000")
    verdict = db.execute("pragma quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise DatabaseRefused(f"The database {path} is damaged: {verdict}.", hint=_RESTORE)
    empty = _number(db, "select count(*) from sqlite_master") == 0
    if owner != APPLICATION_ID and not (empty and owner == 0):
        raise DatabaseRefused(
            f"{path} is a database of another program, not of PutLive.", hint=_MOVE
        )


def _number(db: sqlite3.Connection, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])
