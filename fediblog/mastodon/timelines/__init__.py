"""Endpoints of lists of statuses: timelines, tags, trends, search, conversations, filters."""
