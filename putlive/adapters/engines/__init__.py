"""The media engines: SRS and nginx-rtmp, their hooks, configuration and loopback interfaces."""
