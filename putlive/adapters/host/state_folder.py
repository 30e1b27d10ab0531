"""The state folder of a station: made, locked to one user of it, and its memory disk chosen."""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from putlive.adapters.host.orphans import end, marked
from putlive.errors import Conflict, PutLiveError
from putlive.settings import Layout, Settings

MEMORY_DISK = Path("/dev/shm")
LEAVE_SECONDS = 3.0  # a killed process is gone within milliseconds


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
        remove_segments(layout)
        for folder in (layout.hls, layout.hls / "source", layout.hls / "full", layout.previews):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise PutLiveError(
            f"The folder {exc.filename} cannot be made: {exc.strerror}.",
            hint="Choose another one with --state-dir.",
        ) from None


def remove_segments(layout: Layout) -> None:
    """Take the folder on the memory disk away again."""
    if layout.hls.is_dir() and not layout.hls.is_symlink():
        shutil.rmtree(layout.hls)


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
    """End what a killed `putlive up` of this folder left running; returns how many processes.

    To be called with the folder locked: then nobody looks after any of them.
    """
    station, run = station_id(state), state.resolve() / "run"
    ended = [p.pid for p in marked(station) if end(p, station, signal.SIGKILL)]
    for server in _servers(run):
        ended += _end_group(server)
    _wait_until_gone(ended)
    return len(ended)


def _servers(run: Path) -> Iterator[int]:
    """Processes named in the pid files that still run on a configuration in this folder.

    nginx overwrites its environment, and the marks in it, with its title (measured on 1.22).
    """
    for path in sorted(run.glob("*.pid")):
        text = path.read_text(encoding="ascii", errors="replace").strip()
        if text.isdigit() and f"{run}{os.sep}" in _command_line(int(text)):
            yield int(text)


def _command_line(pid: int) -> str:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return ""


def _end_group(pid: int) -> list[int]:
    """End a server and its workers, which are in its group; returns who that was."""
    try:
        group = [pid, *(worker.pid for worker in psutil.Process(pid).children())]
        os.killpg(pid, signal.SIGKILL)
    except (psutil.Error, ProcessLookupError, PermissionError):
        return []
    return group


def _wait_until_gone(pids: Iterable[int]) -> None:
    """Wait, for a moment at most, so that their ports are free; zombies hold none."""
    for pid in pids:
        with suppress(OSError):
            handle = os.pidfd_open(pid)
            try:
                select.select([handle], [], [], LEAVE_SECONDS)
            finally:
                os.close(handle)
