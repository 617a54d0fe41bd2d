"""Endpoints about the server, and for those who look after it."""
