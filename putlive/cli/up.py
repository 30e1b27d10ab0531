"""`putlive up`: prepares a station in one folder, then becomes the process that keeps it running.

Preparing needs the settings, the templates and the database; running needs none of them, so the
process replaces itself with `putlive.foreground` and the memory goes back.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from putlive.adapters.engines.engine_config import EngineSecrets, find_engine, prepare_engine
from putlive.adapters.host import state_folder
from putlive.adapters.host.clock import SystemClock
from putlive.adapters.host.port_check import free_loopback_ports, require_free
from putlive.adapters.media.demo import demo_spec, find_font
from putlive.adapters.media.ffmpeg import find_programs
from putlive.adapters.store.sqlite import SqliteStore
from putlive.adapters.vault.secrets import Secrets
from putlive.adapters.web.front import front_spec, prepare_front
from putlive.cli.failing import told_plainly
from putlive.daemon.parts import make_accounts
from putlive.domain.process import ProcessSpec, RestartPolicy
from putlive.errors import MissingProgram
from putlive.plan import STOP_SIGNALS, Plan, write_plan
from putlive.services.ingest.channels import ChannelService
from putlive.services.ingest.keys import KeyService
from putlive.services.people.first_run import FirstRun, make_usable
from putlive.services.running.bus import Bus
from putlive.settings import Layout, Ports, Settings
from putlive.settings_file import changed, load
from putlive.station import Station

PAGES = Path(__file__).parents[1] / "api" / "static"
PORT = click.IntRange(1, 65535)


@dataclass(frozen=True)
class Wishes:
    """The options of one call."""

    state: Path
    config: Path | None
    bind: str | None
    http_port: int | None
    rtmp_port: int | None
    engine: str | None
    demo: bool
    as_json: bool


@click.command()
@click.option(
    "--state-dir",
    "state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".putlive"),
    show_default=True,
    help="Folder that holds everything of this station.",
)
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="YAML file.")
@click.option("--bind", help="Address to listen on [default: 127.0.0.1]; 0.0.0.0 for all.")
@click.option("--http-port", type=PORT, help="Port of pages, API and HLS  [default: 8000]")
@click.option("--rtmp-port", type=PORT, help="Port encoders publish to  [default: 1935]")
@click.option("--engine", type=click.Choice(["auto", "srs", "nginx-rtmp"]), help="Media engine.")
@click.option("--demo", is_flag=True, help="Publish a moving test picture with clock and tone.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON once it is ready.")
def up(**options: Any) -> None:
    """Run the whole station in the foreground; Ctrl-C stops it and leaves nothing behind."""
    with told_plainly():
        handle = write_plan(prepare(Wishes(**options)))
    os.execv(sys.executable, [sys.executable, "-m", "putlive.foreground", str(handle)])


def prepare(wishes: Wishes) -> Plan:
    """Check everything that can be checked, write what engine, front and daemon read."""
    settings = _settings(wishes)
    programs = find_programs()
    engine = find_engine(settings, os.environ)
    nginx = _nginx()
    _require_pages()
    state_folder.lock(wishes.state)
    state_folder.end_leftovers(wishes.state)
    server, streaming = settings.server, settings.streaming
    require_free(server.bind, server.http_port, "--http-port")
    require_free(server.bind, streaming.rtmp_port, "--rtmp-port")
    layout = state_folder.layout_of(wishes.state, settings)
    station = Station(
        state_folder.station_id(wishes.state),
        settings,
        layout,
        Ports(*free_loopback_ports(2)),
        engine,
    )
    secrets = Secrets.load(layout.secrets)
    own = EngineSecrets(secrets.hook, secrets.engine_password)
    with _nothing_left_behind(layout):
        first = asyncio.run(_first_run(station, secrets, "demo" if wishes.demo else "main"))
        state_folder.make(layout)
        engine_process = prepare_engine(engine, settings, layout, station.ports, own, os.environ)
        prepare_front(settings, layout, PAGES)
        station.save()
    specs = (_daemon_spec(layout), engine_process, front_spec(nginx, layout))
    url = f"rtmp://{_reachable(server.bind)}:{streaming.rtmp_port}/live"
    segment = streaming.hls.segment_duration
    demo = demo_spec(programs.ffmpeg, f"{url}/{first.stream_key}", find_font(), segment)
    return Plan(
        station=station.id,
        specs=specs,
        demo=demo if wishes.demo else None,
        notify_path=str(_notify_path(layout)),
        live_playlist=str(layout.hls / f"{first.channel}.m3u8"),
        hls=str(layout.hls),
        ready=_ready(station, first),
        as_json=wishes.as_json,
    )


@contextmanager
def _nothing_left_behind(layout: Layout) -> Iterator[None]:
    """A failure takes the memory disk away; a signal waits until the foreground can do that.

    Entered before the database's thread is started: one that lingers would take the signal.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    except BaseException:
        state_folder.remove_segments(layout)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        raise


def _settings(wishes: Wishes) -> Settings:
    own = wishes.state / "config.yaml"
    settings = load(wishes.config or (own if own.exists() else None))
    server = {"bind": wishes.bind, "http_port": wishes.http_port}
    streaming = {"rtmp_port": wishes.rtmp_port, "engine": wishes.engine}
    return changed(settings, {"server": server, "streaming": streaming})


def _nginx() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise MissingProgram("nginx was not found.", hint="Install it: apt-get install nginx")
    return found


def _require_pages() -> None:
    if not (PAGES / "index.html").exists():
        raise MissingProgram(
            "The web pages have not been built.", hint="Run `./dev build` in the checkout."
        )


async def _first_run(station: Station, secrets: Secrets, channel: str) -> FirstRun:
    clock = SystemClock()
    async with SqliteStore.open(station.layout.database) as store:
        accounts = make_accounts(station, store, secrets, Bus(store.events))
        channels, keys = (
            ChannelService(store.channels),
            KeyService(store.keys, clock, secrets.station),
        )
        for part in (accounts, channels, keys):
            await part.load()
        return await make_usable(channel, accounts, channels, keys, clock)


def _daemon_spec(layout: Layout) -> ProcessSpec:
    return ProcessSpec(
        name="daemon",
        argv=(sys.executable, "-m", "putlive", "daemon", "--state-dir", str(layout.state)),
        env={"NOTIFY_SOCKET": str(_notify_path(layout)), "MALLOC_ARENA_MAX": "2"},
        policy=RestartPolicy(max_retries=4, base_delay=0.3, max_delay=5.0),
        stop_seconds=10.0,
        log_path=str(layout.logs / "daemon.log"),
    )


def _notify_path(layout: Layout) -> Path:
    return layout.run / "notify.sock"


def _ready(station: Station, first: FirstRun) -> dict[str, Any]:
    server, streaming = station.settings.server, station.settings.streaming
    host = server.domain or _reachable(server.bind)
    return {
        "public_url": f"http://{host}:{server.http_port}/",
        "hls_url": f"http://{host}:{server.http_port}/live/{first.channel}.m3u8",
        "rtmp_url": f"rtmp://{host}:{streaming.rtmp_port}/live",
        "stream_key": first.stream_key,
        "admin_user": first.admin_user,
        "admin_password": first.admin_password,
        "engine": station.engine,
    }


def _reachable(bind: str) -> str:
    """An address at which something that listens on `bind` answers on this machine."""
    bare = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.strip("[]"), bind.strip("[]"))
    return f"[{bare}]" if ":" in bare else bare
