"""The outside world, one module per thing, each behind a port."""
