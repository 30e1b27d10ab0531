"""The daemon: its parts put together, and kept running."""
