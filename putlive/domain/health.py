"""How the station is: its components, each with a status and a sentence; the machine's figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OK, DEGRADED, DOWN = "ok", "degraded", "down"
CORE = ("engine", "database")  # without these nobody can go on air: not ready


@dataclass(frozen=True)
class Component:
    """One part of the station: `ok`, `degraded` or `down`, and why, for people."""

    status: str
    detail: str
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class StationHealth:
    """All components together."""

    components: Mapping[str, Component]
    version: str
    uptime_seconds: float

    @property
    def status(self) -> str:
        """`down` when a core component is, else `degraded` when any is not ok."""
        if not self.ready:
            return DOWN
        fine = all(c.status == OK for c in self.components.values())
        return OK if fine else DEGRADED

    @property
    def ready(self) -> bool:
        """Whether the core is up, so that an input could go on air."""
        return all(self.components[name].status != DOWN for name in CORE if name in self.components)


@dataclass(frozen=True)
class MachineFacts:
    """Figures of the machine: percentages 0 to 100, by folder for disks."""

    cpu_percent: float
    cores: int
    memory_used_bytes: int
    memory_total_bytes: int
    disk_percent: Mapping[str, float]
    tmpfs_percent: Mapping[str, float]


def of_space(name: str, percent: float) -> Component:
    """The state of a disk or memory disk, from how full it is."""
    numbers = {"used_percent": round(percent, 1)}
    if percent >= 95:
        return Component(DOWN, f"The {name} is full: {percent:.0f} %. Free some space.", numbers)
    if percent >= 85:
        return Component(DEGRADED, f"The {name} is nearly full: {percent:.0f} %.", numbers)
    return Component(OK, f"{percent:.0f} % of the {name} is used.", numbers)
