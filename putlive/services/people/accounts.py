"""Accounts: what a password, a token or a refresh token is worth.

Users and logins are kept in memory, so that checking a token needs no query; everything is
stored before it counts. Nothing here ever logs a password or a token.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from urllib.parse import quote

from putlive.domain.access import MAX_PASSWORD_BYTES, Role, Session, User, password_problem
from putlive.domain.events import Event, LoginFailed
from putlive.errors import InvalidInput, NotAuthenticated, TooManyAttempts
from putlive.ports import Clock, Passwords, Store, TokenClaims, Tokens
from putlive.services.people.sessions import Identity, Login, SessionBook, csrf_token
from putlive.services.people.throttle import Throttle
from putlive.services.people.users import UserService

log = logging.getLogger("putlive.accounts")


@dataclass(frozen=True)
class AccountPolicy:
    """Times in seconds; `attempts` wrong passwords bring a wait."""

    token_seconds: float = 86400.0
    session_seconds: float = 2592000.0
    attempts: int = 5
    wait_seconds: float = 60.0


class Publishes(Protocol):
    """The bus, as far as it is needed here."""

    async def publish(self, event: Event) -> None: ...


class AccountService:
    """Logs people in and out and says who a token stands for (AU2, C6, C11); `load` it first."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        passwords: Passwords,
        tokens: Tokens,
        bus: Publishes,
        policy: AccountPolicy | None = None,
    ) -> None:
        self._policy = policy or AccountPolicy()
        self._clock = clock
        self._passwords = passwords
        self._tokens = tokens
        self._bus = bus
        self._throttle = Throttle(clock, self._policy.attempts, self._policy.wait_seconds)
        self._book = SessionBook(store.sessions, clock, self._policy.session_seconds)
        self.users = UserService(store.users, passwords)
        self.users.on_end(self._book.end_all)

    async def load(self) -> None:
        """Read every user and login; called once at start."""
        await self.users.load()
        await self._book.load()

    async def ensure_admin(self, name: str = "admin") -> str | None:
        """On a station without users make an admin; returns its one-time password, else None."""
        if self.users.all():
            return None
        return (await self.users.create(name, Role.ADMIN, None))[1]

    async def login(self, username: str, password: str, address: str, agent: str = "") -> Login:
        """Begin a login. Raises `NotAuthenticated`, `TooManyAttempts` or `InvalidInput`.

        A wrong name takes as long as a wrong password, and the answer is the same.
        """
        _refuse_too_long(password, "password")
        user = await self._prove(username, password, address)
        if user is None:
            raise NotAuthenticated(
                "The user name or the password is wrong.", hint="Check both and try again."
            )
        return await self._begin(user, address, agent)

    async def refresh(self, refresh_token: str, address: str) -> Login:
        """Go on with a login; the refresh token is replaced. Raises `NotAuthenticated`."""
        session, fresh = await self._book.renew(refresh_token, address)
        return self._issue(session, fresh)

    async def logout(self, session_id: str) -> None:
        """End a login; one that is over already is fine."""
        await self._book.end(session_id)

    async def logout_by_refresh(self, refresh_token: str) -> None:
        """End the login of which this is the newest refresh token; any other text is fine."""
        session = self._book.owner_of(refresh_token)
        if session is not None:
            await self._book.end(session.id)

    async def change_password(
        self, who: Identity, current: str, new: str, address: str, agent: str = ""
    ) -> Login:
        """Give oneself a new password: every login ends and a new one begins.

        Raises `InvalidInput` or `TooManyAttempts`.
        """
        _refuse_too_long(current, "current_password")
        problem = password_problem(new) or ("Choose another one." if new == current else "")
        if problem:
            raise InvalidInput("The new password is not good.", fields={"new_password": problem})
        if await self._prove(who.user.name, current, address) is None:
            fields = {"current_password": "This is not your password."}
            raise InvalidInput("The current password is wrong.", fields=fields)
        user = await self.users.set_password(who.user.id, new)
        return await self._begin(user, address, agent)

    def identify(self, token: str) -> Identity:
        """Who an access token stands for, without a query. Raises `NotAuthenticated`."""
        claims = self._tokens.verify(token)
        session = self._book.find(claims.session_id)
        user = self.users.find(claims.user_id)
        if session is None or user is None or session.user_id != user.id or not user.active:
            raise NotAuthenticated("This login is over.", hint="Log in again.")
        return Identity(user, session.id, min(claims.expires_at, session.expires_at))

    def is_current(self, who: Identity) -> bool:
        """Whether this login still holds: for answers that last, such as the event stream."""
        user = self.users.find(who.user.id)
        holds = user is not None and user.active and self._book.find(who.session_id) is not None
        return holds and who.expires_at > self._clock.now()

    def csrf_token(self, who: Identity) -> str:
        """What a browser has to send back with everything that changes something."""
        return csrf_token(who.session_id)

    async def sweep(self) -> int:
        """Forget expired logins; to be called about once a day. Returns how many."""
        return await self._book.sweep()

    async def _prove(self, username: str, password: str, address: str) -> User | None:
        """The active user whose password this is, else None, with a log line and an event."""
        hold = self._admit(username, address)
        if hold > 0:
            await self._clock.sleep(hold)
        user = self.users.named(username)
        good = await self._passwords.verify(
            password, user.password_hash if user else self._passwords.decoy
        )
        # Hashing takes a while: what holds now decides, not what held before.
        now = self.users.named(username)
        if good and user and now and now.active and now.password_hash == user.password_hash:
            self._throttle.passed(username, address)
            return now
        log.warning("login failed: user=%s address=%s", _safe(username), _safe(address))
        await self._bus.publish(LoginFailed(_safe(username), _safe(address), self._clock.now()))
        return None

    def _admit(self, username: str, address: str) -> float:
        try:
            return self._throttle.begin(username, address)
        except TooManyAttempts:
            log.warning("login throttled: user=%s address=%s", _safe(username), _safe(address))
            raise

    async def _begin(self, user: User, address: str, agent: str) -> Login:
        return self._issue(*await self._book.begin(user.id, address, agent))

    def _issue(self, session: Session, refresh_token: str) -> Login:
        now = self._clock.now().replace(microsecond=0)  # a token counts whole seconds
        user = self.users.find(session.user_id)
        if user is None or not user.active:
            raise NotAuthenticated("This login is over.", hint="Log in again.")
        until = min(now + timedelta(seconds=self._policy.token_seconds), session.expires_at)
        return Login(
            identity=Identity(user, session.id, until),
            token=self._tokens.sign(TokenClaims(user.id, session.id, now, until)),
            refresh_token=refresh_token,
            csrf_token=csrf_token(session.id),
            token_seconds=int((until - now).total_seconds()),
            refresh_seconds=int((session.expires_at - now).total_seconds()),
        )


def _refuse_too_long(password: str, field: str) -> None:
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        fields = {field: f"No password is longer than {MAX_PASSWORD_BYTES} bytes."}
        raise InvalidInput("The password is too long.", fields=fields)


def _safe(text: str) -> str:
    """One word without quotes, spaces or line ends, so that no log line can be forged."""
    return quote(text[:64], safe="@:", errors="replace")
