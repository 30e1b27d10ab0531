"""Tells systemd how the daemon is (sd_notify(3)), through the `sdnotify` package."""

from __future__ import annotations

import os

import sdnotify


class SystemdNotifier:
    """Does nothing when the daemon was not started by systemd."""

    def __init__(self) -> None:
        self._notifier = sdnotify.SystemdNotifier()

    def ready(self, status: str) -> None:
        """The daemon serves now."""
        self._notifier.notify(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")

    def alive(self) -> None:
        """A full pulse went round."""
        self._notifier.notify("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._notifier.notify(f"STATUS={text}")

    def stopping(self) -> None:
        """The daemon is on its way out."""
        self._notifier.notify("STOPPING=1")
