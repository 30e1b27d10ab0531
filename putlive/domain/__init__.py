"""Rules: pure functions and values that know no clock, no I/O and no await."""
