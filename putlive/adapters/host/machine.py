"""The machine's own figures, from psutil and /proc: processor, memory, disks, one process."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from putlive.domain.health import MachineFacts


class LocalMachine:
    """Cheap looks; the processor figure is the mean since the look before."""

    def __init__(self, state: Path, hls: Path) -> None:
        self._state = state
        self._hls = hls
        psutil.cpu_percent(None)

    def facts(self) -> MachineFacts:
        """The figures of this moment."""
        memory = psutil.virtual_memory()
        return MachineFacts(
            cpu_percent=psutil.cpu_percent(None),
            cores=os.cpu_count() or 1,
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            disk_percent={str(self._state): psutil.disk_usage(str(self._state)).percent},
            tmpfs_percent={str(self._hls): psutil.disk_usage(str(self._hls)).percent},
        )


def written_bytes(pid: int) -> int | None:
    """Bytes this process has handed to write(2) so far (proc(5), `wchar`), None when it is gone."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("wchar:"))
    except (OSError, StopIteration, ValueError):
        return None


def proportional_kb(pid: int) -> int:
    """Proportional set size in KiB (proc(5), smaps_rollup); 0 when it cannot be read."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration, ValueError):
        return 0
