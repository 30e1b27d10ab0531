"""A station as it was prepared: settings, folders, ports, engine; handed to the daemon as a file.

The daemon reads this and not the YAML, so that a restart in the middle of the night uses what
engine and front were started with, whatever has been edited since.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from putlive.errors import PutLiveError
from putlive.settings import Layout, Ports, Settings

NAME = "station.json"


@dataclass(frozen=True)
class Station:
    """Everything the daemon has to know from outside."""

    id: str
    settings: Settings
    layout: Layout
    ports: Ports
    engine: str  # srs or nginx-rtmp

    def save(self) -> Path:
        """Write the file whole; returns its path."""
        path = self.layout.run / NAME
        body = {
            "id": self.id,
            "settings": self.settings.model_dump(mode="json"),
            "state": str(self.layout.state),
            "hls": str(self.layout.hls),
            "hooks": self.ports.hooks,
            "engine_api": self.ports.engine_api,
            "engine": self.engine,
        }
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(body, indent=1), encoding="utf-8")
        os.replace(draft, path)
        return path


def load(state: Path) -> Station:
    """The station prepared in this state folder, or an error that says how to prepare it."""
    path = state / "run" / NAME
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return Station(
            id=body["id"],
            settings=Settings.model_validate(body["settings"]),
            layout=Layout(Path(body["state"]), Path(body["hls"])),
            ports=Ports(body["hooks"], body["engine_api"]),
            engine=body["engine"],
        )
    except (OSError, ValueError, KeyError) as exc:
        raise PutLiveError(
            f"{path} cannot be used: {exc}.",
            hint="The daemon is started by `putlive up`, which writes that file.",
        ) from None
