"""The HLS folder on a memory disk: playlists, segments, `full` flags and preview pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from putlive.domain.streams import is_channel_name
from putlive.ports import Clock

SOURCE, FULL, PREVIEW = "source", "full", "preview"
_RENDITION = re.compile(r"[a-z0-9]{1,16}\Z")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}\.ts\Z")
_PLAYLIST = ".m3u8"


class TmpfsHls:
    """`HlsFiles` on a real folder; makes it and its rooms, readable for nginx's user."""

    def __init__(self, root: Path, rungs: Sequence[str], clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._renditions = (SOURCE, *(_rendition(name) for name in rungs))
        if {FULL, PREVIEW} & set(self._renditions):
            raise ValueError(f"a rendition cannot be called {FULL} or {PREVIEW}")
        for name in (*self._renditions, FULL, PREVIEW):
            (root / name).mkdir(parents=True, exist_ok=True)

    def playlist(self, rendition: str, channel: str) -> str | None:
        """The text of a media playlist, or None when there is none."""
        data = _read(self.playlist_path(rendition, channel))
        return None if data is None else data.decode("utf-8", "replace")

    def playlist_path(self, rendition: str, channel: str) -> Path:
        """Where the media playlist is; `ValueError` for what is no name."""
        return self._root / _rendition(rendition) / f"{_channel(channel)}{_PLAYLIST}"

    def segment(self, rendition: str, uri: str) -> bytes | None:
        """The bytes of a segment; None when gone, a link, or not a plain file name."""
        if not _SEGMENT.match(uri):
            return None
        return _read(self._root / _rendition(rendition) / uri)

    def write_multivariant(self, channel: str, text: str) -> None:
        """Write the channel's multivariant playlist whole, or not at all if it is the same."""
        self._write(self._multivariant(channel), text)

    def write_playlist(self, rendition: str, channel: str, text: str) -> None:
        """Write a media playlist whole, or not at all if it is the same."""
        self._write(self.playlist_path(rendition, channel), text)

    def set_full(self, channel: str, full: bool) -> None:
        """Raise or lower the flag that makes nginx answer new viewers with 503."""
        flag = self._root / FULL / _channel(channel)
        if full:
            flag.touch()
        else:
            flag.unlink(missing_ok=True)

    def playlist_age_seconds(self, rendition: str, channel: str) -> float | None:
        """Seconds since the media playlist was last written, by the file's own time stamp."""
        return _age(self.playlist_path(rendition, channel), self._clock)

    def forget(self, rendition: str, channel: str) -> int:
        """Delete the channel's playlist and segments in this folder; returns how many files."""
        playlist = re.compile(re.escape(_channel(channel) + _PLAYLIST) + r"(\.[a-z0-9]+)?\Z")
        gone = [
            path
            for path in self._files(rendition)
            if playlist.match(path.name) or _is_segment_of(channel, path.name)
        ]
        return _delete(gone)

    def sweep(
        self, rendition: str, channel: str, keep: Collection[str], older_than_seconds: float
    ) -> int:
        """Delete the channel's segments of that age that are not in `keep`; returns how many."""
        _channel(channel)
        gone = [
            path
            for path in self._files(rendition)
            if path.name not in keep
            and _is_segment_of(channel, path.name)
            and (_age(path, self._clock) or 0.0) > older_than_seconds
        ]
        return _delete(gone)

    def forget_multivariant(self, channel: str) -> None:
        """Delete the channel's multivariant playlist, if there is one."""
        self._multivariant(channel).unlink(missing_ok=True)

    def channels(self) -> Sequence[str]:
        """Every channel name that has any playlist here."""
        folders = [self._root, *(self._root / name for name in self._renditions)]
        names = {
            path.name.removesuffix(_PLAYLIST)
            for folder in folders
            for path in _plain_files(folder)
            if path.name.endswith(_PLAYLIST)
        }
        return sorted(name for name in names if is_channel_name(name))

    def usage(self) -> tuple[int, int]:
        """Used and total bytes of the file system."""
        disk = os.statvfs(self._root)
        return (disk.f_blocks - disk.f_bfree) * disk.f_frsize, disk.f_blocks * disk.f_frsize

    def _multivariant(self, channel: str) -> Path:
        return self._root / f"{_channel(channel)}{_PLAYLIST}"

    def _files(self, rendition: str) -> list[Path]:
        return list(_plain_files(self._root / _rendition(rendition)))

    def _write(self, path: Path, text: str) -> None:
        data = text.encode()
        if _read(path) == data:
            return
        draft = path.with_name(f".{path.name}.putlive")
        draft.write_bytes(data)
        draft.replace(path)


class PreviewPictures:
    """`Pictures` in one folder, `CHANNEL.jpg` each, as ffmpeg's `-atomic_writing` leaves them."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, channel: str) -> Path:
        """Where the channel's picture is, or would be."""
        return self._folder / f"{_channel(channel)}.jpg"

    def age_seconds(self, channel: str) -> float | None:
        """Seconds since the picture was written; None when there is none."""
        return _age(self.path(channel), self._clock)

    def forget(self, channel: str) -> None:
        """Delete the picture, if there is one."""
        self.path(channel).unlink(missing_ok=True)


def _rendition(name: str) -> str:
    if not _RENDITION.match(name):
        raise ValueError(f"not a rendition name: {name!r}")
    return name


def _channel(name: str) -> str:
    if not is_channel_name(name):
        raise ValueError(f"not a channel name: {name!r}")
    return name


def _is_segment_of(channel: str, name: str) -> bool:
    """`CHANNEL-DIGITS.ts`, perhaps with a writer's ending; channel `a` does not own `a-b-1.ts`."""
    return bool(re.match(re.escape(channel) + r"-[0-9]+\.ts(\.[a-z0-9]+)?\Z", name))


def _plain_files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _read(path: Path) -> bytes | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        try:
            return file.read()
        except OSError:  # a folder
            return None


def _age(path: Path, clock: Clock) -> float | None:
    try:
        written = path.stat().st_mtime
    except OSError:
        return None
    return max(0.0, clock.now().timestamp() - written)


def _delete(paths: Sequence[Path]) -> int:
    for path in paths:
        with suppress(OSError):
            path.unlink()
    return len(paths)
