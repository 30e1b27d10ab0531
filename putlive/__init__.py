"""PutLive: one small host as a 24/7 television station."""

__version__ = "0.1.0"
