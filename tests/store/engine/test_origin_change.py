"""How an address is rewritten where it stands, and how one that only looks like it is left alone."""

from __future__ import annotations

import pytest

from fediblog.domain.urls import Urls
from fediblog.store.engine.origin_change import rewriter

TRIAL = Urls("http://127.0.0.1:8080", "127.0.0.1:8080")
REAL = Urls("https://blog.example", "people.example")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("http://127.0.0.1:8080", "https://blog.example"),
        ("See http://127.0.0.1:8080/@ann.", "See https://blog.example/@ann."),
        ("It is http://127.0.0.1:8080.", "It is https://blog.example."),
        ("http%3A%2F%2F127.0.0.1%3A8080%2Fp%2F1", "https%3A%2F%2Fblog.example%2Fp%2F1"),
        ("http%3A//127.0.0.1%3A8080/p/1", "https%3A//blog.example/p/1"),
        (r"http:\/\/127.0.0.1:8080\/p\/1", r"https:\/\/blog.example\/p\/1"),
        ("@ann@127.0.0.1:8080", "@ann@people.example"),
        ("acct%3Aann%40127.0.0.1%3A8080", "acct%3Aann%40people.example"),
        ("tag:127.0.0.1:8080,2026:1", "tag:blog.example,2026:1"),
        (r'"one\n127.0.0.1:8080"', r'"one\nblog.example"'),
        ("127.0.0.1:8080 and 127.0.0.1:8080", "blog.example and blog.example"),
        ("http://127.0.0.1:80801/", "http://127.0.0.1:80801/"),
        ("http://127.0.0.1:8080.example/", "http://127.0.0.1:8080.example/"),
        ("http://1127.0.0.1:8080/", "http://1127.0.0.1:8080/"),
        ("1127.0.0.1%3A8080", "1127.0.0.1%3A8080"),
        ("http://127x0.0.1:8080/", "http://127x0.0.1:8080/"),
    ],
)
def test_an_address_is_rewritten(before: str, after: str) -> None:
    assert rewriter(TRIAL, REAL)(before) == after


def test_handles_on_a_domain_of_their_own_are_rewritten_too() -> None:
    rewritten = rewriter(Urls("http://localhost:8080", "old.example"), REAL)
    assert rewritten("@ann@old.example") == "@ann@people.example"
    assert (
        rewritten("@ann@old.example.org at http://localhost:8080/") == "@ann@old.example.org at https://blog.example/"
    )
    assert rewritten("https://old.example/ notlocalhost:8080") == "https://old.example/ notlocalhost:8080"
