"""Passwords and tokens, as the services see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Passwords(Protocol):
    """Slow hashing of passwords. Both calls run beside the event loop."""

    @property
    def decoy(self) -> str:
        """A hash no password has, as slow to check as a real one."""

    async def hash(self, password: str) -> str:
        """A salted hash; raises `InvalidInput` for more than 72 bytes (C11), never cuts."""

    async def verify(self, password: str, hashed: str) -> bool:
        """Whether it is the password; takes as long for a wrong one as for the right one."""


@dataclass(frozen=True)
class TokenClaims:
    """What an access token says: who, which login, from when until when (whole seconds)."""

    user_id: int
    session_id: str
    issued_at: datetime
    expires_at: datetime


class Tokens(Protocol):
    """Signed access tokens."""

    def sign(self, claims: TokenClaims) -> str: ...

    def verify(self, token: str) -> TokenClaims:
        """What a good token says; raises `NotAuthenticated` for any other text."""
