"""The front's configuration: a golden file, and what cannot be written in it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from putlive.adapters.web.front import front_spec, prepare_front, render_front
from putlive.errors import SettingsError
from putlive.settings import Layout, RateLimit, Security, Server, Settings

GOLDEN = Path(__file__).parent.parent / "golden" / "front.conf"
LAYOUT = Layout(state=Path("/srv/putlive"), hls=Path("/dev/shm/putlive"))
PAGES = Path("/srv/putlive/pages")


def rendered(settings: Settings | None = None, layout: Layout = LAYOUT, user: str = "") -> str:
    return render_front(settings or Settings(), layout, PAGES, user)


def test_the_file_is_as_it_was_looked_at() -> None:
    assert rendered() == GOLDEN.read_text(), "look at the change, then write the golden file anew"


def test_only_a_front_of_root_names_a_user() -> None:
    assert "\nuser " not in rendered()
    assert "\nuser root;" in rendered(user="root")


@pytest.mark.parametrize(
    "bind,listen",
    [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("0.0.0.0", "0.0.0.0:8000"),
        ("::1", "[::1]:8000"),
        ("[2001:db8::1]", "[2001:db8::1]:8000"),
        ("::", "[::]:8000 ipv6only=off"),
        ("tv.example.org", "tv.example.org:8000"),
    ],
)
def test_it_listens_where_the_settings_say(bind, listen) -> None:
    assert f"listen {listen};" in rendered(Settings(server=Server(bind=bind)))


@pytest.mark.parametrize("bad", list("\"'`\\$;,{}#\n\t\x00\x7f"))
def test_a_path_nginx_would_misread_is_refused(bad) -> None:
    with pytest.raises(SettingsError, match="of its own"):
        rendered(layout=Layout(state=Path(f"/srv/a{bad}b"), hls=LAYOUT.hls))
    with pytest.raises(SettingsError, match="of its own"):
        rendered(layout=Layout(state=LAYOUT.state, hls=Path(f"/srv/a{bad}b")))


def test_a_path_with_spaces_and_letters_of_the_world_is_fine() -> None:
    assert '"/srv/my own tv é/hls/";' in rendered(
        layout=Layout(state=LAYOUT.state, hls=Path("/srv/my own tv é/hls"))
    )


def test_a_state_folder_too_deep_for_a_socket_is_refused() -> None:
    with pytest.raises(SettingsError, match="too long for a socket"):
        rendered(layout=Layout(state=Path("/" + "x" * 95), hls=LAYOUT.hls))


@pytest.mark.parametrize("per_minute,wait", [(100, 1), (60, 1), (7, 9), (1, 60)])
def test_limits_and_the_wait_they_ask_for_follow_the_settings(per_minute, wait) -> None:
    limit = RateLimit(requests_per_minute=per_minute, burst=7)
    text = rendered(Settings(security=Security(rate_limit=limit)))
    assert f"zone=api:1m rate={per_minute}r/m;" in text
    assert "limit_req zone=api burst=7 nodelay;" in text
    assert f"default {wait};" in text


def test_a_burst_of_nothing_is_written_as_none() -> None:
    limit = RateLimit(burst=0)  # nginx refuses `burst=0`
    assert "limit_req zone=api;" in rendered(Settings(security=Security(rate_limit=limit)))


def test_every_answer_carries_the_policy() -> None:
    """nginx drops inherited headers where a block adds its own, so each such block repeats them."""
    blocks = [b for b in rendered().split("location ") if "add_header" in b]
    media = ("^~ /live/", '~ "^/live/', "@no_media", "@full", "@media_method")
    for block in blocks[1:]:
        if not block.startswith(media):
            assert "add_header Content-Security-Policy $policy always;" in block, block[:60]
        else:
            assert "add_header X-Content-Type-Options nosniff" in block, block[:60]


def test_it_is_written_whole_into_folders_that_are_there(tmp_path) -> None:
    layout = Layout(state=tmp_path / "state", hls=tmp_path / "hls")
    path = prepare_front(Settings(), layout, PAGES)
    assert path == layout.run / "front.conf"
    assert path.read_text().endswith("}\n")
    assert [p.name for p in layout.run.iterdir() if "front.conf" in p.name] == ["front.conf"]
    assert layout.logs.is_dir()
    assert (layout.hls / "front-cache").is_dir()
    assert prepare_front(Settings(), layout, PAGES) == path


def test_it_runs_in_the_foreground_and_is_never_given_up() -> None:
    spec = front_spec("/usr/sbin/nginx", LAYOUT)
    assert spec.name == "front"
    assert spec.argv[:3] == ("/usr/sbin/nginx", "-c", "/srv/putlive/run/front.conf")
    assert spec.argv[-2:] == ("-g", "daemon off;")
    assert spec.policy.max_retries is None
