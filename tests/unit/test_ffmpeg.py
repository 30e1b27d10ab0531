from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from putlive.adapters.media import ffmpeg
from putlive.adapters.media.demo import CELLS, demo_argv, demo_spec, find_font, read_clock
from putlive.domain.alignment import RungLaunch
from putlive.domain.ladder import Rung, RungPlan
from putlive.settings import LADDER

PROGRAMS = ffmpeg.Programs("/usr/bin/ffmpeg", "/usr/bin/rtmpdump")
URL = "rtmp://127.0.0.1:1935/live/main"
OUTPUT = ffmpeg.RungOutput(Path("/hls"), 1.9, 6, 0.7)
PLAN = RungPlan(Rung("144p", 256, 144, 200_000, 15, 32_000), 256, 144, 15, every=2)
LAUNCH = RungLaunch("main", PLAN, first_number=12, token=1795255000000, discontinuity=True)


def after(argv: tuple[str, ...], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_a_rung_writes_its_own_playlist_with_names_never_used_before() -> None:
    argv = ffmpeg.rung_argv("ffmpeg", URL, OUTPUT, LAUNCH)
    assert argv[-1] == "/hls/144p/main.m3u8"
    assert after(argv, "-hls_segment_filename") == "/hls/144p/main-1795255000000%06d.ts"
    assert after(argv, "-start_number") == "12"
    assert after(argv, "-output_ts_offset") == "0.7"


def test_a_rung_takes_keyframes_and_time_stamps_from_the_source() -> None:
    argv = ffmpeg.rung_argv("ffmpeg", URL, OUTPUT, LAUNCH)
    assert after(argv, "-force_key_frames") == "source"
    assert after(argv, "-enc_time_base") == "-1"
    assert after(argv, "-bf") == "0"
    assert "-copyts" in argv


@pytest.mark.parametrize(
    ("launch", "present", "absent"),
    [
        (LAUNCH, "discont_start", "append_list"),
        (replace(LAUNCH, append=True), "append_list", "discont_start"),
        (replace(LAUNCH, discontinuity=False), "delete_segments", "discont_start"),
    ],
)
def test_flags_follow_the_launch(launch: RungLaunch, present: str, absent: str) -> None:
    flags = after(ffmpeg.rung_argv("ffmpeg", URL, OUTPUT, launch), "-hls_flags")
    assert present in flags and absent not in flags


def test_appending_takes_its_number_from_the_playlist() -> None:
    argv = ffmpeg.rung_argv("ffmpeg", URL, OUTPUT, replace(LAUNCH, append=True))
    assert after(argv, "-start_number") == "0"


def test_frames_are_left_out_only_when_the_source_is_faster() -> None:
    thinned = after(ffmpeg.rung_argv("ffmpeg", URL, OUTPUT, LAUNCH), "-vf")
    whole = replace(LAUNCH, plan=replace(PLAN, fps=30, every=1))
    assert "gt(t-prev_selected_t\\,0.0500)" in thinned
    assert "t-prev_selected_t" not in after(ffmpeg.rung_argv("ffmpeg", URL, OUTPUT, whole), "-vf")


def test_a_rung_is_never_restarted_with_the_same_number() -> None:
    spec = ffmpeg.rung_spec(PROGRAMS, URL, OUTPUT, LAUNCH)
    assert spec.name == ffmpeg.rung_name("main", "144p")
    assert not spec.policy.restart
    assert spec.stall_seconds


def test_the_preview_decodes_keyframes_only_and_replaces_its_picture_whole() -> None:
    spec = ffmpeg.preview_spec(PROGRAMS, URL, Path("/hls/preview/main.jpg"), "main")
    assert after(spec.argv, "-skip_frame") == "nokey"
    assert after(spec.argv, "-atomic_writing") == "1"
    assert spec.argv.count("-threads") == 2
    assert spec.argv[-1] == "/hls/preview/main.jpg"


def test_the_keeper_is_rtmpdump_where_there_is_one() -> None:
    assert ffmpeg.keeper_argv(PROGRAMS, URL)[0] == "/usr/bin/rtmpdump"
    argv = ffmpeg.keeper_argv(ffmpeg.Programs("/usr/bin/ffmpeg"), URL)
    assert argv[0] == "/usr/bin/ffmpeg"
    assert argv[-1] == "/dev/null"


@pytest.mark.parametrize(
    "argv",
    [
        ffmpeg.rung_argv("ffmpeg", URL, OUTPUT, LAUNCH),
        ffmpeg.preview_argv("ffmpeg", URL, Path("/p.jpg")),
        ffmpeg.keeper_argv(ffmpeg.Programs("ffmpeg"), URL),
        demo_argv("ffmpeg", URL, None),
    ],
)
def test_every_ffmpeg_is_quiet_and_reads_no_terminal(argv: tuple[str, ...]) -> None:
    assert "-nostdin" in argv and "-hide_banner" in argv
    assert after(argv, "-loglevel") == "error"
    assert all(isinstance(word, str) for word in argv)


def test_who_reports_progress_is_also_listened_to() -> None:
    for spec in (
        ffmpeg.rung_spec(PROGRAMS, URL, OUTPUT, LAUNCH),
        ffmpeg.preview_spec(PROGRAMS, URL, Path("/p.jpg"), "main"),
        ffmpeg.keeper_spec(PROGRAMS, URL, "main"),
        demo_spec("ffmpeg", URL, None),
    ):
        assert ("-progress" in spec.argv) == (spec.stall_seconds is not None)


def test_the_configured_ladder_becomes_rungs() -> None:
    assert [ffmpeg.as_rung(quality) for quality in LADDER] == [
        Rung("144p", 256, 144, 200_000, 15, 32_000),
        Rung("480p", 854, 480, 1_200_000, 30, 96_000),
        Rung("720p", 1280, 720, 2_500_000, 30, 128_000, enabled=False),
    ]


def test_the_demo_without_a_font_draws_no_text() -> None:
    assert "drawtext" not in " ".join(demo_argv("ffmpeg", URL, None))
    assert "drawtext=fontfile='/f.ttf'" in " ".join(demo_argv("ffmpeg", URL, Path("/f.ttf")))


def test_a_font_is_found_where_there_is_one(tmp_path: Path) -> None:
    assert find_font([tmp_path, tmp_path / "none"]) is None
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Any.ttf").touch()
    assert find_font([tmp_path]) == tmp_path / "a" / "Any.ttf"
    (tmp_path / "DejaVuSans.ttf").touch()
    assert find_font([tmp_path]) == tmp_path / "DejaVuSans.ttf"


def strip(value: int, check: int, width: int, height: int) -> bytes:
    """A grey frame with the clock along its lower edge, a little washed out."""
    bits = [1, 0, *(value >> i & 1 for i in range(32)), *(check >> i & 1 for i in range(8))]
    cell = 20 * width / 854
    row = bytes(
        (230 if bits[int(x / cell)] else 30) if x / cell < CELLS else 128 for x in range(width)
    )
    bar = round(20 * height / 480)
    return b"\x80" * width * (height - bar) + row * bar


@pytest.mark.parametrize("size", [(854, 480), (256, 144), (1280, 720)])
@pytest.mark.parametrize("value", [0, 1, 4253623488, 0xFFFFFFFF])
def test_the_clock_is_read_back_at_any_size(size: tuple[int, int], value: int) -> None:
    assert read_clock(strip(value, value % 251, *size), *size) == value


def test_a_wrong_check_number_or_no_strip_at_all_reads_nothing() -> None:
    assert read_clock(strip(1000, 7, 854, 480), 854, 480) is None
    assert read_clock(b"\x80" * 854 * 480, 854, 480) is None
