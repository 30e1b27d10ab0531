"""Which media engine this machine has, its configuration file, and the command that runs it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from putlive.adapters.templates import render
from putlive.domain.alignment import cut_seconds
from putlive.domain.process import ProcessSpec, RestartPolicy
from putlive.errors import MissingProgram, Problem, SettingsError
from putlive.settings import Layout, Ports, Settings

EngineName = Literal["srs", "nginx-rtmp"]

PROCESS = "engine"
API_USER = "putlive"
LOOPBACK = "127.0.0.1"
USUAL_SRS = Path("/usr/local/srs/objs/srs")
NGINX_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"  # not in everybody's PATH
MODULE = "ngx_rtmp_module.so"
MODULE_FOLDERS = (
    Path("/usr/lib/nginx/modules"),
    Path("/usr/share/nginx/modules"),
    Path("/usr/lib64/nginx/modules"),
    Path("/usr/local/nginx/modules"),
    Path("/etc/nginx/modules"),
)
APT_HINT = "Run: apt-get install nginx libnginx-mod-rtmp"
# For ever: off the air is worse than one more try.
POLICY = RestartPolicy(max_retries=None, max_delay=10.0)


@dataclass(frozen=True)
class EngineSecrets:
    """What engine and daemon know of each other. Both end up in URLs: letters, digits, - and _."""

    hook: str = field(repr=False)
    api: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("hook", self.hook), ("api", self.api)):
            if not re.fullmatch(r"[A-Za-z0-9_-]{16,128}", value):
                raise SettingsError(
                    [Problem(f"secret {name}", "It must be 16 to 128 letters, digits, - or _.")]
                )


@dataclass(frozen=True)
class Nginx:
    """An nginx with the RTMP module beside it."""

    binary: Path
    module: Path


def find_engine(settings: Settings, environ: Mapping[str, str]) -> EngineName:
    """The engine to use: the one that is asked for, else SRS where there is one, else nginx-rtmp.

    Raises `MissingProgram` when it, or both, are missing.
    """
    wanted = settings.streaming.engine
    if wanted == "nginx-rtmp":
        find_nginx(environ)
        return wanted
    if find_srs(settings, environ) is not None:
        return "srs"
    if wanted == "srs":
        raise MissingProgram(
            f"There is no SRS at {USUAL_SRS}.",
            hint="Name its path in PUTLIVE_SRS or streaming.srs_binary, or set streaming.engine"
            " to nginx-rtmp.",
        )
    find_nginx(environ)
    return "nginx-rtmp"


def find_srs(settings: Settings, environ: Mapping[str, str]) -> Path | None:
    """SRS's program, or None. One that is named but not there raises `MissingProgram`."""
    for where, path in (
        ("PUTLIVE_SRS", environ.get("PUTLIVE_SRS", "")),
        ("streaming.srs_binary", settings.streaming.srs_binary),
    ):
        if path and not _runs(Path(path)):
            raise MissingProgram(
                f"{where} names {path}, and that is no program.",
                hint=f"Correct {where}, or take it away to use the engine that is found.",
            )
        if path:
            return Path(path)
    return USUAL_SRS if _runs(USUAL_SRS) else None


def find_nginx(environ: Mapping[str, str]) -> Nginx:
    """nginx and its RTMP module, or `MissingProgram` naming the packages."""
    binary = shutil.which("nginx", path=f"{environ.get('PATH', '')}:{NGINX_FOLDERS}")
    if binary is None:
        raise MissingProgram("There is neither SRS nor nginx on this machine.", hint=APT_HINT)
    module = next((f / MODULE for f in MODULE_FOLDERS if (f / MODULE).is_file()), None)
    if module is None:
        raise MissingProgram(
            "There is no SRS on this machine, and nginx lacks its RTMP module.", hint=APT_HINT
        )
    return Nginx(Path(binary), module)


def prepare_engine(
    engine: EngineName,
    settings: Settings,
    layout: Layout,
    ports: Ports,
    secrets: EngineSecrets,
    environ: Mapping[str, str],
) -> ProcessSpec:
    """Write the engine's configuration and folders; returns the process to supervise."""
    for folder in (layout.run, layout.logs, layout.hls / "source"):
        folder.mkdir(parents=True, exist_ok=True)
    if engine == "srs":
        binary = find_srs(settings, environ) or USUAL_SRS
        _write(srs_config(layout), render_srs(settings, layout, ports, secrets))
        return srs_command(binary, layout)
    nginx = find_nginx(environ)
    text = render_nginx_rtmp(
        settings, layout, ports, secrets, nginx.module, as_root=os.geteuid() == 0
    )
    _write(nginx_rtmp_config(layout), text)
    return nginx_rtmp_command(nginx, layout)


def srs_config(layout: Layout) -> Path:
    """Where SRS's configuration is written."""
    return layout.run / "srs.conf"


def nginx_rtmp_config(layout: Layout) -> Path:
    """Where the RTMP nginx's configuration is written."""
    return layout.run / "rtmp.conf"


def srs_command(binary: Path, layout: Layout) -> ProcessSpec:
    """SRS in the foreground; it logs to standard output."""
    return _spec((str(binary), "-c", str(srs_config(layout))), layout)


def nginx_rtmp_command(nginx: Nginx, layout: Layout) -> ProcessSpec:
    """The RTMP nginx in the foreground: master, one worker, and the cleaner of old segments."""
    argv = (str(nginx.binary), "-p", str(layout.run), "-c", str(nginx_rtmp_config(layout)))
    return _spec(argv, layout)


def render_srs(settings: Settings, layout: Layout, ports: Ports, secrets: EngineSecrets) -> str:
    """The text of `srs.conf`. `srs -t` misses mistakes, so a golden file guards it."""
    hls = settings.streaming.hls
    return render(
        "srs/srs.conf.j2",
        listen=endpoints(settings.server.bind, settings.streaming.rtmp_port),
        pid=layout.run / "srs.pid",
        api_port=ports.engine_api,
        api_user=API_USER,
        api_password=secrets.api,
        hls=layout.hls,
        fragment_seconds=f"{cut_seconds(hls.segment_duration):g}",
        window_seconds=f"{hls.playlist_window:g}",
        hook_url=hook_url("srs", ports, secrets),
    )


def render_nginx_rtmp(
    settings: Settings,
    layout: Layout,
    ports: Ports,
    secrets: EngineSecrets,
    module: Path,
    *,
    as_root: bool,
) -> str:
    """The text of `rtmp.conf` (directives: the wiki of nginx-rtmp-module 1.2)."""
    hls = settings.streaming.hls
    bind = endpoints(settings.server.bind, settings.streaming.rtmp_port)
    return render(
        "nginx/rtmp.conf.j2",
        module=module,
        as_root=as_root,
        pid=layout.run / "rtmp.pid",
        error_log=layout.logs / "rtmp.log",
        temp=layout.run / "rtmp-temp",
        listen=[f"{e} ipv6only=off" if e.startswith("[::]") else e for e in bind],
        api_port=ports.engine_api,
        api_password=secrets.api,
        hls=layout.hls,
        fragment_ms=round(cut_seconds(hls.segment_duration) * 1000),
        window_ms=round(hls.playlist_window * 1000),
        hook_url=hook_url("nginx-rtmp", ports, secrets),
    )


def hook_url(engine: EngineName, ports: Ports, secrets: EngineSecrets) -> str:
    """Where the engine asks whether somebody may publish."""
    return f"http://{LOOPBACK}:{ports.hooks}/hooks/{secrets.hook}/{engine}"


def endpoints(bind: str, port: int) -> list[str]:
    """Where the engine listens: on `bind`, and on loopback in any case for our own players."""
    if bind in ("", "0.0.0.0"):
        return [f"0.0.0.0:{port}"]
    if bind in ("::", "[::]"):
        return [f"[::]:{port}"]
    bare = bind.strip("[]")
    own = [] if bare == LOOPBACK else [f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"]
    return [f"{LOOPBACK}:{port}", *own]


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _spec(argv: tuple[str, ...], layout: Layout) -> ProcessSpec:
    log_path = str(layout.logs / "engine.log")
    return ProcessSpec(PROCESS, argv, policy=POLICY, stop_seconds=5.0, log_path=log_path)


def _write(path: Path, text: str) -> None:
    """Write whole or not at all, for this user only: the file holds secrets."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
