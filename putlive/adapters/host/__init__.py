"""This machine: clock, processes, ports, folders, systemd."""
