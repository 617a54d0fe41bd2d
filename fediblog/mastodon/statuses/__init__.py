"""Endpoints about statuses: to read, to write, to act on."""
