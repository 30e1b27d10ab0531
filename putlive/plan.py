"""The plan of `putlive up`: what to run and what to say, handed over in anonymous memory."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from putlive.domain.process import ProcessSpec, RestartPolicy

# What ends the foreground. Held back while it is not there yet, after the first folder is made.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Plan:
    """What to run, in starting order, and what to tell people once it is ready."""

    station: str
    specs: tuple[ProcessSpec, ...]
    demo: ProcessSpec | None
    notify_path: str
    live_playlist: str
    hls: str
    ready: Mapping[str, Any]
    as_json: bool


def write_plan(plan: Plan) -> int:
    """Put the plan, which holds secrets, into anonymous memory; returns the inherited file."""
    body = {**vars(plan), "specs": [_spec_out(s) for s in plan.specs]}
    body["demo"] = _spec_out(plan.demo) if plan.demo else None
    handle = os.memfd_create("putlive-plan", 0)
    os.write(handle, json.dumps(body).encode())
    os.lseek(handle, 0, os.SEEK_SET)
    os.set_inheritable(handle, True)
    return handle


def read_plan(handle: int) -> Plan:
    """The plan `write_plan` left."""
    with os.fdopen(handle, "rb") as file:
        body = json.load(file)
    specs = tuple(_spec_in(s) for s in body.pop("specs"))
    demo = body.pop("demo")
    return Plan(specs=specs, demo=_spec_in(demo) if demo else None, **body)


def _spec_out(spec: ProcessSpec) -> dict[str, Any]:
    return {**vars(spec), "env": dict(spec.env), "policy": vars(spec.policy)}


def _spec_in(body: dict[str, Any]) -> ProcessSpec:
    policy = RestartPolicy(**body.pop("policy"))
    return ProcessSpec(**{**body, "argv": tuple(body["argv"])}, policy=policy)


def people_text(ready: Mapping[str, Any]) -> str:
    """What a person is told once the station is up."""
    lines = [
        "",
        f"  On your screen   {ready['public_url']}",
        f"  Dashboard        {ready['public_url']}dashboard",
        f"  HLS              {ready['hls_url']}",
        f"  OBS server       {ready['rtmp_url']}",
        f"  OBS stream key   {ready['stream_key']}",
        f"  Log in as        {ready['admin_user']}",
    ]
    if ready["admin_password"]:
        lines.append(f"  Password         {ready['admin_password']}  (once; you choose your own)")
    return "\n".join([*lines, f"  Engine           {ready['engine']}", "", "  Ctrl-C stops it."])
