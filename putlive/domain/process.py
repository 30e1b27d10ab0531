"""Life of a supervised process: a table of states and one rule per exit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class ProcessState(str, Enum):
    STOPPED = "stopped"  # never started, or stopped on request
    STARTING = "starting"  # up for less than `start_seconds`
    RUNNING = "running"
    BACKOFF = "backoff"  # will be started again after a delay
    STOPPING = "stopping"  # asked to stop, not gone yet
    EXITED = "exited"  # ended by itself and is not to be restarted
    FATAL = "fatal"  # died too often; a person has to look


@dataclass(frozen=True)
class RestartPolicy:
    """How hard to keep a process running. `max_retries` None: for ever."""

    restart: bool = True
    start_seconds: float = 5.0
    max_retries: int | None = 5
    base_delay: float = 1.0
    max_delay: float = 60.0


@dataclass(frozen=True)
class ProcessSpec:
    """What to run. With `stall_seconds`, progress has to advance at least that often.

    `log_path` gets the standard error output of programs that keep their own log; others are
    read line by line and the last lines become the reason of a failure.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    policy: RestartPolicy = RestartPolicy()
    stop_seconds: float = 5.0
    stall_seconds: float | None = None
    nice: int = 0
    log_path: str | None = None


class Next(NamedTuple):
    state: ProcessState
    delay: float
    tries: int


def after_exit(code: int, ran_seconds: float, tries: int, policy: RestartPolicy) -> Next:
    """Say what happens after an exit nobody asked for.

    A run that lasted `start_seconds` clears the retry count: what dies once an hour is started
    again after `base_delay` every time, what dies at start-up backs off and then gives up.
    """
    if code == 0 and not policy.restart:
        return Next(ProcessState.EXITED, 0.0, 0)
    if not policy.restart:
        return Next(ProcessState.FATAL, 0.0, tries)
    if ran_seconds >= policy.start_seconds:
        return Next(ProcessState.BACKOFF, policy.base_delay, 0)
    if policy.max_retries is not None and tries >= policy.max_retries:
        return Next(ProcessState.FATAL, 0.0, tries)
    delay = min(policy.base_delay * 2 ** min(tries, 16), policy.max_delay)
    return Next(ProcessState.BACKOFF, delay, tries + 1)


@dataclass(frozen=True)
class ProcessStatus:
    """One supervised process as people and metrics see it."""

    name: str
    state: ProcessState
    pid: int = 0
    restarts: int = 0
    stalls: int = 0
    reason: str = ""  # the last line it said before it failed
    progress: Mapping[str, str] = field(default_factory=dict)


# ffmpeg's -progress block (ffmpeg 4.4 to 7.1): `key=value` lines, closed by `progress=…`.
ADVANCING = ("frame", "total_size", "out_time_us")


def advanced(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether ffmpeg got on between two progress blocks: any counter that grew."""
    return any(_number(after.get(k)) > _number(before.get(k)) for k in ADVANCING)


def _number(text: str | None) -> int:
    return int(text) if text and text.strip().lstrip("-").isdigit() else -1
