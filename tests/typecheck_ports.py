"""Read by mypy only: each adapter and each fake really is the port it stands for."""

from __future__ import annotations

from putlive.adapters.store.sqlite import SqliteStore
from putlive.ports import Store
from tests.fake_store import MemoryStore


def stores(sqlite: SqliteStore) -> list[Store]:
    return [sqlite, MemoryStore()]
