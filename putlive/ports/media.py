"""The media engine and the folder of segments, as the services see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from putlive.domain.media import EngineHealth, Publisher


class MediaEngine(Protocol):
    """SRS or nginx-rtmp, as PutLive sees it. Every call has a limit of a few seconds.

    Raises `EngineDown` when the engine does not answer or answers nonsense.
    """

    @property
    def name(self) -> str:
        """`srs` or `nginx-rtmp`."""

    @property
    def needs_keeper(self) -> bool:
        """Whether a player has to stay attached to keep a channel's source over gaps (C13)."""

    @property
    def joins_at_last_keyframe(self) -> bool:
        """A new player gets the last keyframe at once; else it waits for the next one."""

    @property
    def client_ids_return(self) -> bool:
        """Whether client ids begin anew with the engine; else one that ended never comes back."""

    async def health(self) -> EngineHealth: ...

    async def publishers(self) -> Sequence[Publisher]:
        """Every input that is publishing now, whichever app and name it took."""

    async def kick(self, publisher: Publisher) -> bool:
        """Cut this input's connection; False when it was gone already."""

    def play_url(self, channel: str) -> str:
        """Where a local process plays the channel's program stream."""


class HlsFiles(Protocol):
    """The tmpfs folder nginx serves. A rendition is a folder; its playlists are per channel.

    `source` is written by the engine, the rungs by ffmpeg, the multivariant playlist and the
    `full` flags by PutLive. Every method is a short, synchronous look or act on a memory disk.
    """

    def playlist(self, rendition: str, channel: str) -> str | None:
        """The text of a media playlist, or None when there is none."""

    def playlist_path(self, rendition: str, channel: str) -> Path: ...

    def segment(self, rendition: str, uri: str) -> bytes | None:
        """The bytes of a segment a playlist names; None when gone or not a plain file name."""

    def write_multivariant(self, channel: str, text: str) -> None:
        """Write the channel's multivariant playlist whole, or not at all if it is the same."""

    def write_playlist(self, rendition: str, channel: str, text: str) -> None: ...

    def set_full(self, channel: str, full: bool) -> None:
        """Raise or lower the flag that makes nginx answer new viewers with 503."""

    def playlist_age_seconds(self, rendition: str, channel: str) -> float | None:
        """Seconds since the media playlist was last written, by the file's own time stamp."""

    def forget(self, rendition: str, channel: str) -> int:
        """Delete the channel's playlist and segments in this folder; returns how many files."""

    def forget_multivariant(self, channel: str) -> None: ...

    def sweep(
        self, rendition: str, channel: str, keep: Collection[str], older_than_seconds: float
    ) -> int:
        """Delete the channel's segments of that age that are not in `keep`; returns how many."""

    def channels(self) -> Sequence[str]:
        """Every channel name that has any playlist here."""

    def usage(self) -> tuple[int, int]:
        """Used and total bytes of the file system."""
