"""The pure parts of the measurements: numbers, budgets, table, JSON, and what is read and sent."""

from __future__ import annotations

import pytest

from bench.effort import MODULES, BenchError
from bench.knocks import Knock, body_bytes, request_bytes
from bench.latency import readings
from bench.media import addresses
from bench.memory import RUNGS_OFF, whole_mb
from bench.procs import Use
from bench.publish import PUBLISHERS, SETTINGS
from bench.rows import BUDGETS, Budget, Row, Sheet, missed, percentile, significant, summary
from bench.serving import parse_wrk
from bench.table import table
from bench.viewers import last_duration
from putlive.adapters.engines.hooks import parse_nginx_rtmp, parse_srs
from putlive.adapters.media.demo import CELLS, gop_seconds
from putlive.domain.streams import PublishRequest
from putlive.settings import Settings

WRK = """Running 2s test @ http://127.0.0.1:1/live/bench/bench.m3u8
  164672 requests in 2.10s, 91.71MB read
Requests/sec:  78430.89
"""


@pytest.mark.parametrize(
    "values,percent,found",
    [
        ([7.0], 99, 7.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 75, 3.0),
        (list(map(float, range(1, 1001))), 99, 990.0),
        ([1.0, 2.0], 0, 1.0),
        ([1.0, 2.0], 100, 2.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: list[float], percent: float, found: float
) -> None:
    assert percentile(values, percent) == found


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_values_keep_four_significant_digits() -> None:
    assert [significant(v) for v in (0, 3, 12.345678, 0.00123456, 123456.7)] == [
        *(0, 3, 12.35, 0.001235, 123500.0)
    ]


@pytest.mark.parametrize(
    "budget,value,holds",
    [
        (Budget(5.0), 5.0, True),
        (Budget(5.0), 5.01, False),
        (Budget(0.9, at_least=True), 0.9, True),
        (Budget(0.9, at_least=True), 0.89, False),
        (Budget(0), 0, True),
        (Budget(0), 1, False),
    ],
)
def test_a_budget_holds_up_to_its_limit(budget: Budget, value: float, holds: bool) -> None:
    assert budget.holds(value) is holds


def test_a_row_finds_the_budget_of_its_engine_or_the_one_of_all() -> None:
    srs, nginx = Sheet("memory", "srs"), Sheet("memory", "nginx-rtmp")
    assert srs.row("idle_mb", 90, "MB").budget == Budget(105.0)
    assert nginx.row("idle_mb", 90, "MB").budget == Budget(87.0)
    assert srs.row("viewers50_mb", 90, "MB").budget == Budget(120.0)
    assert Sheet("http").row("playlist_ratio", 1, "x").budget == Budget(0.9, at_least=True)
    assert srs.row("idle.front_mb", 6, "MB").budget is None


def test_every_budget_belongs_to_a_subject_that_is_measured() -> None:
    assert {key.partition(".")[0] for key in BUDGETS} == set(MODULES)


def test_json_has_each_value_by_engine_and_the_worst_of_those_with_a_budget() -> None:
    rows = [
        Sheet("publish", "srs").row("p99_ms", 7, "ms"),
        Sheet("publish", "nginx-rtmp").row("p99_ms", 6, "ms"),
        Sheet("publish", "srs").row("p50_ms", 3, "ms"),
        Sheet("http").row("segment_ratio", 0.95, "x"),
    ]
    assert summary(rows, {}) == {
        "publish.srs.p99_ms": 7,
        "publish.nginx-rtmp.p99_ms": 6,
        "publish.p99_ms": 7,
        "publish.srs.p50_ms": 3,
        "http.segment_ratio": 0.95,
        "missed": [],
        "failed": {},
        "ok": True,
    }


def test_a_missed_budget_and_a_failed_measurement_are_not_ok() -> None:
    late = Sheet("latency", "srs").row("2s_seconds", 5.2, "s")
    assert missed([late]) == ["latency.srs.2s_seconds"]
    assert summary([late], {})["ok"] is False
    found = summary([], {"memory.srs": "no preview was made"})
    assert (found["ok"], found["failed"]) == (False, {"memory.srs": "no preview was made"})


def test_the_table_shows_budget_ratio_and_verdict_in_groups() -> None:
    rows = [
        Sheet("start", "srs").row("ready_max_seconds", 4.0, "s", "of 3"),
        Sheet("start", "srs").row("ready_seconds", 3.9, "s"),
        Sheet("http").row("playlist_ratio", 0.81, "x"),
        Sheet("memory", "srs").row("viewers50.failed_requests", 2, ""),
    ]
    lines = [" ".join(line.split()) for line in table(rows).splitlines()]
    assert lines == [
        "value unit budget ratio verdict",
        "",
        "start on srs",
        "ready_max_seconds 4 s ≤ 5 0.80 ok of 3",
        "ready_seconds 3.9 s",
        "",
        "http",
        "playlist_ratio 0.81 x ≥ 0.9 0.90 MISSED",
        "",
        "memory on srs",
        "viewers50.failed_requests 2 ≤ 0 MISSED",
    ]


def test_a_plain_key_leaves_out_an_engine_that_plays_no_part() -> None:
    assert Row("http", "", "playlist_ratio", 1.0, "x").key == "http.playlist_ratio"


@pytest.mark.parametrize("engine", ["srs", "nginx-rtmp"])
def test_what_knocks_is_what_the_engine_would_send(engine: str) -> None:
    knock = Knock("bench1", "abcd1234-" + "a2" * 16, good=True)
    body = body_bytes(engine, False, knock, "42")
    asked = parse_srs(body) if engine == "srs" else parse_nginx_rtmp(body)
    assert asked == PublishRequest(
        engine, "live", "bench1", "42", "127.0.0.1", "abcd1234-" + "a2" * 16
    )
    head, _, rest = request_bytes(engine, 8085, "secret", body).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hooks/secret/" + engine.encode() + b" HTTP/1.")
    assert f"Content-Length: {len(body)}".encode() in head
    assert rest == body


def test_wrk_is_read_and_an_answer_that_is_no_success_is_an_error() -> None:
    load = parse_wrk(WRK, 1.64672)
    assert load.per_second == 78430.89
    assert load.cpu_us == pytest.approx(10.0)
    with pytest.raises(BenchError, match="Non-2xx or 3xx responses: 10938"):
        parse_wrk(WRK + "Non-2xx or 3xx responses: 10938\n", 1.0)
    with pytest.raises(BenchError):
        parse_wrk("", 1.0)


def test_playlists_are_read_as_players_do() -> None:
    text = b"#EXTM3U\n#EXTINF:2.000, no desc\na-1.ts\n#EXTINF:1.967,\na-2.ts\n"
    assert addresses(text) == ["a-1.ts", "a-2.ts"]
    assert addresses(None) == []
    assert last_duration(text) == 1.967
    assert last_duration(b"#EXTM3U\n") == 1.0


def test_the_foreground_is_not_part_of_the_stack() -> None:
    uses = {"daemon": Use(50, 60, 1), "front": Use(6, 8, 0), "foreground": Use(14, 20, 0)}
    assert whole_mb(uses) == 56


def test_the_settings_of_the_measurements_are_settings() -> None:
    assert [q.enabled for q in Settings.model_validate(RUNGS_OFF).streaming.qualities] == [
        False
    ] * 2
    assert Settings.model_validate(SETTINGS).streaming.max_concurrent_streams == PUBLISHERS


def _row_showing(milliseconds: int, cell: int = 20) -> list[int]:
    """The strip of cells as the demo draws it: white, black, 32 bits, 8 bits of check."""
    bits = [1, 0]
    bits += [milliseconds >> index & 1 for index in range(32)]
    bits += [milliseconds % 251 >> index & 1 for index in range(8)]
    assert len(bits) == CELLS
    row = [level for bit in bits for level in [bit * 235 + 16 * (1 - bit)] * cell]
    return [*row, *[16] * (854 - len(row))]


def test_the_age_of_a_picture_is_read_from_one_row_of_it() -> None:
    wrapped = (1 << 32) - 500
    looks = [
        {"now": 1_795_257_330_000, "row": _row_showing(1_795_257_326_550 % (1 << 32)), "behind": 3},
        {"now": (5 << 32) + 1500, "row": _row_showing(wrapped), "behind": 1},
        {"now": 1_795_257_330_000, "row": [16] * 854, "behind": 3},  # no picture yet
        {"now": 1_795_257_330_000, "row": [], "behind": 3},
    ]
    assert [(s.age_seconds, s.behind_seconds) for s in readings(looks)] == [(3.45, 3), (2.0, 1)]


@pytest.mark.parametrize(
    "segment,gop", [(1.0, 1.0), (2.0, 2.0), (3.0, 1.5), (4.0, 2.0), (10.0, 2.0)]
)
def test_the_demos_keyframes_let_segments_be_cut_at_their_length(
    segment: float, gop: float
) -> None:
    assert gop_seconds(segment) == gop
