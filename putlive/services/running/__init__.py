"""What keeps the station running: supervisor, pulse and its rounds, bus, status."""
