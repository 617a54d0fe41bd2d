"""Endpoints about accounts: to look at, to change, to relate to."""
