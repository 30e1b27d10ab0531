"""Access tokens as JWTs (RFC 7519) signed with HS256; old secrets stay good until they are dropped.

The time in a token is compared with our own clock, so that tests can move it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any

import jwt

from putlive.errors import NotAuthenticated
from putlive.ports import Clock, TokenClaims

ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32  # RFC 7518, 3.2: a key of the size of the hash output or larger
MAX_TOKEN_CHARS = 1024
_REQUIRED = ["exp", "iat", "sub", "sid"]


class JwtTokens:
    """`Tokens` with a list of secrets: the first signs, every one of them verifies.

    A secret is rotated by putting a new one in front; the old one is dropped a token's life later.
    """

    def __init__(self, secrets: Sequence[bytes], clock: Clock) -> None:
        if not secrets or any(len(s) < MIN_SECRET_BYTES for s in secrets):
            raise ValueError(f"token secrets need at least {MIN_SECRET_BYTES} bytes")
        self._secrets = {key_id(s): s for s in secrets}
        self._kid = key_id(secrets[0])
        self._clock = clock

    def sign(self, claims: TokenClaims) -> str:
        """The token's text."""
        body = {
            "sub": str(claims.user_id),
            "sid": claims.session_id,
            "iat": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        secret = self._secrets[self._kid]
        return jwt.encode(body, secret, algorithm=ALGORITHM, headers={"kid": self._kid})

    def verify(self, token: str) -> TokenClaims:
        """What a good token says; raises `NotAuthenticated` for anything else."""
        if len(token) > MAX_TOKEN_CHARS:
            raise _refused()
        try:
            claims = _claims(self._decode(token))
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError, OSError) as error:
            raise _refused() from error
        if claims.expires_at <= self._clock.now():
            raise NotAuthenticated("The token has expired.", hint="Log in again, or refresh it.")
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        secret = self._secrets[jwt.get_unverified_header(token)["kid"]]
        # Our clock decides on `exp`; a token from the future is as good as its signature.
        options: Any = {"require": _REQUIRED, "verify_exp": False, "verify_iat": False}
        return dict(jwt.decode(token, secret, algorithms=[ALGORITHM], options=options))


def key_id(secret: bytes) -> str:
    """A short name for a secret that says nothing about it."""
    return sha256(b"putlive-kid:" + secret).hexdigest()[:12]


def _claims(body: Mapping[str, Any]) -> TokenClaims:
    if not isinstance(body["sid"], str):
        raise TypeError("sid")
    return TokenClaims(int(body["sub"]), body["sid"], _time(body["iat"]), _time(body["exp"]))


def _time(seconds: Any) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise TypeError("time")
    return datetime.fromtimestamp(seconds, timezone.utc)


def _refused() -> NotAuthenticated:
    return NotAuthenticated("The token is not valid.", hint="Log in again.")
