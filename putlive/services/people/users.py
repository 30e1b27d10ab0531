"""Users: kept in memory, stored before they count; a station always keeps an active admin."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from putlive.domain.access import Role, User, password_problem
from putlive.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from putlive.ports import Passwords, UserRepo

MAX_USERS = 200
NAME_RULE = "1 to 32 of letters, digits, '.', '_' and '-', starting with a letter or digit"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")

EndAll = Callable[[int], Awaitable[None]]  # ends whatever the user with this id is logged in to


class UserService:
    """Makes, changes and finds users (AU1)."""

    def __init__(self, repo: UserRepo, passwords: Passwords) -> None:
        self._repo = repo
        self._passwords = passwords
        self._users: dict[int, User] = {}
        self._end_all: list[EndAll] = []
        self._turn = asyncio.Lock()

    async def load(self) -> None:
        """Read every user; called once at start."""
        self._users = {u.id: u for u in await self._repo.all()}

    def on_end(self, end_all: EndAll) -> None:
        """Call `end_all` whenever a user is disabled or gets another password."""
        self._end_all.append(end_all)

    def all(self) -> Sequence[User]:
        """Every user, in the order in which they were made."""
        return sorted(self._users.values(), key=lambda u: u.id)

    def find(self, id: int) -> User | None:
        """One user, or None."""
        return self._users.get(id)

    def get(self, id: int) -> User:
        """One user, or `NotFound`."""
        if id not in self._users:
            raise NotFound("There is no such user.", hint="List the users to see their ids.")
        return self._users[id]

    def named(self, name: str) -> User | None:
        """The user of that name, whatever the case of its letters, or None."""
        wanted = name.casefold()
        return next((u for u in self._users.values() if u.name.casefold() == wanted), None)

    async def create(self, name: str, role: Role, password: str | None) -> tuple[User, str | None]:
        """Make a user. Without a password it gets a one-time password, which is returned.

        Raises `InvalidInput`, `AlreadyExists` or `Conflict`.
        """
        self._check_new(name, password)
        once = one_time_password() if password is None else None
        hashed = await self._passwords.hash(password or str(once))
        async with self._turn:
            user = await self._repo.add(name, role, hashed, must_change=once is not None)
            self._users[user.id] = user
        return user, once

    async def change(
        self,
        id: int,
        *,
        role: Role | None = None,
        active: bool | None = None,
        reset_password: bool = False,
    ) -> tuple[User, str | None]:
        """Change role or activity, or give a one-time password, which is returned.

        Disabling and a reset end every login of the user at once. Raises `NotFound`, or
        `Conflict` when no active admin would be left.
        """
        self.get(id)
        once = one_time_password() if reset_password else None
        hashed = await self._passwords.hash(once) if once else None
        async with self._turn:
            user = _changed(self.get(id), role, active, hashed)
            self._keep_an_admin(user)
            await self._save(user)
            if once or not user.active:
                await self._end(id)
        return user, once

    async def set_password(self, id: int, password: str) -> User:
        """Give a user a password of their own choice; ends every login. Raises `InvalidInput`."""
        if problem := password_problem(password):
            raise InvalidInput("The new password is not good.", fields={"new_password": problem})
        hashed = await self._passwords.hash(password)
        async with self._turn:
            user = replace(self.get(id), password_hash=hashed, must_change_password=False)
            await self._save(user)
            await self._end(id)
        return user

    def _check_new(self, name: str, password: str | None) -> None:
        fields = {} if _NAME.match(name) else {"username": f"Use {NAME_RULE}."}
        problem = password_problem(password) if password is not None else ""
        if problem:
            fields["password"] = problem
        if fields:
            raise InvalidInput("That is not a good user.", fields=fields)
        if self.named(name) is not None:
            raise AlreadyExists(f"There is a user {name} already.", hint="Take another name.")
        if len(self._users) >= MAX_USERS:
            raise Conflict(f"A station has at most {MAX_USERS} users.")

    def _keep_an_admin(self, changed: User) -> None:
        after = [changed if u.id == changed.id else u for u in self._users.values()]
        if not any(u.active and u.role is Role.ADMIN for u in after):
            raise Conflict(
                "This is the last active admin.", hint="Make somebody else an admin first."
            )

    async def _end(self, id: int) -> None:
        for end_all in self._end_all:
            await end_all(id)

    async def _save(self, user: User) -> None:
        await self._repo.save(user)
        self._users[user.id] = user


def one_time_password() -> str:
    """Twenty letters in groups of five, 99 random bits, without letters that look alike."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def _changed(user: User, role: Role | None, active: bool | None, hashed: str | None) -> User:
    return replace(
        user,
        role=role or user.role,
        active=user.active if active is None else active,
        password_hash=hashed or user.password_hash,
        must_change_password=user.must_change_password or hashed is not None,
    )
