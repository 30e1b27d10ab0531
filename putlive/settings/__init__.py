"""The settings of a station; `settings_file` reads them from YAML, which these do not know."""

from putlive.settings.ladder import LADDER, Quality
from putlive.settings.layout import Layout, Ports
from putlive.settings.models import (
    Authentication,
    Cors,
    Hls,
    Monitoring,
    RateLimit,
    Security,
    Server,
    Settings,
    Streaming,
)
from putlive.settings.values import Section

__all__ = [
    "LADDER",
    "Authentication",
    "Cors",
    "Hls",
    "Layout",
    "Monitoring",
    "Ports",
    "Quality",
    "RateLimit",
    "Section",
    "Security",
    "Server",
    "Settings",
    "Streaming",
]
