"""Bodies about logins and users."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, StrictBool

from putlive.api.models import SOME_TIME, Answer, Sent, eg
from putlive.domain.access import Role


class LoginIn(Sent):
    """Who, and the proof of it."""

    username: str = eg("admin", max_length=64)
    password: str = eg("correct horse battery", max_length=1024)


class RefreshIn(Sent):
    """The newest refresh token; browsers send it as a cookie instead."""

    refresh_token: str | None = Field(None, max_length=200, examples=["Zm9v.YmFy"])


class PasswordIn(Sent):
    """A new password, 10 characters to 72 bytes."""

    current_password: str = eg("correct horse battery", max_length=1024)
    new_password: str = eg("staple correct horse", max_length=1024)


class UserOut(Answer):
    """A user. `one_time_password` is told once, in the answer that made it."""

    id: int = eg(1)
    username: str = eg("admin")
    role: Role = eg("admin")
    active: bool = eg(True)
    must_change_password: bool = eg(False)
    created_at: datetime | None = eg(SOME_TIME)
    one_time_password: str | None = Field(None, examples=[None])


class UsersOut(Answer):
    """Every user."""

    users: list[UserOut]


class UserIn(Sent):
    """A new user; without a password it gets a one-time password."""

    username: str = eg("anna", max_length=32)
    role: Role = eg("operator")
    password: str | None = Field(None, max_length=1024, examples=[None])


class UserPatch(Sent):
    """What is to change of a user."""

    role: Role | None = Field(None, examples=["viewer"])
    active: StrictBool | None = Field(None, examples=[True])
    reset_password: StrictBool = Field(False, examples=[False])


class LoginOut(Answer):
    """Tokens for API clients; a browser gets them as cookies and keeps `csrf_token` in memory."""

    token: str = eg("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln")
    expires_in: int = eg(86400)
    refresh_token: str = eg("Zm9v.YmFy")
    csrf_token: str = eg("0f3a")
    user: UserOut


class SessionOut(Answer):
    """The login of this request."""

    user: UserOut
    csrf_token: str = eg("0f3a")
    expires_at: datetime = eg(SOME_TIME)
