"""The HLS folder and the preview pictures in memory, with ages from a clock."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from putlive.domain.streams import is_channel_name
from putlive.ports import Clock

ROOT = Path("/hls")


class FakeHls:
    """`HlsFiles` without a disk. Tests play the engine and ffmpeg with `put_*`."""

    def __init__(self, rungs: Sequence[str], clock: Clock) -> None:
        self._clock = clock
        self._folders: dict[str, dict[str, tuple[bytes, float]]] = {
            name: {} for name in ("source", *rungs, "full", "")
        }
        self.multivariant_writes = 0

    def put_playlist(self, rendition: str, channel: str, text: str) -> None:
        """Write as the engine or ffmpeg does: also when nothing changed, the time stamp does."""
        self._put(rendition, f"{channel}.m3u8", text.encode())

    def put_segment(self, rendition: str, uri: str, data: bytes) -> None:
        self._put(rendition, uri, data)

    def multivariant(self, channel: str) -> str | None:
        """What players get."""
        found = self._folders[""].get(f"{channel}.m3u8")
        return found[0].decode() if found else None

    def playlist(self, rendition: str, channel: str) -> str | None:
        found = self._folder(rendition).get(self.playlist_path(rendition, channel).name)
        return found[0].decode() if found else None

    def playlist_path(self, rendition: str, channel: str) -> Path:
        self._folder(rendition)
        return ROOT / rendition / f"{_channel(channel)}.m3u8"

    def segment(self, rendition: str, uri: str) -> bytes | None:
        found = self._folder(rendition).get(uri)
        return found[0] if found and re.fullmatch(r"\w[\w.-]*\.ts", uri) else None

    def write_multivariant(self, channel: str, text: str) -> None:
        self._write("", f"{_channel(channel)}.m3u8", text)

    def write_playlist(self, rendition: str, channel: str, text: str) -> None:
        self._folder(rendition)
        self._write(rendition, f"{_channel(channel)}.m3u8", text)

    def set_full(self, channel: str, full: bool) -> None:
        if full:
            self._put("full", _channel(channel), b"")
        else:
            self._folders["full"].pop(_channel(channel), None)

    def playlist_age_seconds(self, rendition: str, channel: str) -> float | None:
        found = self._folder(rendition).get(f"{_channel(channel)}.m3u8")
        return self._age(found[1]) if found else None

    def forget(self, rendition: str, channel: str) -> int:
        folder = self._folder(rendition)
        name = re.escape(_channel(channel))
        gone = [f for f in folder if re.fullmatch(rf"{name}(\.m3u8|-[0-9]+\.ts)(\.[a-z0-9]+)?", f)]
        return self._delete(rendition, gone)

    def sweep(
        self, rendition: str, channel: str, keep: Collection[str], older_than_seconds: float
    ) -> int:
        own = re.compile(rf"{re.escape(_channel(channel))}-[0-9]+\.ts(\.[a-z0-9]+)?")
        gone = [
            name
            for name, (_, written) in self._folder(rendition).items()
            if own.fullmatch(name) and name not in keep and self._age(written) > older_than_seconds
        ]
        return self._delete(rendition, gone)

    def forget_multivariant(self, channel: str) -> None:
        self._folders[""].pop(f"{_channel(channel)}.m3u8", None)

    def channels(self) -> Sequence[str]:
        names = {
            name.removesuffix(".m3u8")
            for folder in self._folders.values()
            for name in folder
            if name.endswith(".m3u8")
        }
        return sorted(name for name in names if is_channel_name(name))

    def usage(self) -> tuple[int, int]:
        used = sum(len(data) for folder in self._folders.values() for data, _ in folder.values())
        return used, max(used, 500 << 20)

    def files(self, rendition: str) -> list[str]:
        """Names of everything in a folder, for tests."""
        return sorted(self._folder(rendition))

    def _folder(self, rendition: str) -> dict[str, tuple[bytes, float]]:
        if not re.fullmatch(r"[a-z0-9]{1,16}", rendition):
            raise ValueError(f"not a rendition name: {rendition!r}")
        return self._folders[rendition]

    def _put(self, folder: str, name: str, data: bytes) -> None:
        self._folders[folder][name] = (data, self._clock.now().timestamp())

    def _write(self, folder: str, name: str, text: str) -> None:
        found = self._folders[folder].get(name)
        if found is None or found[0] != text.encode():
            self._put(folder, name, text.encode())
            self.multivariant_writes += folder == ""

    def _age(self, written: float) -> float:
        return max(0.0, self._clock.now().timestamp() - written)

    def _delete(self, folder: str, names: Sequence[str]) -> int:
        for name in names:
            del self._folders[folder][name]
        return len(names)


class FakePictures:
    """`Pictures` without a disk."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: dict[str, float] = {}

    def take(self, channel: str) -> None:
        """Write a picture, as ffmpeg does."""
        self._taken[channel] = self._clock.monotonic()

    def path(self, channel: str) -> Path:
        return ROOT / "preview" / f"{_channel(channel)}.jpg"

    def age_seconds(self, channel: str) -> float | None:
        taken = self._taken.get(channel)
        return None if taken is None else self._clock.monotonic() - taken

    def forget(self, channel: str) -> None:
        self._taken.pop(channel, None)


def _channel(name: str) -> str:
    if not is_channel_name(name):
        raise ValueError(f"not a channel name: {name!r}")
    return name
