"""Passwords as bcrypt hashes, made and checked in a thread so that the event loop goes on."""

from __future__ import annotations

import asyncio

import bcrypt

from putlive.domain.access import MAX_PASSWORD_BYTES
from putlive.errors import InvalidInput

# Letters of bcrypt's alphabet where salt and digest stand: well-formed, and made from no password.
_NOBODYS = "putlive.decoy.for.none" + "y" * 30 + "u"
AT_ONCE = 2  # more would only take the processor from streaming


class BcryptPasswords:
    """`Passwords` by bcrypt; `cost` is the base-2 logarithm of its rounds (12: about 0.2 s)."""

    def __init__(self, cost: int = 12) -> None:
        self._cost = cost
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def decoy(self) -> str:
        """A hash that is nobody's, as slow to check as a real one: for unknown users."""
        return f"$2b${self._cost:02d}${_NOBODYS}"

    async def hash(self, password: str) -> str:
        """A salted hash, or `InvalidInput` when bcrypt would not read all of the password."""
        secret = password.encode()
        if len(secret) > MAX_PASSWORD_BYTES:
            raise InvalidInput(
                "The password is too long.",
                fields={"password": f"Use at most {MAX_PASSWORD_BYTES} bytes."},
            )
        async with self._turns:
            hashed = await asyncio.to_thread(bcrypt.hashpw, secret, bcrypt.gensalt(self._cost))
        return hashed.decode()

    async def verify(self, password: str, hashed: str) -> bool:
        """Whether `hashed` was made from this password; one that is too long never is."""
        secret = password.encode()
        if len(secret) > MAX_PASSWORD_BYTES:
            return False
        async with self._turns:
            return await asyncio.to_thread(bcrypt.checkpw, secret, hashed.encode())
