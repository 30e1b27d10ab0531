"""The state folder of a station: made, locked to one user of it, and its memory disk chosen."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
from pathlib import Path

from putlive.adapters.orphans import end, is_orphan, marked
from putlive.errors import Conflict, PutLiveError
from putlive.settings import Layout, Settings

MEMORY_DISK = Path("/dev/shm")


def station_id(state: Path) -> str:
    """The mark of the station in this folder, on its processes and on its memory disk."""
    return hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:16]


def layout_of(state: Path, settings: Settings) -> Layout:
    """Where the station keeps its things; segments go on a memory disk where there is one."""
    named = settings.streaming.hls.tmpfs_path
    if named:
        return Layout(state.resolve(), Path(named) / f"putlive-{station_id(state)}")
    roomy = _has_room(MEMORY_DISK, settings.streaming.hls.tmpfs_max_size // 4)
    hls = MEMORY_DISK / f"putlive-{station_id(state)}" if roomy else state.resolve() / "hls"
    return Layout(state.resolve(), hls)


def _has_room(folder: Path, wanted_bytes: int) -> bool:
    if not os.access(folder, os.W_OK):
        return False
    return shutil.disk_usage(folder).free >= wanted_bytes


def make(layout: Layout) -> None:
    """Make the folders, readable by this user only; segments start from nothing."""
    try:
        for folder in (layout.state, layout.run, layout.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if layout.hls.is_dir() and not layout.hls.is_symlink():
            shutil.rmtree(layout.hls)
        for folder in (layout.hls, layout.hls / "source", layout.hls / "full", layout.previews):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise PutLiveError(
            f"The folder {exc.filename} cannot be made: {exc.strerror}.",
            hint="Choose another one with --state-dir.",
        ) from None


def lock(state: Path) -> int:
    """Keep the folder for this process, over an exec too; `Conflict` when another has it."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise Conflict(
            f"A station runs in {state} already.",
            hint="Stop it first, or start this one with another --state-dir.",
        ) from None
    os.set_inheritable(handle, True)
    return handle


def end_leftovers(state: Path) -> int:
    """End what a killed `putlive up` of this folder left running; returns how many processes."""
    station, ended = station_id(state), 0
    for process in marked(station):
        if is_orphan(process, "up", "") or is_orphan(process, "daemon", ""):
            ended += end(process, station, signal.SIGKILL)
    return ended
