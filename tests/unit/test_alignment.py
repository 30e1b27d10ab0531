from __future__ import annotations

import pytest

from putlive.domain.alignment import cut_seconds, first_number, moment, offset
from putlive.domain.playlists import MediaPlaylist, Segment


def playlist(first: int, count: int) -> MediaPlaylist:
    return MediaPlaylist(first, 2.0, tuple(Segment(first + i, "x", 2.0) for i in range(count)))


SOURCE = playlist(10, 5)  # 10..14, making 15


@pytest.mark.parametrize(
    ("meets", "joins_at_last", "number"),
    [(True, True, 15), (True, False, 16), (False, True, 16), (False, False, 17)],
)
def test_the_first_number_is_that_of_the_first_whole_segment(
    meets: bool, joins_at_last: bool, number: int
) -> None:
    assert first_number(SOURCE, None, meets=meets, joins_at_last=joins_at_last) == (number, False)


def test_a_former_playlist_that_ends_just_before_is_continued() -> None:
    former = playlist(12, 3)
    assert first_number(SOURCE, former, meets=True, joins_at_last=True) == (15, True)


def test_a_former_playlist_with_a_gap_is_not_continued() -> None:
    former = playlist(8, 3)
    assert first_number(SOURCE, former, meets=True, joins_at_last=True) == (15, False)


def test_numbers_never_go_back() -> None:
    former = playlist(900, 6)
    assert first_number(SOURCE, former, meets=True, joins_at_last=True) == (906, True)


def test_an_empty_former_playlist_is_no_hindrance() -> None:
    former = MediaPlaylist(99, 2.0, ())
    assert first_number(SOURCE, former, meets=True, joins_at_last=True) == (15, False)


@pytest.mark.parametrize(("age", "meets"), [(0.1, True), (1.4, True), (1.99, False), (2.5, False)])
def test_early_in_a_segment_it_is_met_and_late_it_is_missed(age: float, meets: bool) -> None:
    assert moment(age, 2.0) == (meets, 0.0)


@pytest.mark.parametrize("age", [1.6, 1.75, 1.9])
def test_when_it_cannot_be_told_it_waits_for_the_next(age: float) -> None:
    _, wait = moment(age, 2.0)
    assert 0 < wait < 0.7
    assert age + wait > 2.0


def test_the_offset_compares_start_times() -> None:
    starts = {10: 20.0, 11: 22.0, 12: 24.0}
    assert offset(starts, 11, 22.03) == 0
    assert offset(starts, 10, 24.0) == 2
    assert offset(starts, 12, 20.0) == -2
    assert offset(starts, 11, 23.0) is None
    assert offset({}, 11, 23.0) is None


def test_the_cut_leaves_room_for_encoders_that_round_down() -> None:
    assert cut_seconds(2.0) == 1.9
    assert cut_seconds(1.0) == 0.95
