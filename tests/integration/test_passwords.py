"""bcrypt itself: real hashes, and the decoy that unknown users are checked against."""

from __future__ import annotations

from time import perf_counter

import pytest

from putlive.adapters.vault.passwords import BcryptPasswords
from putlive.errors import InvalidInput


async def test_a_password_is_known_by_its_hash_and_no_other_is() -> None:
    passwords = BcryptPasswords(cost=4)
    hashed = await passwords.hash("correct horse")
    assert await passwords.verify("correct horse", hashed)
    assert not await passwords.verify("correct hors", hashed)


async def test_more_than_72_bytes_are_refused_and_never_cut() -> None:
    passwords = BcryptPasswords(cost=4)
    hashed = await passwords.hash("a" * 72)
    assert not await passwords.verify("a" * 73, hashed)
    with pytest.raises(InvalidInput):
        await passwords.hash("ä" * 37)


async def test_the_decoy_is_checked_as_slowly_as_a_real_hash_and_fits_nobody() -> None:
    passwords = BcryptPasswords(cost=8)
    real = await passwords.hash("somebody")
    spent = {}
    for name, hashed in (("real", real), ("decoy", passwords.decoy)):
        started = perf_counter()
        for _ in range(5):
            assert not await passwords.verify("anything", hashed)
        spent[name] = perf_counter() - started
    assert 0.5 < spent["decoy"] / spent["real"] < 2
