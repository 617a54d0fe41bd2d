"""Streams: what just happened, told to the apps that listen."""
