"""The rendered files, judged by the programs that read them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from putlive.adapters.engines.engine_config import (
    EngineName,
    EngineSecrets,
    find_nginx,
    find_srs,
    prepare_engine,
)
from putlive.errors import MissingProgram
from putlive.settings import Layout, Ports, Settings
from tests.contract.engine_rig import free_ports

SECRETS = EngineSecrets(hook="hook-secret-for-tests", api="api-secret-for-tests")
BINDS = ["127.0.0.1", "0.0.0.0", "::"]


def prepared(engine: EngineName, folder: Path, bind: str) -> tuple[str, ...]:
    rtmp, hooks, api = free_ports(3)
    settings = Settings.model_validate({"server": {"bind": bind}, "streaming": {"rtmp_port": rtmp}})
    layout = Layout(folder / "the state", folder / "the hls")  # a space breaks nothing
    ports = Ports(hooks=hooks, engine_api=api)
    return prepare_engine(engine, settings, layout, ports, SECRETS, os.environ).argv


def judged(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("bind", BINDS)
def test_nginx_accepts_the_rendered_file(tmp_path: Path, bind: str) -> None:
    try:
        find_nginx(os.environ)
    except MissingProgram as exc:
        pytest.skip(str(exc))
    result = judged([*prepared("nginx-rtmp", tmp_path, bind), "-t"])
    assert result.returncode == 0, result.stderr


@pytest.mark.srs
@pytest.mark.parametrize("bind", BINDS)
def test_srs_accepts_the_rendered_file_with_the_usual_limit_of_files(
    tmp_path: Path, bind: str
) -> None:
    if find_srs(Settings(), os.environ) is None:
        pytest.skip("there is no SRS on this machine (PUTLIVE_SRS)")
    prlimit = shutil.which("prlimit")
    limited = [prlimit, "--nofile=1024"] if prlimit else []
    binary, *rest = prepared("srs", tmp_path, bind)
    result = judged([*limited, binary, "-t", *rest])
    assert result.returncode == 0, result.stdout + result.stderr
    assert "test is successful" in result.stdout + result.stderr
