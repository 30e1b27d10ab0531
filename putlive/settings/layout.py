"""Where a station keeps its things, and the loopback ports its processes share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Where a station keeps its things, all below one state folder."""

    state: Path
    hls: Path  # on a memory disk where there is one

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.state / "putlive.db"

    @property
    def secrets(self) -> Path:
        """Folder of secret files, mode 0700."""
        return self.state / "secrets"

    @property
    def run(self) -> Path:
        """Sockets, pid files, rendered configuration: rebuilt at each start."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        """Logs of the processes that keep their own."""
        return self.state / "logs"

    @property
    def api_socket(self) -> Path:
        """Where nginx reaches the daemon."""
        return self.run / "api.sock"

    @property
    def access_socket(self) -> Path:
        """Where nginx sends one datagram per HLS request."""
        return self.run / "access.sock"

    @property
    def control_socket(self) -> Path:
        """Where nginx-rtmp answers statistics and control."""
        return self.run / "rtmp-control.sock"

    @property
    def previews(self) -> Path:
        """Folder of preview pictures."""
        return self.hls / "preview"


@dataclass(frozen=True)
class Ports:
    """Loopback ports chosen at start and shared by engine, front and daemon."""

    hooks: int
    engine_api: int
