"""How values look in the columns of the database, and how a repository reaches it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Protocol, Union, overload

Value = Union[str, int, None]
Row = tuple[Any, ...]


class Run(Protocol):
    """Runs one statement and returns its rows, inside the caller's transaction if it has one.

    Raises `sqlite3.IntegrityError` when a constraint is hurt and `DatabaseUnavailable` when the
    database cannot be used.
    """

    async def __call__(self, sql: str, *values: Value) -> list[Row]: ...


@overload
def time_text(time: datetime) -> str: ...
@overload
def time_text(time: datetime | None) -> str | None: ...
def time_text(time: datetime | None) -> str | None:
    """UTC in one fixed width, so that text compares as time does; naive times are a bug."""
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return time.astimezone(timezone.utc).isoformat(timespec="microseconds")


@overload
def read_time(text: str) -> datetime: ...
@overload
def read_time(text: None) -> None: ...
def read_time(text: str | None) -> datetime | None:
    """What `time_text` wrote."""
    return datetime.fromisoformat(text) if text is not None else None
