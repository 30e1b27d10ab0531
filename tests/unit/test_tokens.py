"""Access tokens: everything that is not exactly ours is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
import pytest

from putlive.adapters.vault.passwords import BcryptPasswords
from putlive.adapters.vault.tokens import JwtTokens, key_id
from putlive.errors import InvalidInput, NotAuthenticated
from putlive.ports import TokenClaims
from tests.fakes import FakeClock

NEW, OLD, FOREIGN = b"n" * 32, b"o" * 32, b"f" * 32


def claims(clock: FakeClock) -> TokenClaims:
    return TokenClaims(7, "session", clock.now(), clock.now() + timedelta(hours=1))


def body(clock: FakeClock, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "sub": "7",
        "sid": "session",
        "iat": int(clock.now().timestamp()),
        "exp": int(clock.now().timestamp()) + 3600,
    }
    made.update(changes)
    return {k: v for k, v in made.items() if v is not None}


def signed(payload: Mapping[str, Any], secret: bytes = NEW, **headers: Any) -> str:
    head = {"kid": key_id(secret), **headers}
    return jwt.encode(dict(payload), secret, algorithm="HS256", headers=head)


def by_hand(header: Mapping[str, Any], payload: Mapping[str, Any], signature: str = "") -> str:
    parts = (json.dumps(part).encode() for part in (header, payload))
    texts = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, signature])


def test_a_token_says_what_was_signed() -> None:
    clock = FakeClock()
    tokens = JwtTokens([NEW], clock)
    assert tokens.verify(tokens.sign(claims(clock))) == claims(clock)
    assert tokens.verify(signed(body(clock))) == claims(clock)


async def test_a_token_ends_when_it_says() -> None:
    clock = FakeClock()
    tokens = JwtTokens([NEW], clock)
    token = tokens.sign(claims(clock))
    await clock.advance(3599)
    tokens.verify(token)
    await clock.advance(1)
    with pytest.raises(NotAuthenticated, match="expired"):
        tokens.verify(token)


def test_a_rotated_secret_logs_nobody_out_until_it_is_dropped() -> None:
    clock = FakeClock()
    before = JwtTokens([OLD], clock).sign(claims(clock))
    during = JwtTokens([NEW, OLD], clock)
    assert during.verify(before) == claims(clock)
    assert jwt.get_unverified_header(during.sign(claims(clock)))["kid"] == key_id(NEW)
    with pytest.raises(NotAuthenticated):
        JwtTokens([NEW], clock).verify(before)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_an_unsigned_token_is_refused(algorithm: str) -> None:
    clock = FakeClock()
    header = {"alg": algorithm, "typ": "JWT", "kid": key_id(NEW)}
    for signature in ("", "x"):
        refuse(by_hand(header, body(clock), signature))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_the_right_secret(algorithm: str) -> None:
    clock = FakeClock()
    secret = NEW * 2  # long enough for every one of them
    head = {"kid": key_id(secret)}
    token = jwt.encode(body(clock), secret, algorithm=algorithm, headers=head)
    with pytest.raises(NotAuthenticated):
        JwtTokens([secret], clock).verify(token)


@pytest.mark.parametrize("claim", ["sub", "sid", "iat", "exp"])
def test_a_token_without_a_claim_is_refused(claim: str) -> None:
    refuse(signed(body(FakeClock(), **{claim: None})))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", "x"),
        ("sub", 7),
        ("sid", 7),
        ("exp", "soon"),
        ("exp", True),
        ("exp", 1e300),
        ("exp", 10**18),
        ("iat", [1]),
        ("nbf", 9_999_999_999),
    ],
)
def test_a_claim_of_another_type_is_refused(claim: str, value: object) -> None:
    refuse(signed(body(FakeClock(), **{claim: value})))


def test_a_token_by_another_secret_is_refused_whatever_kid_it_names() -> None:
    refuse(signed(body(FakeClock()), FOREIGN))
    refuse(signed(body(FakeClock()), FOREIGN, kid=key_id(NEW)))


@pytest.mark.parametrize("kid", ["", "../../etc/passwd", 7, ["x"], {"a": 1}])
def test_an_unknown_kid_is_refused(kid: object) -> None:
    head = {"alg": "HS256", "typ": "JWT", "kid": kid}
    refuse(by_hand(head, body(FakeClock()), "c2ln"))


def test_a_token_without_kid_is_refused() -> None:
    refuse(jwt.encode(body(FakeClock()), NEW, algorithm="HS256"))


def test_a_changed_body_is_refused() -> None:
    head, _, signature = signed(body(FakeClock())).split(".")
    other = by_hand({}, body(FakeClock(), sub="1")).split(".")[1]
    refuse(f"{head}.{other}.{signature}")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "x" * 5000, "é.ü.ß", "\x00", "a.b.c.d"])
def test_no_other_text_is_a_token(text: str) -> None:
    refuse(text)


def refuse(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        JwtTokens([NEW, OLD], FakeClock()).verify(token)


def test_short_secrets_are_not_taken() -> None:
    for secrets in ([], [b"short"], [NEW, b"short"]):
        with pytest.raises(ValueError, match="32 bytes"):
            JwtTokens(secrets, FakeClock())


async def test_bcrypt_tells_a_password_from_another_one() -> None:
    passwords = BcryptPasswords(cost=4)
    hashed = await passwords.hash("ä" * 36)
    assert hashed.startswith("$2b$04$")
    assert await passwords.verify("ä" * 36, hashed)
    assert not await passwords.verify("ä" * 35, hashed)
    assert not await passwords.verify("ä" * 36 + "x", hashed), "nothing is cut"


async def test_bcrypt_refuses_what_it_would_not_read() -> None:
    with pytest.raises(InvalidInput, match="too long"):
        await BcryptPasswords(cost=4).hash("x" * 73)
