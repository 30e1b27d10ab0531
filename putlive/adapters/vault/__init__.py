"""Secrets, password hashes and tokens."""
