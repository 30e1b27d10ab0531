"""Sharper byte counters from the segments an engine is writing."""

from __future__ import annotations

from pathlib import Path

from putlive.adapters.engines.open_segments import Inflow, OpenSegment, open_segments
from putlive.domain.media import Publisher


def publisher(bytes_in: int, client_id: str = "c1") -> Publisher:
    return Publisher("live", "main", client_id, "192.0.2.7", bytes_in)


def look(inflow: Inflow, counted: int, file: str = "", size: int = 0, client: str = "c1") -> int:
    growing = {"main": OpenSegment(file, size)} if file else {}
    return inflow.sharpen([publisher(counted, client)], growing)[0].bytes_in


def test_bytes_grow_with_the_segment_while_the_counter_stands() -> None:
    inflow = Inflow()
    seen = [look(inflow, 0, "main-1.ts.tmp", size) for size in (0, 4096, 8192, 8192)]
    assert seen == [0, 4096, 8192, 8192]


def test_a_new_segment_counts_from_its_beginning() -> None:
    inflow = Inflow()
    assert look(inflow, 0, "main-1.ts.tmp", 9000) == 0
    assert look(inflow, 0, "main-2.ts.tmp", 4096) == 4096


def test_a_moment_without_a_segment_neither_adds_nor_forgets() -> None:
    inflow = Inflow()
    look(inflow, 0, "main-1.ts.tmp", 9000)
    assert look(inflow, 0) == 0
    assert look(inflow, 0, "main-1.ts.tmp", 9000) == 0


def test_the_engines_own_counter_wins_when_it_moves_but_nothing_goes_back() -> None:
    inflow = Inflow()
    look(inflow, 0, "main-1.ts.tmp", 0)
    assert look(inflow, 0, "main-1.ts.tmp", 5000) == 5000
    assert look(inflow, 4800, "main-1.ts.tmp", 5000) == 5000
    assert look(inflow, 9000, "main-1.ts.tmp", 5000) == 9000


def test_another_client_on_the_same_name_begins_anew() -> None:
    inflow = Inflow()
    look(inflow, 5000, "main-1.ts.tmp", 5000)
    assert look(inflow, 0, "main-1.ts.tmp", 6000, client="c2") == 0


def test_open_segments_are_found_by_stream_name(tmp_path: Path) -> None:
    for name, size in (
        ("main-1700.ts.tmp", 10),
        ("main-1702.ts.tmp", 20),
        ("main-2-1700.ts.tmp", 30),
        ("main-1698.ts", 40),
        ("main.m3u8", 50),
        ("main-x.ts.tmp", 60),
    ):
        (tmp_path / name).write_bytes(b"x" * size)
    assert open_segments(tmp_path) == {
        "main": OpenSegment("main-1702.ts.tmp", 20),
        "main-2": OpenSegment("main-2-1700.ts.tmp", 30),
    }


def test_a_folder_that_is_not_there_holds_no_segments(tmp_path: Path) -> None:
    assert open_segments(tmp_path / "nowhere") == {}
