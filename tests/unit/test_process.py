from __future__ import annotations

import pytest

from putlive.domain.process import Next, ProcessState, RestartPolicy, advanced, after_exit

P = RestartPolicy(start_seconds=5, max_retries=2, base_delay=1, max_delay=60)
FOREVER = RestartPolicy(start_seconds=5, max_retries=None, base_delay=1, max_delay=10)


@pytest.mark.parametrize(
    "code,ran,tries,policy,expected",
    [
        (1, 3600, 2, P, Next(ProcessState.BACKOFF, 1, 0)),
        (1, 0.1, 0, P, Next(ProcessState.BACKOFF, 1, 1)),
        (1, 0.1, 1, P, Next(ProcessState.BACKOFF, 2, 2)),
        (1, 0.1, 2, P, Next(ProcessState.FATAL, 0, 2)),
        (1, 0.1, 40, FOREVER, Next(ProcessState.BACKOFF, 10, 41)),
        (0, 10, 0, RestartPolicy(restart=False), Next(ProcessState.EXITED, 0, 0)),
        (1, 10, 0, RestartPolicy(restart=False), Next(ProcessState.FATAL, 0, 0)),
    ],
)
def test_after_exit(code, ran, tries, policy, expected) -> None:
    assert after_exit(code, ran, tries, policy) == expected


@pytest.mark.parametrize(
    "before,after,moved",
    [
        ({}, {"frame": "0"}, True),
        ({"frame": "10"}, {"frame": "11"}, True),
        ({"frame": "10"}, {"frame": "10"}, False),
        ({"total_size": "10", "frame": "5"}, {"total_size": "11", "frame": "5"}, True),
        ({"out_time_us": "N/A"}, {"out_time_us": "N/A"}, False),
        ({"out_time_us": "N/A"}, {"out_time_us": "40000"}, True),
        ({"speed": "1x"}, {"speed": "2x"}, False),
    ],
)
def test_advanced_means_that_a_counter_grew(before, after, moved) -> None:
    assert advanced(before, after) is moved
