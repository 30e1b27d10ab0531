"""Unit tests start no process, open no connection and do not wait: trying to is an error."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time

import pytest


class NotInAUnitTest(BaseException):
    """Not an Exception, so that no broad handler swallows it."""


def _refuse(what: str):
    def refuse(*_: object, **__: object):
        raise NotInAUnitTest(f"a unit test must not {what}")

    return refuse


@pytest.fixture(autouse=True)
def nothing_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", _refuse("start a process"))
    monkeypatch.setattr(asyncio, "create_subprocess_exec", _refuse("start a process"))
    monkeypatch.setattr(socket.socket, "connect", _refuse("connect"))
    monkeypatch.setattr(socket.socket, "bind", _refuse("listen"))
    monkeypatch.setattr(time, "sleep", _refuse("sleep"))
