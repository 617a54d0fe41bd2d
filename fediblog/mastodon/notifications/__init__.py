"""Endpoints of notifications: one by one, in groups, and pushed to apps."""
