"""`python -m bench [names...]`: takes the measurements and judges them against the budgets."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench.effort import MODULES, ROOT, BenchError
from bench.rows import Row, Sheet, missed, summary
from bench.table import table

ONCE = ("http",)  # the engine plays no part
SUBJECT_SECONDS = 900.0
END_SECONDS = 60.0


def main(argv: Sequence[str]) -> int:
    """Exit code 1 when a budget is missed or a measurement failed, 0 else."""
    wanted = _arguments(argv)
    signal.signal(signal.SIGTERM, _leave)
    engines = _engines(wanted.engine)
    rows, failures = _take(wanted.names or list(MODULES), engines, wanted.quick)
    found = json.dumps(summary(rows, failures))
    if rows:
        print(table(rows), file=sys.stderr if wanted.json else sys.stdout, flush=True)
    for key, why in failures.items():
        print(f"\n{key} could not be measured: {why}", file=sys.stderr)
    for key in missed(rows):
        print(f"missed: {key}", file=sys.stderr)
    if wanted.out:
        wanted.out.write_text(found + "\n", encoding="utf-8")
    print(found, flush=True)
    return int(not wanted.no_fail and bool(missed(rows) or failures))


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=f"Measures a whole station: {', '.join(MODULES)}."
    )
    parser.add_argument("names", nargs="*", metavar="name", help="of what to measure; else all")
    parser.add_argument("--engine", choices=["srs", "nginx-rtmp", "both"], default="")
    parser.add_argument("--json", action="store_true", help="the table goes to standard error")
    parser.add_argument("--no-fail", action="store_true", help="only report")
    parser.add_argument("--out", type=Path, help="write the JSON to this file as well")
    parser.add_argument("--quick", action="store_true", help="short: shows that it works, no more")
    found = parser.parse_args(argv)
    for name in found.names:
        if name not in MODULES:
            parser.error(f"there is no measurement {name!r}, only {', '.join(MODULES)}")
    return found


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def _engines(wanted: str) -> list[str]:
    """The wanted engine, or all that this machine has."""
    if wanted in ("srs", "nginx-rtmp"):
        return [wanted]
    found = json.loads(_worker(["engines"]))
    if not found or (wanted == "both" and len(found) < 2):
        raise SystemExit(f"Engines on this machine: {', '.join(found) or 'none'}.")
    return [str(engine) for engine in found]


def _take(
    names: Sequence[str], engines: Sequence[str], quick: bool
) -> tuple[list[Row], dict[str, str]]:
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for name in names:
        for engine in engines[:1] if name in ONCE else engines:
            began = time.perf_counter()
            _progress(f"[bench] {name} on {engine} …")
            try:
                rows += _measure(name, engine, quick)
            except BenchError as exc:
                failures[f"{name}.{engine}"] = str(exc)
            _progress(f" {time.perf_counter() - began:.0f} s\n")
    return rows, failures


def _progress(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _measure(name: str, engine: str, quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="putlive-bench-") as folder:
        printed = _worker([name, engine, folder, *(["quick"] if quick else [])])
    return [
        Sheet(subject, of).row(label, value, unit, note)
        for subject, of, label, value, unit, note in json.loads(printed)
    ]


def _worker(argv: Sequence[str]) -> str:
    """What the worker prints; a `BenchError` with its last words when it fails or hangs."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "bench.worker", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C comes here, and goes on as TERM
    )
    try:
        out, errors = worker.communicate(timeout=SUBJECT_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchError(f"not done within {SUBJECT_SECONDS:.0f} s") from None
    finally:
        _end(worker)
    if worker.returncode:
        raise BenchError(errors.strip()[-3000:])
    return out


def _end(worker: subprocess.Popen[str]) -> None:
    """It gets the time to end its station."""
    if worker.poll() is None:
        worker.terminate()
        try:
            worker.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
