"""Tests of what is for who owns an account alone."""
