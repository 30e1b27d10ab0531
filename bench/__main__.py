"""`python -m bench [names...]`: takes the measurements and judges them against the budgets."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from bench import latency, memory, publish, serving, start
from bench.effort import QUICK, BenchError, Effort, Task
from bench.rows import Row, missed, summary
from bench.table import table
from putlive.adapters.engine_config import find_nginx, find_srs
from putlive.errors import MissingProgram
from putlive.settings import Settings

Measure = Callable[[Task], list[Row]]
SUBJECTS: dict[str, Measure] = {
    "start": start.measure,
    "publish": publish.measure,
    "http": serving.measure,
    "memory": memory.measure,
    "latency": latency.measure,
}
ONCE = ("http",)  # the engine plays no part


def main(argv: Sequence[str]) -> int:
    """Exit code 1 when a budget is missed or a measurement failed, 0 else."""
    wanted = _arguments(argv)
    signal.signal(signal.SIGTERM, _leave)  # so that stations are ended in order
    engines = [wanted.engine] if wanted.engine not in ("", "both") else _engines()
    if wanted.engine == "both" and len(engines) < 2:
        raise SystemExit(f"There is only {', '.join(engines)} on this machine.")
    rows, failures = _take(wanted.names or list(SUBJECTS), engines, wanted.effort)
    found = json.dumps(summary(rows, failures))
    print(table(rows), file=sys.stderr if wanted.json else sys.stdout)
    for key, why in failures.items():
        print(f"\n{key} could not be measured: {why}", file=sys.stderr)
    for key in missed(rows):
        print(f"missed: {key}", file=sys.stderr)
    if wanted.out:
        wanted.out.write_text(found + "\n", encoding="utf-8")
    print(found, flush=True)
    return int(not wanted.no_fail and bool(missed(rows) or failures))


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measures a whole station.")
    parser.add_argument("names", nargs="*", choices=[[], *SUBJECTS], metavar="name", default=[])
    parser.add_argument("--engine", choices=["srs", "nginx-rtmp", "both"], default="")
    parser.add_argument("--json", action="store_true", help="the table goes to standard error")
    parser.add_argument("--no-fail", action="store_true", help="only report")
    parser.add_argument("--out", type=Path, help="write the JSON to this file as well")
    parser.add_argument(
        *("--quick",),
        dest="effort",
        action="store_const",
        const=QUICK,
        default=Effort(),
        help="short runs: shows that it works, not how fast it is",
    )
    return parser.parse_args(argv)


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def _engines() -> list[str]:
    """Those this machine has."""
    engines = ["srs"] if find_srs(Settings(), os.environ) else []
    try:
        find_nginx(os.environ)
    except MissingProgram:
        if not engines:
            raise
        return engines
    return [*engines, "nginx-rtmp"]


def _take(
    names: Sequence[str], engines: Sequence[str], effort: Effort
) -> tuple[list[Row], dict[str, str]]:
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for name in names:
        for engine in engines[:1] if name in ONCE else engines:
            began = time.perf_counter()
            print(f"[bench] {name} on {engine} …", end="", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="putlive-bench-") as folder:
                try:
                    rows += SUBJECTS[name](Task(engine, Path(folder), effort))
                except (BenchError, OSError) as exc:
                    failures[f"{name}.{engine}"] = str(exc)
            print(f" {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return rows, failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
