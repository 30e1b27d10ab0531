"""Which engine is taken, and the configuration that is written for it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from putlive.adapters.engines import engine_config
from putlive.adapters.engines.engine_config import (
    EngineSecrets,
    Nginx,
    endpoints,
    find_engine,
    find_nginx,
    find_srs,
    nginx_rtmp_command,
    prepare_engine,
    render_nginx_rtmp,
    render_srs,
    srs_command,
)
from putlive.errors import MissingProgram, SettingsError
from putlive.settings import Layout, Ports, Settings

GOLDEN = Path(__file__).parent.parent / "golden"
LAYOUT = Layout(Path("/var/lib/putlive"), Path("/run/putlive/hls"))
PORTS = Ports(hooks=18085, engine_api=18086)
SECRETS = EngineSecrets(hook="hook-secret-of-golden", api="api-secret-of-golden")
MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")


def settings(**streaming: object) -> Settings:
    return Settings.model_validate({"server": {"bind": "0.0.0.0"}, "streaming": streaming})


def program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/false\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any engine."""
    monkeypatch.setattr(engine_config, "USUAL_SRS", tmp_path / "usual-srs")
    monkeypatch.setattr(engine_config, "NGINX_FOLDERS", str(tmp_path / "sbin"))
    monkeypatch.setattr(engine_config, "MODULE_FOLDERS", (tmp_path / "modules",))
    (tmp_path / "sbin").mkdir()
    (tmp_path / "modules").mkdir()
    return tmp_path


def with_nginx(bare: Path) -> None:
    program(bare / "sbin", "nginx")
    (bare / "modules" / engine_config.MODULE).touch()


def test_srs_conf_is_the_golden_one() -> None:
    assert render_srs(settings(), LAYOUT, PORTS, SECRETS) == (GOLDEN / "srs.conf").read_text()


def test_rtmp_conf_is_the_golden_one() -> None:
    text = render_nginx_rtmp(settings(), LAYOUT, PORTS, SECRETS, MODULE, as_root=False)
    assert text == (GOLDEN / "rtmp.conf").read_text()


def test_nginx_writes_as_root_only_where_it_runs_as_root() -> None:
    for as_root in (True, False):
        text = render_nginx_rtmp(settings(), LAYOUT, PORTS, SECRETS, MODULE, as_root=as_root)
        assert ("user root;" in text) is as_root


def test_only_loopback_may_play_from_either_engine() -> None:
    srs = render_srs(settings(), LAYOUT, PORTS, SECRETS)
    nginx = render_nginx_rtmp(settings(), LAYOUT, PORTS, SECRETS, MODULE, as_root=False)

    def rules(text: str) -> list[str]:
        return [
            line.split(";")[0].strip()
            for line in text.splitlines()
            if "allow play" in line or "deny play" in line
        ]

    # SRS refuses all others as soon as there is a rule; nginx has to be told.
    assert rules(srs) == ["allow play 127.0.0.1", "allow play ::ffff:127.0.0.1"]
    assert rules(nginx) == ["allow play 127.0.0.1", "deny play all"]


def test_both_configurations_speak_of_the_same_folder_and_durations() -> None:
    odd = settings(hls={"segment_duration": "1500ms", "playlist_window": "9s"})
    srs = render_srs(odd, LAYOUT, PORTS, SECRETS)
    nginx = render_nginx_rtmp(odd, LAYOUT, PORTS, SECRETS, MODULE, as_root=False)
    assert "hls_fragment 1.425;" in srs and "hls_window 9;" in srs
    assert "hls_fragment 1425ms;" in nginx and "hls_playlist_length 9000ms;" in nginx
    assert 'hls_path "/run/putlive/hls";' in srs and "hls_m3u8_file source/" in srs
    assert 'hls_path "/run/putlive/hls/source";' in nginx


@pytest.mark.parametrize(
    "bind,expected",
    [
        ("127.0.0.1", ["127.0.0.1:1935"]),
        ("0.0.0.0", ["0.0.0.0:1935"]),
        ("", ["0.0.0.0:1935"]),
        ("::", ["[::]:1935"]),
        ("192.0.2.1", ["127.0.0.1:1935", "192.0.2.1:1935"]),
        ("2001:db8::1", ["127.0.0.1:1935", "[2001:db8::1]:1935"]),
        ("[2001:db8::1]", ["127.0.0.1:1935", "[2001:db8::1]:1935"]),
    ],
)
def test_our_own_players_always_reach_the_engine_on_loopback(
    bind: str, expected: list[str]
) -> None:
    assert endpoints(bind, 1935) == expected


@pytest.mark.parametrize("character", list("\n\r;{}\"'\\`#\x00"))
def test_a_path_that_would_break_out_of_the_file_is_refused(character: str) -> None:
    layout = Layout(Path("/srv/a"), Path(f"/srv/b{character}c"))
    with pytest.raises(SettingsError, match="cannot stand in a configuration"):
        render_srs(settings(), layout, PORTS, SECRETS)
    with pytest.raises(SettingsError, match="cannot stand in a configuration"):
        render_nginx_rtmp(settings(), layout, PORTS, SECRETS, MODULE, as_root=False)


@pytest.mark.parametrize("bad", ["", "short", "x" * 129, "sixteen/or/more!", "with space in it.."])
def test_a_secret_that_does_not_fit_into_a_url_is_refused(bad: str) -> None:
    with pytest.raises(SettingsError):
        EngineSecrets(hook=bad, api="x" * 20)
    with pytest.raises(SettingsError):
        EngineSecrets(hook="x" * 20, api=bad)


def test_secrets_stay_out_of_repr() -> None:
    assert "secret-of-golden" not in repr(SECRETS)


def test_auto_takes_srs_where_it_is_and_else_nginx(bare: Path) -> None:
    with_nginx(bare)
    assert find_engine(settings(), {}) == "nginx-rtmp"
    program(bare, "usual-srs")
    assert find_engine(settings(), {}) == "srs"
    assert find_engine(settings(engine="nginx-rtmp"), {}) == "nginx-rtmp"


def test_srs_is_looked_for_in_the_environment_first_then_in_the_settings(bare: Path) -> None:
    usual, named, env = (program(bare, n) for n in ("usual-srs", "named", "env"))
    assert find_srs(settings(), {}) == usual
    assert find_srs(settings(srs_binary=str(named)), {}) == named
    assert find_srs(settings(srs_binary=str(named)), {"PUTLIVE_SRS": str(env)}) == env


def test_an_srs_that_is_named_but_missing_is_an_error_with_a_remedy(bare: Path) -> None:
    with pytest.raises(MissingProgram, match="PUTLIVE_SRS names /nowhere") as from_env:
        find_engine(settings(), {"PUTLIVE_SRS": "/nowhere"})
    with pytest.raises(MissingProgram, match="srs_binary names /nowhere") as from_file:
        find_engine(settings(srs_binary="/nowhere"), {})
    assert "PUTLIVE_SRS" in from_env.value.hint and "srs_binary" in from_file.value.hint


def test_without_any_engine_the_packages_are_named(bare: Path) -> None:
    for wanted in ("auto", "nginx-rtmp"):
        with pytest.raises(MissingProgram) as error:
            find_engine(settings(engine=wanted), {})
        assert "apt-get install nginx libnginx-mod-rtmp" in error.value.hint
    with pytest.raises(MissingProgram, match="no SRS"):
        find_engine(settings(engine="srs"), {})


def test_nginx_without_its_module_is_not_enough(bare: Path) -> None:
    program(bare / "sbin", "nginx")
    with pytest.raises(MissingProgram, match="lacks its RTMP module"):
        find_nginx({})


def test_an_engine_is_restarted_for_ever_within_ten_seconds() -> None:
    nginx = nginx_rtmp_command(Nginx(Path("/usr/sbin/nginx"), MODULE), LAYOUT)
    srs = srs_command(Path("/opt/srs"), LAYOUT)
    for spec in (nginx, srs):
        assert (spec.name, spec.stop_seconds) == ("engine", 5.0)
        assert (spec.policy.max_retries, spec.policy.max_delay) == (None, 10.0)
        assert spec.log_path == "/var/lib/putlive/logs/engine.log"
    assert srs.argv == ("/opt/srs", "-c", "/var/lib/putlive/run/srs.conf")
    assert nginx.argv[-1] == "/var/lib/putlive/run/rtmp.conf"


def test_what_is_written_is_for_the_owner_only_and_written_again(tmp_path: Path) -> None:
    srs = program(tmp_path, "srs")
    layout = Layout(tmp_path / "state", tmp_path / "hls")
    for port in (18086, 18087):
        ports = Ports(hooks=18085, engine_api=port)
        environ = {"PUTLIVE_SRS": str(srs)}
        spec = prepare_engine("srs", settings(), layout, ports, SECRETS, environ)
        written = Path(spec.argv[-1])
        assert f"listen 127.0.0.1:{port};" in written.read_text()
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert (tmp_path / "hls" / "source").is_dir()
    assert [p.name for p in layout.run.iterdir()] == ["srs.conf"]
