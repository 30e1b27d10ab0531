"""What the services need from the outside world; adapters and test fakes implement these."""

from __future__ import annotations

from putlive.ports.accounts import Passwords, TokenClaims, Tokens
from putlive.ports.media import HlsFiles, MediaEngine
from putlive.ports.running import Child, Clock, ServiceManager, Spawner
from putlive.ports.store import (
    ChannelRepo,
    EventLog,
    EventRow,
    KeyRepo,
    SessionRepo,
    Store,
    UserRepo,
)

__all__ = [
    "ChannelRepo",
    "Child",
    "Clock",
    "EventLog",
    "EventRow",
    "HlsFiles",
    "KeyRepo",
    "MediaEngine",
    "Passwords",
    "ServiceManager",
    "SessionRepo",
    "Spawner",
    "Store",
    "TokenClaims",
    "Tokens",
    "UserRepo",
]
