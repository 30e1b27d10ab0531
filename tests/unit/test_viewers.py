"""Who is one viewer: tables of requests and what they make of an audience."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from putlive.domain import audience
from putlive.domain.audience import Audience
from putlive.domain.viewers import (
    HlsRequest,
    RequestKind,
    expiry_seconds,
    is_minted,
    period_seconds,
    session_id,
    target,
)

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
TARGET = 2.0
PERIOD, EXPIRY = period_seconds(TARGET), expiry_seconds(TARGET)
N1, N2, N3 = ("n" + digit * 32 for digit in "123")
VLC, SAFARI = "VLC/3.0.20 LibVLC/3.0.20", "Mozilla/5.0 (iPhone) Safari"


def request(path="/live/source/main.m3u8", sid="", address="192.0.2.1", agent=VLC, **more):
    what = target(path)
    assert what is not None, path
    fields = {"status": 200, "bytes": 100, "at": AT, **more}
    return HlsRequest(
        address=address,
        agent=agent,
        channel=what.channel,
        rendition=what.rendition,
        sid=sid,
        kind=what.kind,
        **fields,
    )


MASTER = "/live/main.m3u8"
PLAYLIST = "/live/source/main.m3u8"
SMALL = "/live/144p/main.m3u8"
SEGMENT = "/live/source/main-1.ts"


class Room:
    """An audience and a clock."""

    def __init__(self) -> None:
        self.audience, self.now = Audience(), 0.0

    def ask(self, *paths: str, **who) -> Room:
        for path in paths:
            self.audience.saw(request(path, **who), self.now, TARGET)
        return self

    def wait(self, seconds: float) -> Room:
        self.now += seconds
        self.audience.pass_time(self.now, TARGET)
        return self

    def watch(self, seconds: float, **who) -> Room:
        """Ask as a player does: the playlist and a segment every two seconds."""
        for _ in range(int(seconds / 2)):
            self.ask(PLAYLIST, SEGMENT, **who).wait(2)
        return self

    @property
    def stats(self):
        return self.audience.stats()


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize(
    "path,kind,channel,rendition",
    [
        (MASTER, RequestKind.MULTIVARIANT, "main", ""),
        (PLAYLIST, RequestKind.PLAYLIST, "main", "source"),
        (SMALL, RequestKind.PLAYLIST, "main", "144p"),
        (SEGMENT, RequestKind.SEGMENT, "main", "source"),
        ("/live/480p/a-b-1700000000123.ts", RequestKind.SEGMENT, "a-b", "480p"),
        ("/live/source/cam-1-2.ts", RequestKind.SEGMENT, "cam-1", "source"),
    ],
)
def test_a_path_names_its_target(path, kind, channel, rendition) -> None:
    found = target(path)
    assert found is not None
    assert (found.kind, found.channel, found.rendition) == (kind, channel, rendition)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/live/", "/live/.m3u8", "/live/Main.m3u8", "/live/a/b/c.m3u8", "/live/main.ts"]
    + ["/live/source/main.ts", "/live/source/-1.ts", "/live/source/main-x.ts", "/other/main.m3u8"]
    + ["/live/source/main.m3u8.tmp", "/live/source/main-1.ts\n", f"/live/source/{'a' * 41}.m3u8"],
)
def test_other_paths_name_nothing(path) -> None:
    assert target(path) is None


@pytest.mark.parametrize(
    "text,kept",
    [("abcdefgh", True), ("a" * 64, True), (N1, True), ("A-b_9xyz", True)]
    + [
        ("", False),
        ("short77", False),
        ("a" * 65, False),
        ("abcdefg\n", False),
        ("a b c d e", False),
    ],
)
def test_a_session_id_is_taken_or_ignored(text, kept) -> None:
    assert session_id(text) == (text if kept else "")


def test_only_ids_of_the_front_are_minted() -> None:
    assert is_minted(N1)
    assert not any(is_minted(x) for x in ("", "n" + "1" * 31, "n" + "G" * 32, "s" + "1" * 32))


@pytest.mark.parametrize(
    "paths,now",
    [
        ([MASTER], 0),
        ([PLAYLIST], 0),
        ([MASTER, MASTER, MASTER], 0),  # looking again what there is, is not watching
        ([MASTER, PLAYLIST], 1),
        ([PLAYLIST, PLAYLIST], 1),
        ([SEGMENT], 1),
        ([PLAYLIST, SMALL], 1),
    ],
)
def test_who_looks_once_is_not_yet_a_viewer(room, paths, now) -> None:
    room.ask(*paths, sid="abcdefgh")
    assert (room.stats.now, room.stats.unique, room.stats.peak) == (now, now, now)
    assert room.stats.bytes_out == 100 * len(paths)


@pytest.mark.parametrize("status", [200, 206, 304])
def test_what_was_served_counts(room, status) -> None:
    assert room.ask(MASTER, PLAYLIST, sid="abcdefgh", status=status).stats.now == 1


@pytest.mark.parametrize("status", [301, 403, 404, 429, 499, 500, 503])
def test_refusals_and_errors_do_not_count(room, status) -> None:
    stats = room.ask(MASTER, PLAYLIST, SEGMENT, sid="abcdefgh", status=status).stats
    assert (stats.now, stats.unique, stats.bytes_out) == (0, 0, 0)


# name: list of (viewer's fields, paths), how many persons
CROWDS = {
    "one player on three renditions": (
        [({"sid": "abcdefgh"}, [MASTER, PLAYLIST, SEGMENT, SMALL, "/live/144p/main-3.ts"])],
        1,
    ),
    "one phone that changed its network": (
        [
            ({"sid": "abcdefgh", "address": "192.0.2.1"}, [MASTER, PLAYLIST]),
            ({"sid": "abcdefgh", "address": "198.51.100.7"}, [PLAYLIST, PLAYLIST]),
        ],
        1,
    ),
    "two people behind one address with ids": (
        [
            ({"sid": "abcdefgh", "agent": SAFARI}, [MASTER, PLAYLIST]),
            ({"sid": "ijklmnop", "agent": SAFARI}, [MASTER, PLAYLIST]),
            ({"agent": SAFARI}, [SEGMENT, SEGMENT, SEGMENT]),
        ],
        2,
    ),
    "VLC on a media playlist, without any id": ([({}, [PLAYLIST, SEGMENT, PLAYLIST, SEGMENT])], 1),
    "Safari on a minted id": (
        [({"sid": N1, "agent": SAFARI}, [MASTER, PLAYLIST]), ({"agent": SAFARI}, [SEGMENT])],
        1,
    ),
    "two agents behind one address, without ids": (
        [({"agent": VLC}, [PLAYLIST, SEGMENT]), ({"agent": SAFARI}, [PLAYLIST, SEGMENT])],
        2,
    ),
    "two addresses with one agent, without ids": (
        [({"address": a}, [PLAYLIST, SEGMENT]) for a in ("192.0.2.1", "192.0.2.2")],
        2,
    ),
    "a robot that looked at every playlist once": (
        [({"sid": N1, "agent": "robot"}, [MASTER]), ({"sid": N2, "agent": "robot"}, [MASTER])],
        0,
    ),
}


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_persons_are_counted_and_not_requests(room, crowd) -> None:
    visits, persons = crowd
    for who, paths in visits:
        room.ask(*paths, **who)
    assert (room.stats.now, room.stats.unique) == (persons, persons)


def test_a_viewer_stays_until_a_playlist_period_and_its_slack_are_missed(room) -> None:
    room.watch(20, sid="abcdefgh")
    room.wait(EXPIRY - 2)
    assert room.stats.now == 1
    room.wait(0.1)
    assert (room.stats.now, room.stats.peak, room.stats.unique) == (0, 1, 1)
    assert room.stats.watch_seconds == 18


def test_who_comes_back_with_the_same_id_is_not_another_person(room) -> None:
    for _ in range(3):
        room.watch(10, sid="abcdefgh").wait(60)
    assert (room.stats.now, room.stats.peak, room.stats.unique) == (0, 1, 1)
    assert room.stats.watch_seconds == 24


@pytest.mark.parametrize("away", [PERIOD + 0.1, EXPIRY + 1, 3600])
def test_a_new_visit_after_a_silence_is_the_same_person(room, away) -> None:
    room.ask(MASTER, PLAYLIST, sid=N1).wait(away)
    room.ask(MASTER, PLAYLIST, sid=N2)
    assert (room.stats.now, room.stats.peak, room.stats.unique) == (1, 1, 1)


def test_a_quick_reconnect_is_never_counted_as_two(room) -> None:
    room.watch(10, sid=N1)
    room.ask(MASTER, PLAYLIST, SEGMENT, sid=N2)
    for _ in range(10):
        assert (room.stats.now, room.stats.peak, room.stats.unique) == (1, 1, 1)
        room.watch(2, sid=N2)
    assert [v.id for v in room.audience.viewers()] == [N2]
    assert room.stats.watch_seconds == 28


def test_a_chain_of_quick_reconnects_is_one_person(room) -> None:
    for digit in "123456789":
        room.ask(MASTER, PLAYLIST, sid="n" + digit * 32).wait(1)
    room.watch(20, sid=N1.replace("1", "9"))
    assert (room.stats.now, room.stats.peak, room.stats.unique) == (1, 1, 1)


def test_two_visits_that_both_go_on_are_two_people(room) -> None:
    room.ask(MASTER, PLAYLIST, sid=N1)
    room.ask(MASTER, PLAYLIST, sid=N2)
    assert room.stats.now == 1  # not clear yet
    for _ in range(5):
        room.wait(2).ask(PLAYLIST, sid=N1).ask(PLAYLIST, sid=N2)
    assert (room.stats.now, room.stats.peak, room.stats.unique) == (2, 2, 2)


def test_of_two_people_behind_one_address_one_leaves_and_returns(room) -> None:
    room.ask(MASTER, PLAYLIST, sid=N1).ask(MASTER, PLAYLIST, sid=N2)
    for _ in range(3):
        room.wait(2).ask(PLAYLIST, sid=N1).ask(PLAYLIST, sid=N2)
    room.watch(20, sid=N1)
    assert room.stats.now == 1
    room.ask(MASTER, PLAYLIST, sid=N3)
    room.watch(10, sid=N1)  # N3 fell silent, N1 did not: N3 was the other one
    assert (room.stats.now, room.stats.unique) == (1, 2)


def test_a_minted_visit_is_not_mistaken_for_an_owner_of_an_own_id(room) -> None:
    room.ask(MASTER, PLAYLIST, sid="abcdefgh").wait(PERIOD + 0.1)
    room.ask(MASTER, PLAYLIST, sid=N1)
    assert room.stats.now == 2


def test_a_new_stream_starts_its_numbers_with_those_who_stayed(room) -> None:
    room.watch(10, sid="abcdefgh").ask(MASTER, PLAYLIST, sid="ijklmnop")
    room.wait(EXPIRY - 4).watch(4, sid="abcdefgh").wait(5)
    room.ask(PLAYLIST, sid="abcdefgh").audience.begin_again()
    stats = room.stats
    assert (stats.now, stats.peak, stats.unique) == (1, 1, 1)
    assert (stats.bytes_out, stats.watch_seconds) == (0, 0)
    room.watch(4, sid="abcdefgh")
    assert (room.stats.bytes_out, room.stats.watch_seconds) == (400, 2)


def test_a_viewer_shows_where_it_is_and_since_when(room) -> None:
    room.ask(MASTER, PLAYLIST, SEGMENT, sid="abcdefgh").ask(SMALL, sid="abcdefgh")
    (viewer,) = room.audience.viewers()
    assert (viewer.id, viewer.rendition, viewer.since) == ("abcdefgh", "144p", AT)
    assert (viewer.origin.address, viewer.bytes, viewer.requests) == ("192.0.2.1", 400, 4)


def test_a_segment_without_id_goes_to_whoever_was_last_seen_there(room) -> None:
    room.ask(MASTER, PLAYLIST, sid="abcdefgh").ask(MASTER, PLAYLIST, sid="ijklmnop")
    room.ask(SEGMENT)
    assert {v.id: v.bytes for v in room.audience.viewers()} == {"abcdefgh": 200, "ijklmnop": 300}


def test_more_than_can_be_followed_are_still_unique(room, monkeypatch) -> None:
    monkeypatch.setattr(audience, "MAX_TRACKED", 3)
    for number in range(5):
        room.ask(PLAYLIST, SEGMENT, sid=f"person-{number}", address=f"192.0.2.{number}")
    assert (room.stats.now, room.stats.unique) == (3, 5)
    room.ask(PLAYLIST, sid="person-4", address="192.0.2.4")
    assert (room.stats.unique, room.stats.bytes_out) == (5, 1100)


def test_of_those_who_left_only_so_many_are_remembered(room, monkeypatch) -> None:
    monkeypatch.setattr(audience, "MAX_REMEMBERED", 2)
    for number in range(3):
        room.ask(PLAYLIST, PLAYLIST, sid=f"person-{number}")
    room.wait(60).ask(PLAYLIST, PLAYLIST, sid="person-2")
    assert room.stats.unique == 3
    room.ask(PLAYLIST, PLAYLIST, sid="person-0")
    assert room.stats.unique == 4


STEP = st.one_of(
    st.floats(0, 15),
    st.builds(
        request,
        st.sampled_from([MASTER, PLAYLIST, SMALL, SEGMENT]),
        sid=st.sampled_from(["", "abcdefgh", "ijklmnop", N1, N2, N3]),
        address=st.sampled_from(["192.0.2.1", "192.0.2.2"]),
        status=st.sampled_from([200, 404]),
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=60), st.booleans())
def test_the_account_always_adds_up(steps, again) -> None:
    audience, now, served = Audience(), 0.0, 0
    for step in steps:
        if isinstance(step, float):
            now += step
            audience.pass_time(now, TARGET)
        else:
            audience.saw(step, now, TARGET)
            served += step.served * step.bytes
        stats = audience.stats()
        assert 0 <= stats.now == len(audience.viewers()) <= stats.peak <= stats.unique
        assert stats.bytes_out == served
        assert 0 <= stats.watch_seconds <= now * 6
    if again:
        audience.begin_again()
        assert audience.stats().unique == audience.stats().now
    audience.pass_time(now + 1000, TARGET)
    assert audience.stats().now == 0
    assert not (audience._viewers or audience._places or audience._doubts or audience._present)
