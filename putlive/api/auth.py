"""Routes: log in, go on, change the password, log out."""

from __future__ import annotations

from contextlib import suppress

from fastapi import Request, Response

from putlive.api.cookies import clear_cookies, set_cookies
from putlive.api.deps import REFRESH_COOKIE, Address, Ctx, Who, authenticate, note
from putlive.api.errors import CsrfRefused
from putlive.api.models import MessageOut
from putlive.api.models_accounts import LoginIn, LoginOut, PasswordIn, RefreshIn, SessionOut
from putlive.api.routing import Route
from putlive.api.shapes import login_out, user_out
from putlive.errors import NotAuthenticated
from putlive.services.people.sessions import Login


async def login(
    body: LoginIn, request: Request, response: Response, ctx: Ctx, address: Address
) -> LoginOut:
    """Begin a login. Wrong names and wrong passwords get the same answer."""
    agent = request.headers.get("user-agent", "")
    done = await ctx.accounts.login(body.username, body.password, address, agent)
    return _logged_in(request, response, done)


async def refresh(
    request: Request,
    response: Response,
    ctx: Ctx,
    address: Address,
    body: RefreshIn | None = None,
) -> LoginOut:
    """Get new tokens. Only the newest refresh token works; an old one ends the login."""
    token = body.refresh_token if body and body.refresh_token else _cookie(request)
    if not token:
        raise NotAuthenticated("There is no refresh token.", hint="Log in.")
    return _logged_in(request, response, await ctx.accounts.refresh(token, address))


async def logout(request: Request, response: Response, ctx: Ctx) -> MessageOut:
    """End this login and take the cookies. Being logged out already is fine."""
    with suppress(NotAuthenticated):
        who = authenticate(request)
        await ctx.accounts.logout(who.session_id)
    if token := _cookie(request):
        await ctx.accounts.logout_by_refresh(token)
    clear_cookies(request, response)
    return MessageOut(message="You are logged out.")


async def password(
    body: PasswordIn,
    request: Request,
    response: Response,
    ctx: Ctx,
    who: Who,
    address: Address,
) -> LoginOut:
    """Choose another password (10 characters to 72 bytes). Every other login of yours ends."""
    agent = request.headers.get("user-agent", "")
    done = await ctx.accounts.change_password(
        who, body.current_password, body.new_password, address, agent
    )
    return _logged_in(request, response, done)


async def session(ctx: Ctx, who: Who) -> SessionOut:
    """Who is logged in, and the CSRF token a page has to send back."""
    return SessionOut(
        user=user_out(who.user), csrf_token=ctx.accounts.csrf_token(who), expires_at=who.expires_at
    )


def _logged_in(request: Request, response: Response, done: Login) -> LoginOut:
    request.scope["putlive.who"] = done.identity.user.name
    note(request, f"user={done.identity.user.name}")
    set_cookies(request, response, done)
    return login_out(done)


def _cookie(request: Request) -> str:
    """The refresh cookie, unless a foreign page made the browser send it."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none"):
        raise CsrfRefused("Another site may not do this.", hint="Open the station's own page.")
    return request.cookies.get(REFRESH_COOKIE, "")


ROUTES = (
    Route(
        "POST", "/api/auth/login", login, "public", "Log in", LoginOut, errors=(401, 429), body=True
    ),
    Route(
        "POST",
        "/api/auth/refresh",
        refresh,
        "public",
        "Get new tokens",
        LoginOut,
        errors=(401, 403),
        body=True,
    ),
    Route("POST", "/api/auth/logout", logout, "public", "Log out", MessageOut, errors=(403,)),
    Route(
        "POST",
        "/api/auth/password",
        password,
        "login",
        "Change your password",
        LoginOut,
        errors=(429,),
        body=True,
    ),
    Route("GET", "/api/auth/session", session, "login", "Who is logged in", SessionOut),
)
