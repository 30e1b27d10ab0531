"""The demo channel in the players people use, and its playlists under strict readers."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import m3u8
import pytest

from tests.integration.station_rig import ENGINES, Station, running, until

PLAY_SECONDS = 6
# VLC 3 on a machine without a desktop; that the tables at the start of each segment count from
# zero again; and, where it gets too little of a busy processor, that it is late itself.
VLC_ALWAYS_SAYS = (
    *("dbus", "interface", "TS duplicate"),
    *("buffer deadlock prevented", "is called too late"),
)
HLS_PARSER = Path(__file__).parents[2] / "web" / "node_modules" / "hls-parser"


@pytest.fixture(scope="module", params=ENGINES)
def station(request: pytest.FixtureRequest) -> Iterator[Station]:
    with running(request.param, demo=True) as one:
        until(lambda: "144p" in one.listed("demo"), 20, "the rungs")
        yield one


@pytest.fixture(scope="module")
def players(station: Station) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Every player this machine has, playing at the same time."""
    folder = Path(tempfile.mkdtemp(prefix="putlive-players-"))
    folder.chmod(0o777)
    started = {}
    for name, argv in commands(station.ready["hls_url"], folder).items():
        if shutil.which(argv[0]):
            started[name] = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
    yield started
    for process in started.values():
        process.kill()
        process.communicate()
    shutil.rmtree(folder)


def commands(url: str, folder: Path) -> dict[str, list[str]]:
    """How to play for some seconds and say how it was."""
    streamlink = [sys.executable, "-W", "ignore", "-m", "streamlink", "--hls-duration", "4"]
    sinks = [f"{kind}-sink=fakesink silent=false sync=true" for kind in ("video", "audio")]
    vlc = ["cvlc", "-vv", "-I", "dummy", "--no-color", "--vout", "dummy", "--aout", "dummy"]
    return {
        "streamlink": [*streamlink, "-o", str(folder / "streamlink.ts"), url, "best"],
        "VLC": [
            *([] if os.geteuid() else as_nobody(folder)),
            *(*vlc, "--run-time", str(PLAY_SECONDS), "--play-and-exit", url, "vlc://quit"),
        ],
        # Ctrl-C is how gst-launch ends a live stream.
        "GStreamer": [
            *("timeout", "--preserve-status", "-s", "INT", str(PLAY_SECONDS + 2)),
            *("gst-launch-1.0", "-v", "playbin", f"uri={url}", *sinks),
        ],
    }


def as_nobody(home: Path) -> list[str]:
    """VLC does not run as root."""
    nobody = pwd.getpwnam("nobody")
    ids = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids, "env", f"HOME={home}"]


def watched(players: dict[str, subprocess.Popen[str]], name: str, program: str) -> str:
    """What a player said, once it has ended well."""
    if not shutil.which(program) or name not in players:
        pytest.skip(f"there is no {program}")
    said, _ = players[name].communicate(timeout=30)
    assert players[name].returncode == 0, said[-2000:]
    return said


def probe(url: str) -> list[dict[str, Any]]:
    """The streams ffprobe finds; any word of complaint is a failure."""
    argv = ["ffprobe", "-v", "warning", "-show_streams", "-of", "json", url]
    found = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert (found.returncode, found.stderr) == (0, "")
    streams: list[dict[str, Any]] = json.loads(found.stdout)["streams"]
    return streams


def test_ffprobe_finds_picture_and_sound_without_a_complaint(
    station: Station, players: dict[str, subprocess.Popen[str]]
) -> None:
    kinds = {s["codec_name"] for s in probe(f"{station.ready['public_url']}live/source/demo.m3u8")}
    assert kinds == {"h264", "aac"}
    argv = ["ffprobe", "-v", "error", station.ready["hls_url"]]
    found = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert (found.returncode, found.stderr) == (0, "")


def test_streamlink_plays_it(players: dict[str, subprocess.Popen[str]]) -> None:
    said = watched(players, "streamlink", sys.executable)
    assert "480p (best)" in said and "144p (worst)" in said
    assert "[error]" not in said and "Traceback" not in said


def test_vlc_plays_it(players: dict[str, subprocess.Popen[str]]) -> None:
    said = watched(players, "VLC", "cvlc")
    assert "using vout display module" in said, "no picture was shown"
    assert "using audio output module" in said
    errors = [line for line in said.splitlines() if " error: " in line]
    assert [e for e in errors if not any(word in e for word in VLC_ALWAYS_SAYS)] == []


def test_gstreamer_plays_it(players: dict[str, subprocess.Popen[str]]) -> None:
    said = watched(players, "GStreamer", "gst-launch-1.0")
    assert "ERROR" not in said and "WARNING" not in said
    for sink in ("vbin", "abin"):
        assert len(re.findall(rf"{sink}/.*last-message = chain", said)) > 60, sink


def test_m3u8_reads_the_multivariant_playlist_strictly(station: Station) -> None:
    text = station.media("demo.m3u8").text
    playlist = m3u8.loads(text)
    assert playlist.is_variant and playlist.is_independent_segments
    assert len({p.uri.partition("/")[0] for p in playlist.playlists}) == 3
    for info in (p.stream_info for p in playlist.playlists):
        assert info.bandwidth >= info.average_bandwidth > 0
        assert info.resolution and info.frame_rate and info.codecs
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    for info_line, uri in pairwise(lines):
        assert info_line.startswith("#EXT-X-STREAM-INF:") == (not uri.startswith("#"))


@pytest.mark.parametrize("rendition", ["source", "480p", "144p"])
def test_m3u8_reads_the_media_playlists_strictly(station: Station, rendition: str) -> None:
    def whole() -> m3u8.M3U8 | None:
        read = m3u8.loads(station.media(f"{rendition}/demo.m3u8").text)
        return read if len(read.segments) >= 3 else None

    playlist = until(whole, 20, "three segments")
    assert playlist.target_duration and playlist.media_sequence is not None
    assert len(playlist.segments) >= 3 and not playlist.is_endlist
    for segment in playlist.segments:
        assert 0 < round(segment.duration) <= playlist.target_duration
        assert station.media(f"{rendition}/{segment.uri}").content[:1] == b"G"


def test_what_the_multivariant_playlist_says_is_true(station: Station) -> None:
    """RFC 8216 4.3.4.2: BANDWIDTH is within reach of what the segments really need."""
    for variant in m3u8.loads(station.media("demo.m3u8").text).playlists:
        rendition, info = variant.uri.partition("/")[0], variant.stream_info
        picture = next(s for s in probe(segment_url(station, rendition)) if "width" in s)
        assert info.resolution == (picture["width"], picture["height"])
        over, under = (int(part) for part in picture["r_frame_rate"].split("/"))
        assert info.frame_rate == pytest.approx(over / under, abs=0.5)
        assert info.codecs == f"{avc(picture)},mp4a.40.2"
        rates = segment_rates(station, rendition)
        assert info.bandwidth == pytest.approx(max(rates), rel=0.2), rendition
        # It is left as it was for as long as it is right within a quarter.
        assert info.average_bandwidth == pytest.approx(sum(rates) / len(rates), rel=0.3), rendition


def segment_url(station: Station, rendition: str) -> str:
    """The newest segment, so that what is measured is what players get now."""
    newest = m3u8.loads(station.media(f"{rendition}/demo.m3u8").text).segments[-1]
    return f"{station.ready['public_url']}live/{rendition}/{newest.uri}"


def avc(picture: dict[str, Any]) -> str:
    """RFC 6381: profile, constraints (main: 40) and level in hexadecimal."""
    assert picture["profile"] == "Main"
    return f"avc1.4d40{picture['level']:02x}"


def segment_rates(station: Station, rendition: str) -> list[float]:
    """Bits per second of each whole segment that is still there."""
    playlist = m3u8.loads(station.media(f"{rendition}/demo.m3u8").text)
    whole = [segment for segment in playlist.segments if segment.duration > 1]
    answers = [(station.media(f"{rendition}/{s.uri}"), s.duration) for s in whole]
    return [len(a.content) * 8 / seconds for a, seconds in answers if a.status_code == 200]


@pytest.mark.skipif(not HLS_PARSER.exists(), reason="the npm package hls-parser is not installed")
def test_hls_parser_reads_every_playlist_strictly(station: Station) -> None:
    script = """
        const HLS = require(process.argv[1]);
        HLS.setOptions({strictMode: true});
        const text = require('fs').readFileSync(0, 'utf8');
        for (const one of JSON.parse(text)) HLS.parse(one);
    """
    names = ["demo.m3u8", *(f"{r}/demo.m3u8" for r in station.listed("demo"))]
    texts = json.dumps([station.media(name).text for name in names])
    argv = ["node", "-e", script, str(HLS_PARSER)]
    read = subprocess.run(argv, input=texts, capture_output=True, text=True, timeout=20)
    assert read.returncode == 0, read.stderr
