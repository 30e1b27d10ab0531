"""Memory and processor time of a station's processes, read from /proc (proc(5))."""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from putlive.adapters.host.orphans import marked

TICKS = os.sysconf("SC_CLK_TCK")
FOREGROUND = "foreground"
# What a direct child of `putlive up` is known by: nginx wipes its environment, marks and all.
_BY_COMMAND = {"front.conf": "front", "rtmp.conf": "engine", "srs.conf": "engine"}

Roles = Mapping[str, list[int]]  # process ids by what they do


@dataclass(frozen=True)
class Use:
    """What processes of one role used: sizes in MB (2**20), processor seconds per minute.

    PSS shares a page among all that map it, so whatever else runs here makes it smaller; RSS
    shares nothing, and is what there would be if each were the only one.
    """

    pss_mb: float
    rss_mb: float
    cpu_seconds_per_minute: float


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (state) on; none when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def alive(pid: int) -> bool:
    """Whether it still runs; a zombie does not."""
    return stat_fields(pid)[:1] not in ([], ["Z"])


def descendants(pid: int) -> list[int]:
    """Children, their children and so on."""
    children: dict[int, list[int]] = defaultdict(list)
    for each in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        if fields := stat_fields(each):
            children[int(fields[1])].append(each)
    found, queue = [], [pid]
    while queue:
        below = children[queue.pop()]
        found += below
        queue += below
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of all its threads so far; 0 when it is gone."""
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def sizes_mb(pid: int) -> tuple[float, float]:
    """Proportional and resident set size; zeros when it is gone."""
    found = {"Pss:": 0.0, "Rss:": 0.0}
    with suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for name, *rest in map(str.split, file):
            if name in found:
                found[name] = int(rest[0]) / 1024
    return found["Pss:"], found["Rss:"]


def roles(up_pid: int, station_id: str) -> Roles:
    """All processes of the station: foreground, daemon, engine, front, keeper, rung 144p …"""
    names = {mark.pid: mark.process for mark in marked(station_id)}
    found: dict[str, list[int]] = defaultdict(list, {FOREGROUND: [up_pid]})
    for pid, parent in _with_parents(up_pid):
        role = _by_command(pid) or _plain(names.get(pid, ""))
        found[role or _role_of(parent, found)].append(pid)
    return dict(found)


def _with_parents(pid: int) -> Iterator[tuple[int, int]]:
    for each in descendants(pid):
        if fields := stat_fields(each):
            yield each, int(fields[1])


def _by_command(pid: int) -> str:
    with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        command = file.read().decode(errors="replace")
        return next((role for name, role in _BY_COMMAND.items() if name in command), "")
    return ""


def _plain(process: str) -> str:
    """`rung:main:144p` is the rung 144p of whatever channel."""
    kind, _, rest = process.partition(":")
    return f"rung {rest.rpartition(':')[2]}" if kind == "rung" else kind


def _role_of(pid: int, found: Roles) -> str:
    return next((role for role, pids in found.items() if pid in pids), "other")


def sample(look: Callable[[], Roles], seconds: float, samples: int = 4) -> dict[str, Use]:
    """Watch for so long: processor time of the whole span, the median of several sizes."""
    before = {pid: cpu_seconds(pid) for pids in look().values() for pid in pids}
    began = time.perf_counter()
    sizes: dict[str, list[tuple[float, float]]] = defaultdict(list)
    now: Roles = {}
    for _ in range(samples):
        time.sleep(seconds / samples)
        now = look()
        for role, pids in now.items():
            each = [sizes_mb(pid) for pid in pids]
            sizes[role].append((sum(pss for pss, _ in each), sum(rss for _, rss in each)))
    minutes = (time.perf_counter() - began) / 60
    return {
        role: Use(
            statistics.median(pss for pss, _ in sizes[role]),
            statistics.median(rss for _, rss in sizes[role]),
            sum(cpu_seconds(pid) - before.get(pid, 0.0) for pid in pids) / minutes,
        )
        for role, pids in now.items()
    }
