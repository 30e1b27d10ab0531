"""The publish decision: every outcome of ST2 as a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from putlive.domain.access import Role, User
from putlive.domain.keys import StreamKey, is_text_of, key_id_of, key_text
from putlive.domain.streams import (
    REASONS,
    Allow,
    Channel,
    Claim,
    Deny,
    DenyReason,
    PublishFacts,
    PublishRequest,
    TakeOver,
    decide_publish,
    is_channel_name,
)

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
KEY = StreamKey("abcd2345", "main", 1, "OBS", 1, NOW)
OWNER = User(1, "anna", Role.OPERATOR, "")
REQUEST = PublishRequest("srs", "live", "main", "c1", "203.0.113.9", "abcd2345-x")
FACTS = PublishFacts(NOW, Channel(1, "main", "Main"), KEY, OWNER, None, 0, 3)
OTHER = Claim("main", "c0", "k", "203.0.113.8", NOW, confirmed=True)


def facts(**more) -> PublishFacts:
    return replace(FACTS, **more)


def key(**more) -> PublishFacts:
    return facts(key=replace(KEY, **more))


LATER, EARLIER = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    "request_,given_,outcome",
    [
        (REQUEST, FACTS, Allow()),
        (replace(REQUEST, app="vod"), FACTS, DenyReason.BAD_APP),
        (replace(REQUEST, app="live/../.."), FACTS, DenyReason.BAD_APP),
        (replace(REQUEST, name="../etc"), FACTS, DenyReason.BAD_NAME),
        (replace(REQUEST, name="main\n"), FACTS, DenyReason.BAD_NAME),
        (replace(REQUEST, name=""), FACTS, DenyReason.BAD_NAME),
        (replace(REQUEST, name="m" * 41), FACTS, DenyReason.BAD_NAME),
        (replace(REQUEST, name="m\0in"), FACTS, DenyReason.BAD_NAME),
        (replace(REQUEST, secret=""), FACTS, DenyReason.NO_KEY),
        (REQUEST, facts(key=None), DenyReason.UNKNOWN_KEY),
        (REQUEST, key(revoked_at=NOW), DenyReason.REVOKED),
        (REQUEST, key(expires_at=NOW), DenyReason.EXPIRED),
        (REQUEST, key(expires_at=LATER), Allow()),
        (REQUEST, facts(user=None), DenyReason.USER_DISABLED),
        (REQUEST, facts(user=replace(OWNER, active=False)), DenyReason.USER_DISABLED),
        (REQUEST, facts(user=replace(OWNER, role=Role.VIEWER)), DenyReason.NOT_ALLOWED),
        (REQUEST, key(channel="other"), DenyReason.WRONG_CHANNEL),
        (REQUEST, key(blocked_until=LATER), DenyReason.KICKED),
        (REQUEST, key(blocked_until=EARLIER), Allow()),
        (REQUEST, facts(channel=None), DenyReason.WRONG_CHANNEL),
        (REQUEST, facts(channel=Channel(1, "main", "", False)), DenyReason.CHANNEL_STOPPED),
        (REQUEST, facts(ended=True), DenyReason.REPLAYED),
        (REQUEST, facts(current=OTHER), DenyReason.BUSY),
        (REQUEST, facts(current=replace(OTHER, stalled=True)), TakeOver("c0")),
        (REQUEST, facts(current=replace(OTHER, client_id="c1")), Allow()),
        (REQUEST, facts(live_inputs=3), DenyReason.LIMIT),
        (REQUEST, facts(live_inputs=3, current=replace(OTHER, stalled=True)), TakeOver("c0")),
        # What is wrong with the key is said before who else is live is told.
        (REQUEST, facts(key=None, current=OTHER), DenyReason.UNKNOWN_KEY),
        (REQUEST, facts(key=replace(KEY, revoked_at=NOW), live_inputs=9), DenyReason.REVOKED),
    ],
)
def test_decide_publish(request_, given_, outcome) -> None:
    expected = Deny(outcome) if isinstance(outcome, DenyReason) else outcome
    assert decide_publish(request_, given_) == expected


def test_every_reason_has_a_sentence_for_people() -> None:
    assert set(REASONS) == set(DenyReason)
    assert all(text.endswith(".") for text in REASONS.values())


def test_the_secret_is_in_no_repr() -> None:
    assert "abcd2345-x" not in repr(REQUEST)


@given(st.text())
def test_no_name_with_a_slash_a_dot_or_a_quote_is_a_channel_name(text) -> None:
    if is_channel_name(text):
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_") and len(text) <= 40


def test_key_text_is_signed_by_station_channel_owner_and_version() -> None:
    text = key_text(KEY, b"station")
    assert key_id_of(text) == KEY.id and is_text_of(text, KEY, b"station")
    assert not is_text_of(text, KEY, b"another station")
    for changed in ({"channel": "b"}, {"user_id": 2}, {"version": 2}, {"id": "bbbb2345"}):
        assert not is_text_of(text, replace(KEY, **changed), b"station")


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_no_text_whatever_is_an_error(text) -> None:
    key_id_of(text)
    assert not is_text_of(text, KEY, b"station")
