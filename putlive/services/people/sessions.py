"""Logins: families of refresh tokens of which only the newest works; checked without a query."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from putlive.domain.access import Session, User
from putlive.errors import NotAuthenticated
from putlive.ports import Clock, SessionRepo

log = logging.getLogger("putlive.accounts")

MAX_PER_USER = 20  # logging in once more ends the oldest login
_KEPT = timedelta(days=1)  # an expired login's row is deleted after that


@dataclass(frozen=True)
class Identity:
    """Who a request comes from, by which login, and until when its token is good."""

    user: User
    session_id: str
    expires_at: datetime


@dataclass(frozen=True)
class Login:
    """What somebody gets who has just proved who they are."""

    identity: Identity
    token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    token_seconds: int
    refresh_seconds: int


class SessionBook:
    """Every login that is still good. The database is written before memory changes."""

    def __init__(self, repo: SessionRepo, clock: Clock, life_seconds: float) -> None:
        self._repo = repo
        self._clock = clock
        self._life = timedelta(seconds=life_seconds)
        self._sessions: dict[str, Session] = {}
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Read every login; called once at start."""
        now = self._clock.now()
        found = await self._repo.all()
        self._sessions = {s.id: s for s in found if s.revoked_at is None and s.expires_at > now}

    def find(self, id: str) -> Session | None:
        """The login of that id while it is good, else None."""
        session = self._sessions.get(id)
        return session if session and session.expires_at > self._clock.now() else None

    def of_user(self, user_id: int) -> Sequence[Session]:
        """A user's logins, oldest first."""
        mine = [s for s in self._sessions.values() if s.user_id == user_id]
        return sorted(mine, key=lambda s: s.created_at)

    async def begin(self, user_id: int, address: str, agent: str) -> tuple[Session, str]:
        """A new login and its first refresh token."""
        now = self._clock.now()
        id, secret = secrets.token_urlsafe(18), secrets.token_urlsafe(32)
        session = Session(id, user_id, _hash(secret), now, now + self._life, address, _plain(agent))
        async with self._lock:
            for old in self.of_user(user_id)[: -(MAX_PER_USER - 1)]:
                await self._end(old)
            await self._repo.add(session)
            self._sessions[id] = session
        return session, f"{id}.{secret}"

    async def renew(self, refresh_token: str, address: str) -> tuple[Session, str]:
        """The next refresh token of a login. An old one ends the whole login: it was copied.

        Raises `NotAuthenticated`.
        """
        id, _, secret = refresh_token.partition(".")
        async with self._lock:
            session = self.find(id)
            if session is None:
                raise _over()
            if not hmac.compare_digest(_hash(secret), session.refresh_hash):
                log.warning("refresh token used twice: session ended, address=%s", address)
                await self._end(session)
                raise _over()
            fresh = secrets.token_urlsafe(32)
            return await self._save(replace(session, refresh_hash=_hash(fresh))), f"{id}.{fresh}"

    def owner_of(self, refresh_token: str) -> Session | None:
        """The login this refresh token is the newest of, else None."""
        id, _, secret = refresh_token.partition(".")
        session = self.find(id)
        good = session is not None and hmac.compare_digest(_hash(secret), session.refresh_hash)
        return session if good else None

    async def end(self, id: str) -> None:
        """End one login; one that is over already is fine."""
        async with self._lock:
            session = self._sessions.get(id)
            if session is not None:
                await self._end(session)

    async def end_all(self, user_id: int) -> None:
        """End every login of a user."""
        async with self._lock:
            for session in self.of_user(user_id):
                await self._end(session)

    async def sweep(self) -> int:
        """Forget expired logins; returns how many rows were deleted."""
        now = self._clock.now()
        async with self._lock:
            self._sessions = {i: s for i, s in self._sessions.items() if s.expires_at > now}
            return await self._repo.forget_before(now - _KEPT)

    async def _end(self, session: Session) -> None:
        # Memory first, unlike elsewhere: an end has to hold even if it cannot be written.
        self._sessions.pop(session.id, None)
        await self._repo.save(replace(session, revoked_at=self._clock.now()))

    async def _save(self, session: Session) -> Session:
        await self._repo.save(session)
        self._sessions[session.id] = session
        return session


def csrf_token(session_id: str) -> str:
    """The login's CSRF token: derived from its id, which only the HttpOnly cookie carries."""
    return hmac.new(session_id.encode(), b"putlive-csrf", sha256).hexdigest()[:40]


def _hash(secret: str) -> str:
    # 256 random bits need no slow hash and no salt.
    return sha256(secret.encode()).hexdigest()


def _plain(agent: str) -> str:
    return "".join(c for c in agent[:200] if c.isprintable())


def _over() -> NotAuthenticated:
    return NotAuthenticated("This login is over.", hint="Log in again.")
