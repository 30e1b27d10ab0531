"""Users, roles and what each role may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

MAX_PASSWORD_BYTES = 72  # bcrypt reads no further; more is refused, never cut (C11)
MIN_PASSWORD_CHARS = 10


class Role(str, Enum):
    """Each role may do what the ones below it may."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


_RIGHTS: dict[Role, frozenset[str]] = {
    Role.VIEWER: frozenset({"look"}),
    Role.OPERATOR: frozenset({"look", "publish", "operate"}),
    Role.ADMIN: frozenset({"look", "publish", "operate", "administer"}),
}


def may(role: Role, right: str) -> bool:
    """Whether `role` has `right`: look, publish, operate (start, kick, keys) or administer."""
    return right in _RIGHTS[role]


@dataclass(frozen=True)
class User:
    """Somebody who can log in."""

    id: int
    name: str
    role: Role
    password_hash: str = field(repr=False)
    active: bool = True
    must_change_password: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True)
class Session:
    """One login: a family of refresh tokens of which only the newest works."""

    id: str
    user_id: int
    refresh_hash: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    address: str = ""
    agent: str = ""
    revoked_at: datetime | None = None


def password_problem(password: str) -> str:
    """Why a new password is not acceptable, or an empty string."""
    if len(password) < MIN_PASSWORD_CHARS:
        return f"Use at least {MIN_PASSWORD_CHARS} characters."
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        return (
            f"Use at most {MAX_PASSWORD_BYTES} bytes (letters beyond a-z count for more than one)."
        )
    return ""
