"""Streams: what just happened, sent to the apps that listen."""
