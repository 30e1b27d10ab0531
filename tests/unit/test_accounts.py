"""Accounts: passwords, throttling, refresh families, forced change, the last admin."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from putlive.domain.access import Role
from putlive.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    TooManyAttempts,
)
from putlive.services.people.accounts import AccountService
from putlive.services.people.sessions import MAX_PER_USER
from putlive.services.people.throttle import MAX_TALLIES, Throttle
from tests.fake_station import FakePasswords, make_accounts
from tests.fake_store import MemoryStore
from tests.fakes import FakeClock, settle

GOOD = "a long enough password"
HOME, AWAY = "203.0.113.5", "198.51.100.9"


class House:
    """Accounts with one admin called anna, and everything around them."""

    def __init__(self) -> None:
        self.store, self.clock, self.passwords = MemoryStore(), FakeClock(), FakePasswords()
        self.accounts = make_accounts(self.store, self.clock, self.passwords)

    async def restart(self) -> AccountService:
        """What a new daemon knows: only what was stored."""
        accounts = make_accounts(self.store, self.clock, self.passwords)
        await accounts.load()
        return accounts


@pytest.fixture
async def house() -> House:
    made = House()
    await made.accounts.load()
    await made.accounts.users.create("anna", Role.ADMIN, GOOD)
    return made


async def fail(house: House, user: str = "anna", address: str = HOME) -> None:
    with pytest.raises(NotAuthenticated):
        await house.accounts.login(user, "wrong password", address)


async def test_a_login_is_a_token_that_stands_for_the_user(house: House) -> None:
    login = await house.accounts.login("Anna", GOOD, HOME)
    who = house.accounts.identify(login.token)
    assert (who.user.name, login.token_seconds) == ("anna", 86400)
    assert house.accounts.is_current(who)


async def test_a_wrong_name_costs_the_same_hash_and_gets_the_same_answer(house: House) -> None:
    answers = []
    for user in ("anna", "nobody"):
        before = house.passwords.verified
        with pytest.raises(NotAuthenticated) as error:
            await house.accounts.login(user, "wrong password", HOME)
        answers.append((str(error.value), error.value.hint, house.passwords.verified - before))
    assert answers[0] == answers[1]
    assert answers[0][2] == 1


async def test_a_failed_login_is_a_log_line_and_an_event_without_the_password(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await fail(house, "an na\n address=9.9.9.9")
    lines = [r.getMessage() for r in caplog.records if r.name == "putlive.accounts"]
    assert lines == [f"login failed: user=an%20na%0A%20address%3D9.9.9.9 address={HOME}"]
    assert [r.levelname for r in caplog.records if r.name == "putlive.accounts"] == ["WARNING"]
    assert "wrong password" not in caplog.text
    events = await house.store.events.latest(5)
    assert [(e.kind, e.body["address"]) for e in events] == [("login_failed", HOME)]


async def test_five_wrong_passwords_bring_a_wait_that_grows(house: House) -> None:
    for _ in range(5):
        await fail(house)
    with pytest.raises(TooManyAttempts) as error:
        await house.accounts.login("anna", GOOD, HOME)
    assert error.value.retry_after_seconds == 60
    await house.clock.advance(61)
    await fail(house)
    with pytest.raises(TooManyAttempts) as error:
        await house.accounts.login("anna", GOOD, HOME)
    assert error.value.retry_after_seconds == 120
    await house.clock.advance(121)
    await house.accounts.login("anna", GOOD, HOME)


async def test_attempts_at_the_same_moment_do_not_slip_through(house: House) -> None:
    tries = [house.accounts.login("anna", f"guess number {i}", HOME) for i in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(r, NotAuthenticated) for r in results) == 5
    assert sum(isinstance(r, TooManyAttempts) for r in results) == 15


async def test_nobody_can_lock_the_owner_out_from_elsewhere(house: House) -> None:
    for host in range(50):
        attempt = asyncio.ensure_future(
            house.accounts.login("anna", "wrong password", f"198.51.100.{host}")
        )
        await house.clock.advance(2)
        assert isinstance(attempt.exception(), NotAuthenticated)
    login = asyncio.ensure_future(house.accounts.login("anna", GOOD, HOME))
    await settle()
    assert not login.done(), "the account is slowed down"
    await house.clock.advance(2)
    assert login.result().identity.user.name == "anna"


async def test_an_address_that_tries_many_names_has_to_wait(house: House) -> None:
    for i in range(20):
        await fail(house, f"user{i}")
    with pytest.raises(TooManyAttempts):
        await house.accounts.login("anna", GOOD, HOME)
    await house.accounts.login("anna", GOOD, AWAY)


def test_an_ipv6_network_counts_as_one_address() -> None:
    throttle = Throttle(FakeClock(), attempts=2, wait_seconds=60)
    throttle.begin("anna", "2001:db8::1")
    throttle.begin("anna", "2001:db8::2")
    with pytest.raises(TooManyAttempts):
        throttle.begin("anna", "2001:db8:0:0:ffff::3")
    throttle.begin("anna", "2001:db8:0:1::1")


def test_the_throttle_keeps_a_bounded_number_of_tallies() -> None:
    throttle = Throttle(FakeClock(), attempts=2, wait_seconds=60)
    for i in range(MAX_TALLIES):
        throttle.begin(f"user{i}", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
    assert len(throttle._tallies) <= MAX_TALLIES


async def test_a_right_password_clears_the_account_but_not_the_address(house: House) -> None:
    for _ in range(4):
        await fail(house)
    await house.accounts.login("anna", GOOD, HOME)
    for _ in range(5):
        await fail(house)
    with pytest.raises(TooManyAttempts):
        await house.accounts.login("anna", GOOD, HOME)


async def test_a_password_beyond_72_bytes_is_refused_with_the_reason(house: House) -> None:
    for call in (
        house.accounts.login("anna", "ä" * 37, HOME),
        house.accounts.users.create("bob", Role.VIEWER, "ä" * 37),
    ):
        with pytest.raises(InvalidInput) as error:
            await call
        assert "72 bytes" in error.value.fields["password"]
    await house.accounts.users.create("bob", Role.VIEWER, "ä" * 36)
    await house.accounts.login("bob", "ä" * 36, HOME)


async def test_a_user_disabled_while_the_password_is_hashed_gets_no_login(house: House) -> None:
    await house.accounts.users.create("root", Role.ADMIN, GOOD)
    anna = house.accounts.users.get(1)

    def disable() -> None:
        house.accounts.users._users[1] = replace(anna, active=False)

    house.passwords.before_verify = disable
    await fail_with(house, GOOD)


async def fail_with(house: House, password: str) -> None:
    with pytest.raises(NotAuthenticated):
        await house.accounts.login("anna", password, HOME)


async def test_only_the_newest_refresh_token_works_and_an_old_one_ends_the_login(
    house: House,
) -> None:
    first = await house.accounts.login("anna", GOOD, HOME)
    second = await house.accounts.refresh(first.refresh_token, HOME)
    assert second.identity.session_id == first.identity.session_id
    with pytest.raises(NotAuthenticated):
        await house.accounts.refresh(first.refresh_token, AWAY)
    for token in (first.token, second.token):
        with pytest.raises(NotAuthenticated):
            house.accounts.identify(token)
    with pytest.raises(NotAuthenticated):
        await house.accounts.refresh(second.refresh_token, HOME)


async def test_two_refreshes_at_once_are_not_both_answered(house: House) -> None:
    login = await house.accounts.login("anna", GOOD, HOME)
    tries = [house.accounts.refresh(login.refresh_token, HOME) for _ in range(2)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(r, NotAuthenticated) for r in results) == 1


@pytest.mark.parametrize("token", ["", ".", "x", "x.y", "a.b.c", "é.ü", "." * 200])
async def test_no_other_text_is_a_refresh_token(house: House, token: str) -> None:
    login = await house.accounts.login("anna", GOOD, HOME)
    with pytest.raises(NotAuthenticated):
        await house.accounts.refresh(token, HOME)
    await house.accounts.logout_by_refresh(token)
    assert house.accounts.identify(login.token)


async def test_the_database_holds_no_token(house: House) -> None:
    login = await house.accounts.login("anna", GOOD, HOME)
    stored = repr(house.store._tables) + str(
        [(s.refresh_hash, s.id) for s in await house.store.sessions.all()]
    )
    assert login.refresh_token.partition(".")[2] not in stored
    assert login.token not in stored
    assert GOOD not in stored


async def test_a_logout_ends_this_login_and_no_other(house: House) -> None:
    here = await house.accounts.login("anna", GOOD, HOME)
    there = await house.accounts.login("anna", GOOD, AWAY)
    await house.accounts.logout(here.identity.session_id)
    await house.accounts.logout(here.identity.session_id)
    with pytest.raises(NotAuthenticated):
        house.accounts.identify(here.token)
    assert house.accounts.identify(there.token)
    await house.accounts.logout_by_refresh(there.refresh_token)
    with pytest.raises(NotAuthenticated):
        house.accounts.identify(there.token)


async def test_logins_and_their_ends_survive_a_restart(house: House) -> None:
    kept = await house.accounts.login("anna", GOOD, HOME)
    ended = await house.accounts.login("anna", GOOD, HOME)
    await house.accounts.logout(ended.identity.session_id)
    again = await house.restart()
    assert again.identify(kept.token).user.name == "anna"
    assert (await again.refresh(kept.refresh_token, HOME)).identity.user.name == "anna"
    with pytest.raises(NotAuthenticated):
        again.identify(ended.token)


async def test_a_changed_password_ends_every_other_login(house: House) -> None:
    other = await house.accounts.login("anna", GOOD, AWAY)
    mine = await house.accounts.login("anna", GOOD, HOME)
    new = await house.accounts.change_password(mine.identity, GOOD, "another good password", HOME)
    assert house.accounts.identify(new.token)
    for login in (other, mine):
        with pytest.raises(NotAuthenticated):
            house.accounts.identify(login.token)
    await fail_with(house, GOOD)
    await house.accounts.login("anna", "another good password", HOME)


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong password", "another good password", "current_password"),
        (GOOD, "short", "new_password"),
        (GOOD, GOOD, "new_password"),
        (GOOD, "x" * 73, "new_password"),
        ("x" * 73, "another good password", "current_password"),
    ],
)
async def test_a_password_change_that_is_not_right_names_the_field(
    house: House, current: str, new: str, field: str
) -> None:
    login = await house.accounts.login("anna", GOOD, HOME)
    with pytest.raises(InvalidInput) as error:
        await house.accounts.change_password(login.identity, current, new, HOME)
    assert list(error.value.fields) == [field]
    assert house.accounts.is_current(login.identity)


async def test_guessing_the_current_password_is_throttled_too(house: House) -> None:
    login = await house.accounts.login("anna", GOOD, HOME)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            await house.accounts.change_password(login.identity, "wrong", "good enough pw", HOME)
    with pytest.raises(TooManyAttempts):
        await house.accounts.change_password(login.identity, GOOD, "good enough pw", HOME)


async def test_the_first_admin_gets_a_one_time_password_once(house: House) -> None:
    fresh = make_accounts(MemoryStore(), house.clock, house.passwords)
    await fresh.load()
    password = await fresh.ensure_admin()
    assert password is not None and len(password) == 23
    assert await fresh.ensure_admin() is None
    login = await fresh.login("admin", password, HOME)
    assert login.identity.user.must_change_password
    changed = await fresh.change_password(login.identity, password, GOOD, HOME)
    assert not changed.identity.user.must_change_password
    assert fresh.users.get(1).role is Role.ADMIN


async def test_disabling_ends_every_login_at_once(house: House) -> None:
    user, _ = await house.accounts.users.create("bob", Role.VIEWER, GOOD)
    login = await house.accounts.login("bob", GOOD, HOME)
    await house.accounts.users.change(user.id, active=False)
    assert not house.accounts.is_current(login.identity)
    with pytest.raises(NotAuthenticated):
        house.accounts.identify(login.token)
    with pytest.raises(NotAuthenticated):
        await house.accounts.refresh(login.refresh_token, HOME)
    with pytest.raises(NotAuthenticated):
        await house.accounts.login("bob", GOOD, HOME)
    await house.accounts.users.change(user.id, active=True)
    with pytest.raises(NotAuthenticated):
        house.accounts.identify(login.token)


async def test_a_reset_password_is_told_once_and_ends_every_login(house: House) -> None:
    user, _ = await house.accounts.users.create("bob", Role.VIEWER, GOOD)
    login = await house.accounts.login("bob", GOOD, HOME)
    changed, once = await house.accounts.users.change(user.id, reset_password=True)
    assert changed.must_change_password and once
    assert not house.accounts.is_current(login.identity)
    assert (await house.accounts.login("bob", once, HOME)).identity.user.must_change_password


async def test_a_changed_role_counts_at_once(house: House) -> None:
    user, _ = await house.accounts.users.create("bob", Role.VIEWER, GOOD)
    login = await house.accounts.login("bob", GOOD, HOME)
    await house.accounts.users.change(user.id, role=Role.OPERATOR)
    assert house.accounts.identify(login.token).user.role is Role.OPERATOR


async def test_the_last_active_admin_can_neither_be_disabled_nor_demoted(house: House) -> None:
    users = house.accounts.users
    for change in ({"active": False}, {"role": Role.OPERATOR}):
        with pytest.raises(Conflict):
            await users.change(1, **change)  # type: ignore[arg-type]
    other, _ = await users.create("root", Role.ADMIN, GOOD)
    await users.change(1, role=Role.VIEWER)
    with pytest.raises(Conflict):
        await users.change(other.id, active=False)


async def test_two_admins_cannot_disable_each_other_at_the_same_moment(house: House) -> None:
    await house.accounts.users.create("root", Role.ADMIN, GOOD)
    changes = [house.accounts.users.change(id, active=False) for id in (1, 2)]
    results = await asyncio.gather(*changes, return_exceptions=True)
    assert sum(isinstance(r, Conflict) for r in results) == 1


async def test_users_that_cannot_be_are_refused_with_every_field(house: House) -> None:
    with pytest.raises(InvalidInput) as error:
        await house.accounts.users.create("../anna", Role.VIEWER, "short")
    assert set(error.value.fields) == {"username", "password"}
    with pytest.raises(AlreadyExists):
        await house.accounts.users.create("ANNA", Role.VIEWER, GOOD)
    with pytest.raises(NotFound):
        await house.accounts.users.change(99, active=False)


async def test_one_login_too_many_ends_the_oldest(house: House) -> None:
    logins = []
    for _ in range(MAX_PER_USER + 1):
        await house.clock.advance(1)
        logins.append(await house.accounts.login("anna", GOOD, HOME))
    assert not house.accounts.is_current(logins[0].identity)
    assert all(house.accounts.is_current(login.identity) for login in logins[1:])


async def test_a_token_lives_a_day_and_a_login_a_month(house: House) -> None:
    login = await house.accounts.login("anna", GOOD, HOME)
    await house.clock.advance(86_400)
    with pytest.raises(NotAuthenticated):
        house.accounts.identify(login.token)
    assert not house.accounts.is_current(login.identity)
    await house.clock.advance(28 * 86_400 + 43_200)
    login = await house.accounts.refresh(login.refresh_token, HOME)
    assert login.token_seconds == 43_200, "no token outlives its login"
    await house.clock.advance(43_200)
    with pytest.raises(NotAuthenticated):
        await house.accounts.refresh(login.refresh_token, HOME)
    await house.clock.advance(86_401)
    assert await house.accounts.sweep() == 1


async def test_the_csrf_token_belongs_to_the_login(house: House) -> None:
    first = await house.accounts.login("anna", GOOD, HOME)
    second = await house.accounts.login("anna", GOOD, HOME)
    assert first.csrf_token == house.accounts.csrf_token(first.identity)
    assert first.csrf_token != second.csrf_token
    assert first.identity.session_id not in first.csrf_token
