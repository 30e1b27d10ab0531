"""Stream keys: what one is, and its signed text. The database never holds that text."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

_TEXT = re.compile(r"([a-z0-9]{8})-([a-z2-7]{32})\Z")
MAX_SECRET = 64  # longer than any real one; refused before any work is done on it


@dataclass(frozen=True)
class StreamKey:
    """A right to publish on one channel. `version` counts rotations."""

    id: str
    channel: str
    user_id: int
    label: str
    version: int
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    blocked_until: datetime | None = None  # kicked: not before then, unless rotated
    last_used_at: datetime | None = None


def key_text(key: StreamKey, station_secret: bytes) -> str:
    """The secret a person puts after `?key=`: the key's id and an HMAC-SHA256 over its identity."""
    signed = f"putlive-key:{key.id}:{key.channel}:{key.user_id}:{key.version}"
    mac = hmac.new(station_secret, signed.encode(), sha256).digest()[:20]
    return f"{key.id}-{base64.b32encode(mac).decode().lower()}"


def key_id_of(text: str) -> str | None:
    """The id inside a key's text, or None when the text cannot be one."""
    match = _TEXT.match(text) if len(text) <= MAX_SECRET else None
    return match.group(1) if match else None


def is_text_of(text: str, key: StreamKey, station_secret: bytes) -> bool:
    """Whether `text` is this key's, compared in constant time."""
    return hmac.compare_digest(text.encode(), key_text(key, station_secret).encode())
