from __future__ import annotations

import m3u8
import pytest
from hypothesis import given
from hypothesis import strategies as st

from putlive.domain.playlists import (
    MediaPlaylist,
    Segment,
    Variant,
    multivariant,
    parse_media,
    variant_uri,
)

SRS = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-TARGETDURATION:3
#EXTINF:2.021, no desc
main-1.ts
#EXT-X-DISCONTINUITY
#EXTINF:2.000, no desc
main-2.ts
"""
SOURCE = Variant("source/main.m3u8", 900_000, 800_000, 640, 360, 30, "avc1.42c01f,mp4a.40.2")
HIGH = Variant("720p/main.m3u8", 2_800_000, 2_700_000, 1280, 720, 29.97, "avc1.4d401f,mp4a.40.2")
LOW = Variant("144p/main.m3u8", 300_000, 250_000, 256, 144, 15, "avc1.4d400c,mp4a.40.2")


def test_a_media_playlist_is_read() -> None:
    assert parse_media(SRS) == MediaPlaylist(
        41, 3.0, (Segment(41, "main-1.ts", 2.021), Segment(42, "main-2.ts", 2.0, True))
    )


def test_the_next_number_follows_the_last_segment() -> None:
    playlist = parse_media(SRS)
    assert playlist is not None
    assert (playlist.next_number, playlist.shows_discontinuity) == (43, True)
    assert playlist.newest == playlist.numbered(42)
    assert playlist.numbered(40) is playlist.numbered(43) is None


def test_an_empty_playlist_has_no_newest() -> None:
    playlist = parse_media("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n")
    assert playlist is not None
    assert playlist.newest is None
    assert playlist.next_number == 7


@pytest.mark.parametrize("text", [None, "", "hello", "<html>", "#EXTINF:2,\na.ts"])
def test_what_is_no_playlist_is_none(text: str | None) -> None:
    assert parse_media(text) is None


@given(st.text())
def test_no_text_makes_the_reader_raise(text: str) -> None:
    parse_media(text)
    parse_media("#EXTM3U\n" + text)


@given(st.text(alphabet="0123456789.-+einfa \t²", max_size=24))
def test_odd_numbers_do_not_make_the_reader_raise(number: str) -> None:
    text = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{number}\n#EXT-X-TARGETDURATION:{number}\n"
    playlist = parse_media(f"{text}#EXTINF:{number},\na.ts\n")
    assert playlist is not None
    assert playlist.first_number >= 0


def test_the_source_comes_first_and_then_the_best() -> None:
    text = multivariant([SOURCE, LOW, HIGH])
    uris = [line for line in text.splitlines() if not line.startswith("#")]
    assert uris == ["source/main.m3u8", "720p/main.m3u8", "144p/main.m3u8"]


def test_the_multivariant_playlist_reads_as_it_was_meant() -> None:
    playlist = m3u8.loads(multivariant([SOURCE, HIGH, LOW]))
    assert playlist.is_variant and playlist.is_independent_segments
    info = playlist.playlists[1].stream_info
    assert info.resolution == (1280, 720)
    assert (info.bandwidth, info.average_bandwidth) == (2_800_000, 2_700_000)
    assert (info.frame_rate, info.codecs) == (29.97, "avc1.4d401f,mp4a.40.2")


def test_the_text_is_exactly_this() -> None:
    assert multivariant([SOURCE]) == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=900000,AVERAGE-BANDWIDTH=800000,RESOLUTION=640x360,"
        'FRAME-RATE=30.000,CODECS="avc1.42c01f,mp4a.40.2"\nsource/main.m3u8\n'
    )


def test_segments_without_keyframes_are_not_called_independent() -> None:
    dependent = Variant("source/a.m3u8", 1, 1, 0, 0, 0, "", independent=False)
    assert "INDEPENDENT" not in multivariant([dependent, LOW])


def test_what_was_not_measured_is_left_out() -> None:
    text = multivariant([Variant("source/a.m3u8", 100_000, 90_000, 0, 0, 0.0, "")])
    assert "RESOLUTION" not in text and "FRAME-RATE" not in text and "CODECS" not in text


def test_uris_are_relative() -> None:
    assert variant_uri("480p", "main") == "480p/main.m3u8"
