"""Routes: users."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request

from putlive.api.deps import Ctx, note
from putlive.api.models_accounts import UserIn, UserOut, UserPatch, UsersOut
from putlive.api.routing import Route
from putlive.api.shapes import user_out

UserId = Annotated[int, Path(ge=1, le=2**53, description="Number of a user.", examples=[1])]


async def user_list(ctx: Ctx) -> UsersOut:
    """Every user."""
    return UsersOut(users=[user_out(user) for user in ctx.accounts.users.all()])


async def user_create(body: UserIn, request: Request, ctx: Ctx) -> UserOut:
    """Make a user. Without a password, the answer has a one-time password, told only here."""
    user, once = await ctx.accounts.users.create(body.username, body.role, body.password)
    note(request, f"user={user.name} role={user.role.value}")
    return user_out(user, once)


async def user_change(id: UserId, body: UserPatch, request: Request, ctx: Ctx) -> UserOut:
    """Change a user's role, disable them (their logins end at once), or reset their password."""
    user, once = await ctx.accounts.users.change(
        id, role=body.role, active=body.active, reset_password=body.reset_password
    )
    note(request, f"user={user.name} role={user.role.value} active={user.active}")
    return user_out(user, once)


ROUTES = (
    Route("GET", "/api/users", user_list, "admin", "List the users", UsersOut),
    Route(
        "POST",
        "/api/users",
        user_create,
        "admin",
        "Make a user",
        UserOut,
        status=201,
        errors=(409,),
        body=True,
    ),
    Route(
        "PATCH",
        "/api/users/{id}",
        user_change,
        "admin",
        "Change a user",
        UserOut,
        errors=(404, 409),
        body=True,
    ),
)
