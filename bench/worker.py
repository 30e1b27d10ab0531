"""One subject on one engine in a process of its own; its rows are printed as JSON.

Run as `python -m bench.worker NAME ENGINE FOLDER [quick]`, or with `engines` alone for the engines
this machine has. Its own process, so that one subject's imports are not part of another's numbers.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench.effort import MODULES, QUICK, BenchError, Effort, Task

CANNOT = 3  # exit code: a measurement could not be taken, and standard error says why


def main(argv: Sequence[str]) -> int:
    """Measure, or list the engines."""
    if argv[0] == "engines":
        print(json.dumps(_engines()))
        return 0
    signal.signal(signal.SIGTERM, _leave)  # so that its station is ended in order
    name, engine, folder, *quick = argv
    subject = importlib.import_module(f"bench.{MODULES[name]}")
    try:
        rows = subject.measure(Task(engine, Path(folder), QUICK if quick else Effort()))
    except BenchError as exc:
        print(exc, file=sys.stderr)
        return CANNOT
    print(json.dumps([[r.subject, r.engine, r.name, r.value, r.unit, r.note] for r in rows]))
    return 0


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def _engines() -> list[str]:
    from putlive.adapters.engines.engine_config import find_nginx, find_srs
    from putlive.errors import MissingProgram
    from putlive.settings import Settings

    found = ["srs"] if find_srs(Settings(), os.environ) else []
    try:
        find_nginx(os.environ)
    except MissingProgram:
        return found
    return [*found, "nginx-rtmp"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
