from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from putlive.domain.h264 import find_picture, read_sps
from putlive.domain.mpegts import read_segment
from tests.ts_bytes import segment


def test_a_segment_tells_frames_length_size_and_codecs() -> None:
    data = segment(start=10.0, frames=60, fps=30, size=(854, 480))
    facts = read_segment(data)
    assert facts is not None
    assert (facts.frames, facts.width, facts.height) == (60, 854, 480)
    assert facts.seconds == pytest.approx(2.0, abs=1e-3)
    assert facts.first_pts == pytest.approx(10.0, abs=1e-4)
    assert facts.fps == pytest.approx(30, abs=0.05)
    assert facts.codecs == "avc1.4d401f,mp4a.40.2"
    assert facts.keyframe_first and facts.has_audio
    assert facts.bytes == len(data)


@pytest.mark.parametrize("size", [(1920, 1080), (256, 144), (1080, 1920), (640, 362), (16, 16)])
@pytest.mark.parametrize("profile", [b"\x42\xc0\x1f", b"\x4d\x40\x1f", b"\x64\x00\x28"])
def test_the_picture_size_comes_from_the_cropped_sps(size: tuple[int, int], profile: bytes) -> None:
    facts = read_segment(segment(size=size, profile=profile))
    assert facts is not None
    assert (facts.width, facts.height) == size
    assert facts.codecs.startswith(f"avc1.{profile.hex()}")


def test_without_sound_there_is_no_sound_codec() -> None:
    facts = read_segment(segment(audio=False))
    assert facts is not None
    assert not facts.has_audio
    assert facts.codecs == "avc1.4d401f"


@pytest.mark.parametrize(("sound_type", "foreign"), [(0x0F, False), (0x03, True), (0x04, True)])
def test_sound_of_another_codec_is_noticed(sound_type: int, foreign: bool) -> None:
    facts = read_segment(segment(sound_type=sound_type))
    assert facts is not None
    assert (facts.foreign, facts.has_audio) == (foreign, not foreign)
    assert facts.codecs.startswith("avc1.4d401f")


def test_the_audio_object_type_is_named() -> None:
    facts = read_segment(segment(object_type=1))
    assert facts is not None
    assert facts.codecs.endswith(",mp4a.40.1")


def test_frames_out_of_order_count_by_their_display_times() -> None:
    facts = read_segment(segment(frames=4, fps=25, order=[0, 3, 1, 2]))
    assert facts is not None
    assert facts.seconds == pytest.approx(4 / 25, abs=1e-4)


def test_time_stamps_may_wrap_inside_a_segment() -> None:
    facts = read_segment(segment(start=(1 << 33) / 90_000 - 1.0))
    assert facts is not None
    assert facts.seconds == pytest.approx(2.0, abs=1e-3)


def test_a_segment_that_starts_with_another_picture_is_told() -> None:
    facts = read_segment(segment(keyframe=False))
    assert facts is not None
    assert not facts.keyframe_first
    assert (facts.width, facts.height, facts.codecs) == (0, 0, "mp4a.40.2")


def test_sound_alone_is_measured_without_a_picture() -> None:
    data = segment(frames=60)
    sound = b"".join(
        data[at : at + 188]
        for at in range(0, len(data), 188)
        if (data[at + 1] & 0x1F) << 8 | data[at + 2] != 0x100
    )
    facts = read_segment(sound)
    assert facts is not None
    assert (facts.frames, facts.width, facts.codecs) == (0, 0, "mp4a.40.2")
    assert facts.seconds == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("data", [b"", b"G", b"G" * 188, b"\0" * 1880, segment()[:376]])
def test_nothing_to_measure_is_none(data: bytes) -> None:
    assert read_segment(data) is None


@given(st.binary(max_size=2000))
def test_no_bytes_at_all_make_it_raise(data: bytes) -> None:
    read_segment(data)
    find_picture(data)


WHOLE = segment(frames=6, bytes_per_frame=50)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=12))
def test_damage_anywhere_does_not_make_it_raise(damage: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for at, value in damage:
        data[at] = value
    read_segment(bytes(data))


@given(st.integers(0, len(WHOLE)), st.integers(0, 400))
def test_a_hole_anywhere_does_not_make_it_raise(at: int, length: int) -> None:
    read_segment(WHOLE[:at] + WHOLE[at + length :])


@given(st.binary(max_size=60))
def test_a_broken_sps_is_a_value_error_and_nothing_else(body: bytes) -> None:
    try:
        picture = read_sps(b"\x67" + body)
    except ValueError:
        return
    assert 0 < picture.width <= 16384 and 0 < picture.height <= 16384


def test_a_large_segment_costs_few_milliseconds() -> None:
    data = segment(bytes_per_frame=6000)
    assert len(data) > 370_000
    best = 1.0
    for _ in range(5):
        began = time.process_time()
        read_segment(data)
        best = min(best, time.process_time() - began)
    assert best < 0.005
