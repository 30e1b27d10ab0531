"""What the HLS folder promises, held by the real one and by the fake alike."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from putlive.adapters.media.hls_files import PreviewPictures, TmpfsHls
from putlive.ports import HlsFiles
from putlive.services.program.preview import Pictures
from tests.fake_hls import FakeHls, FakePictures
from tests.fakes import FakeClock


@dataclass
class Folder:
    """The thing under test, and how another process writes into it now."""

    files: HlsFiles
    clock: FakeClock
    put: Callable[[str, str, bytes], None]
    read_multivariant: Callable[[str], str | None]


def real_folder(tmp_path: Path) -> Folder:
    clock = FakeClock()

    def put(rendition: str, name: str, data: bytes) -> None:
        path = tmp_path / rendition / name
        path.write_bytes(data)
        os.utime(path, (clock.now().timestamp(),) * 2)

    def read(channel: str) -> str | None:
        path = tmp_path / f"{channel}.m3u8"
        return path.read_text() if path.exists() else None

    return Folder(TmpfsHls(tmp_path, ["480p"], clock), clock, put, read)


def fake_folder(_: Path) -> Folder:
    clock = FakeClock()
    fake = FakeHls(["480p"], clock)

    def put(rendition: str, name: str, data: bytes) -> None:
        if name.endswith(".m3u8"):
            fake.put_playlist(rendition, name.removesuffix(".m3u8"), data.decode())
        else:
            fake.put_segment(rendition, name, data)

    return Folder(fake, clock, put, fake.multivariant)


@pytest.fixture(params=[real_folder, fake_folder], ids=["real", "fake"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    made: Folder = request.param(tmp_path)
    return made


def test_a_playlist_that_is_not_there_is_none(folder: Folder) -> None:
    assert folder.files.playlist("source", "main") is None
    assert folder.files.playlist_age_seconds("source", "main") is None


async def test_a_playlist_is_read_and_its_age_told(folder: Folder) -> None:
    folder.put("source", "main.m3u8", b"#EXTM3U\n")
    await folder.clock.advance(7)
    assert folder.files.playlist("source", "main") == "#EXTM3U\n"
    assert folder.files.playlist_age_seconds("source", "main") == pytest.approx(7, abs=0.01)


def test_the_playlist_path_ends_in_rendition_and_channel(folder: Folder) -> None:
    assert folder.files.playlist_path("480p", "main").parts[-2:] == ("480p", "main.m3u8")


def test_a_segment_is_read_by_its_name_in_the_playlist(folder: Folder) -> None:
    folder.put("source", "main-1.ts", b"G...")
    assert folder.files.segment("source", "main-1.ts") == b"G..."
    assert folder.files.segment("480p", "main-1.ts") is None


@pytest.mark.parametrize(
    "uri",
    ["../main.m3u8", "../../etc/passwd", "/etc/passwd", "a/b.ts", ".hidden.ts", "", "main.m3u8"]
    + ["http://example.org/main-1.ts", "main-1.ts?x", "main-1.ts\n", "..", "\0.ts", "a\0.ts"],
)
def test_a_uri_that_is_no_plain_segment_name_reads_nothing(folder: Folder, uri: str) -> None:
    folder.put("source", "main.m3u8", b"#EXTM3U\n")
    assert folder.files.segment("source", uri) is None


@pytest.mark.parametrize("name", ["../main", "Main", "", "a/b", "main.m3u8", "-a", "a\n"])
def test_what_is_no_channel_name_is_refused(folder: Folder, name: str) -> None:
    with pytest.raises(ValueError, match="channel"):
        folder.files.playlist("source", name)
    with pytest.raises(ValueError, match="channel"):
        folder.files.write_multivariant(name, "")
    with pytest.raises(ValueError, match="channel"):
        folder.files.set_full(name, True)
    with pytest.raises(ValueError, match="channel"):
        folder.files.forget("source", name)


@pytest.mark.parametrize("name", ["..", "", "480p/..", "A"])
def test_what_is_no_rendition_name_is_refused(folder: Folder, name: str) -> None:
    with pytest.raises(ValueError, match="rendition"):
        folder.files.playlist(name, "main")
    with pytest.raises(ValueError, match="rendition"):
        folder.files.segment(name, "main-1.ts")


def test_the_multivariant_playlist_is_written_and_forgotten(folder: Folder) -> None:
    folder.files.write_multivariant("main", "#EXTM3U\na\n")
    folder.files.write_multivariant("main", "#EXTM3U\nb\n")
    assert folder.read_multivariant("main") == "#EXTM3U\nb\n"
    folder.files.forget_multivariant("main")
    folder.files.forget_multivariant("main")
    assert folder.read_multivariant("main") is None


def test_forgetting_takes_the_channels_files_and_no_others(folder: Folder) -> None:
    mine = ["a.m3u8", "a-1.ts", "a-2.ts", "a-3.ts.tmp"]
    others = ["a-b-1.ts", "a-7-1.ts", "b-1.ts"]
    for name in [*mine, *others]:
        folder.put("source", name, b"x")
    folder.put("source", "a-b.m3u8", b"#EXTM3U\n")
    assert folder.files.forget("source", "a") == len(mine)
    assert folder.files.playlist("source", "a") is None
    assert folder.files.playlist("source", "a-b") is not None
    assert folder.files.forget("source", "a-b") == 2
    assert folder.files.segment("source", "a-7-1.ts") == b"x"


async def test_sweeping_takes_old_segments_nobody_lists(folder: Folder) -> None:
    for name in ("a-1.ts", "a-2.ts", "a-b-1.ts"):
        folder.put("source", name, b"x")
    await folder.clock.advance(60)
    folder.put("source", "a-3.ts", b"x")
    assert folder.files.sweep("source", "a", {"a-2.ts"}, 30) == 1
    left = [
        n for n in ("a-1.ts", "a-2.ts", "a-3.ts", "a-b-1.ts") if folder.files.segment("source", n)
    ]
    assert left == ["a-2.ts", "a-3.ts", "a-b-1.ts"]


def test_channels_are_those_with_any_playlist(folder: Folder) -> None:
    folder.put("source", "b.m3u8", b"#EXTM3U\n")
    folder.put("480p", "c.m3u8", b"#EXTM3U\n")
    folder.put("480p", "d-1.ts", b"x")
    folder.files.write_multivariant("a", "#EXTM3U\n")
    assert folder.files.channels() == ["a", "b", "c"]


def test_a_playlist_can_be_written(folder: Folder) -> None:
    folder.files.write_playlist("480p", "main", "#EXTM3U\n")
    assert folder.files.playlist("480p", "main") == "#EXTM3U\n"


def test_usage_is_at_most_the_total(folder: Folder) -> None:
    used, total = folder.files.usage()
    assert 0 <= used <= total > 0


def test_the_full_flag_is_a_file_while_raised(tmp_path: Path) -> None:
    files = TmpfsHls(tmp_path, [], FakeClock())
    files.set_full("main", True)
    assert (tmp_path / "full" / "main").is_file()
    files.set_full("main", False)
    files.set_full("main", False)
    assert not (tmp_path / "full" / "main").exists()


def test_a_link_is_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    files = TmpfsHls(tmp_path / "hls", [], FakeClock())
    (tmp_path / "secret").write_text("x")
    (tmp_path / "hls" / "source" / "main-1.ts").symlink_to(tmp_path / "secret")
    assert files.segment("source", "main-1.ts") is None


def test_what_nginx_serves_is_readable_for_its_user(tmp_path: Path) -> None:
    files = TmpfsHls(tmp_path, [], FakeClock())
    files.write_multivariant("main", "#EXTM3U\n")
    assert stat.S_IMODE((tmp_path / "main.m3u8").stat().st_mode) & stat.S_IROTH
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["main.m3u8"]


def test_the_same_text_is_not_written_twice(tmp_path: Path) -> None:
    files = TmpfsHls(tmp_path, [], FakeClock())
    files.write_multivariant("main", "#EXTM3U\n")
    before = (tmp_path / "main.m3u8").stat().st_ino
    files.write_multivariant("main", "#EXTM3U\n")
    assert (tmp_path / "main.m3u8").stat().st_ino == before


@pytest.mark.parametrize("name", ["full", "preview"])
def test_a_rung_cannot_take_a_folder_of_another_kind(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        TmpfsHls(tmp_path, [name], FakeClock())


@pytest.fixture(params=["real", "fake"])
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Pictures, FakeClock]:
    clock = FakeClock()
    if request.param == "fake":
        fake = FakePictures(clock)
        fake.take("main")
        return fake, clock
    real = PreviewPictures(tmp_path / "preview", clock)
    real.path("main").write_bytes(b"\xff\xd8")
    os.utime(real.path("main"), (clock.now().timestamp(),) * 2)
    return real, clock


async def test_a_picture_has_an_age_until_it_is_forgotten(
    pictures: tuple[Pictures, FakeClock],
) -> None:
    held, clock = pictures
    await clock.advance(4)
    assert held.age_seconds("main") == pytest.approx(4, abs=0.01)
    assert held.path("main").name == "main.jpg"
    held.forget("main")
    held.forget("main")
    assert held.age_seconds("main") is None
    with pytest.raises(ValueError, match="channel"):
        held.path("../main")
