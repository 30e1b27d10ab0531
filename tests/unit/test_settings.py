"""Settings: quantities, defaults, limits, and values that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from putlive.settings import LADDER, Hls, Layout, Quality, Server, Settings, Streaming
from putlive.settings.quantities import BIT_RATE, SIZE, TIME, Quantity


@pytest.mark.parametrize(
    "quantity,written,number",
    [
        (TIME, "2", 2.0),
        (TIME, 2, 2.0),
        (TIME, 2.5, 2.5),
        (TIME, "1500ms", 1.5),
        (TIME, " 30 s ", 30.0),
        (TIME, "5m", 300.0),
        (TIME, "24h", 86400.0),
        (TIME, "7d", 604800.0),
        (TIME, "2w", 1209600.0),
        (TIME, "0.1s", 0.1),
        (TIME, 1e-7, 1e-7),
        (SIZE, "1k", 1000),
        (SIZE, "1K", 1024),
        (SIZE, "500M", 500 << 20),
        (SIZE, "1.5G", 3 << 29),
        (SIZE, 12345, 12345),
        (BIT_RATE, "1200k", 1_200_000),
        (BIT_RATE, "2.5M", 2_500_000),
    ],
)
def test_quantities_are_read_as_people_write_them(
    quantity: Quantity, written: object, number: float
) -> None:
    assert quantity.number(written) == number


@pytest.mark.parametrize("quantity", [TIME, SIZE, BIT_RATE])
@pytest.mark.parametrize(
    "wrong",
    ["", "x", "5 minutes", "-1", "1e9", "5X", "1.", "9" * 400, "٣s", True, None, [], {}]
    + [float("inf"), float("nan"), -1, 10**5000],
    ids=lambda wrong: str(wrong)[:9] if not isinstance(wrong, int) else "integer",
)
def test_what_is_no_quantity_is_refused_with_an_example(quantity: Quantity, wrong: object) -> None:
    with pytest.raises(ValueError, match=f"has to be a {quantity.name}.*{quantity.example}"):
        quantity.number(wrong)


@pytest.mark.parametrize(
    "quantity,number,text",
    [
        (TIME, 2.0, "2s"),
        (TIME, 0.0, "0s"),
        (TIME, 2.5, "2.5s"),
        (TIME, 90.0, "90s"),
        (TIME, 300.0, "5m"),
        (TIME, 86400.0, "1d"),
        (TIME, 2592000.0, "30d"),
        (SIZE, 500 << 20, "500M"),
        (SIZE, 1 << 30, "1G"),
        (SIZE, 1000, "1000"),
        (BIT_RATE, 2_500_000, "2500k"),
        (BIT_RATE, 50_001, "50001"),
    ],
)
def test_quantities_are_written_in_the_largest_whole_unit(
    quantity: Quantity, number: float, text: str
) -> None:
    assert quantity.text(number) == text


@given(st.floats(min_value=0, max_value=1e9).map(lambda seconds: round(seconds, 6)))
def test_a_written_time_reads_back_exactly(seconds: float) -> None:
    assert TIME.number(TIME.text(seconds)) == seconds


@given(st.integers(min_value=0, max_value=1 << 50))
def test_written_sizes_and_bit_rates_read_back_exactly(number: int) -> None:
    assert SIZE.number(SIZE.text(number)) == BIT_RATE.number(BIT_RATE.text(number)) == number


def test_the_defaults_are_valid_settings() -> None:
    assert Settings.model_validate(Settings().model_dump()) == Settings()
    assert Settings().streaming.qualities == LADDER
    assert [(q.name, q.width, q.height, q.enabled) for q in LADDER] == [
        ("144p", 256, 144, True),
        ("480p", 854, 480, True),
        ("720p", 1280, 720, False),
    ]


def test_settings_do_not_change_after_loading() -> None:
    with pytest.raises(ValidationError):
        Settings().server.http_port = 1  # type: ignore[misc]


@pytest.mark.parametrize("bind", ["127.0.0.1", "0.0.0.0", "::", "[::1]", "localhost"])
def test_addresses_and_host_names_may_be_bound(bind: str) -> None:
    assert Server(bind=bind).bind == bind


@pytest.mark.parametrize("bind", ["", "a b", "127.0.0.1; deny all", "x\ny", "-x", "a" * 300])
def test_what_is_no_address_is_refused(bind: str) -> None:
    with pytest.raises(ValidationError, match="has to be an address"):
        Server(bind=bind)


@pytest.mark.parametrize(
    "path", ["relative", "/", "/a b", "/a;b", "/a/../b", "/$x", '/"', "/a\n", "//a", "/{x}"]
)
def test_paths_that_cannot_be_written_into_a_server_configuration_are_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="has to be a path from the root"):
        Hls(tmpfs_path=path)
    assert Hls(tmpfs_path="/dev/shm/putlive-1").tmpfs_path == "/dev/shm/putlive-1"


@pytest.mark.parametrize("name", ["source", "preview", "full", "", "480P", "a/b", "..", "x" * 17])
def test_a_rung_is_not_called_as_another_folder(name: str) -> None:
    with pytest.raises(ValidationError, match="has to be"):
        Quality(name=name, resolution="640x360", bitrate=500_000)


def test_two_rungs_have_two_names() -> None:
    with pytest.raises(ValidationError, match='Two qualities are called "480p"'):
        Streaming(qualities=(LADDER[0], LADDER[1], LADDER[1]))


def test_a_playlist_holds_at_least_three_segments() -> None:
    assert Hls(segment_duration=2, playlist_window=6).playlist_window == 6
    with pytest.raises(ValidationError, match="three times"):
        Hls(segment_duration=2, playlist_window=5.9)


def test_pages_and_ingest_have_ports_of_their_own() -> None:
    with pytest.raises(ValidationError, match="both 1935"):
        Settings(server=Server(http_port=1935))


def test_everything_of_a_station_is_in_its_folders() -> None:
    layout = Layout(Path("/state"), Path("/dev/shm/x"))
    inside = [layout.database, layout.secrets, layout.run, layout.logs, layout.api_socket]
    inside += [layout.access_socket, layout.control_socket]
    assert all(path.is_relative_to(layout.state) for path in inside)
    assert layout.previews.is_relative_to(layout.hls)
