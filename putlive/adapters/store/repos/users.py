"""Users; their names are distinct whatever the case of the letters."""

from __future__ import annotations

from collections.abc import Sequence

from putlive.adapters.store.repos.columns import Row, Run, read_time
from putlive.domain.access import Role, User
from putlive.errors import AlreadyExists, NotFound

_COLUMNS = "id, name, role, password_hash, active, must_change_password, created_at"
# The database's own clock: a store is given none, and people only want to know the day.
_NOW = "strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00'"


class SqliteUsers:
    """`UserRepo`; users come in the order they were added."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def all(self) -> Sequence[User]:
        return [_user(row) for row in await self._run(f"select {_COLUMNS} from users order by id")]

    async def add(self, name: str, role: Role, password_hash: str, *, must_change: bool) -> User:
        rows = await self._run(
            "insert into users"
            " (name, folded_name, role, password_hash, must_change_password, created_at)"
            f" values (?, ?, ?, ?, ?, {_NOW})"
            f" on conflict (folded_name) do nothing returning {_COLUMNS}",
            name,
            name.casefold(),
            role.value,
            password_hash,
            must_change,
        )
        if not rows:
            raise AlreadyExists(f"There is a user called {name} already.")
        return _user(rows[0])

    async def save(self, user: User) -> None:
        rows = await self._run(
            "update users set role = ?, password_hash = ?, active = ?, must_change_password = ?"
            " where id = ? returning id",
            user.role.value,
            user.password_hash,
            user.active,
            user.must_change_password,
            user.id,
        )
        if not rows:
            raise NotFound(f"There is no user number {user.id}.")


def _user(row: Row) -> User:
    id, name, role, password_hash, active, must_change, created = row
    return User(
        id, name, Role(role), password_hash, bool(active), bool(must_change), read_time(created)
    )
