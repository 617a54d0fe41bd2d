"""Each error has its status, in one table and nowhere else."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

import fediblog
from fediblog.actions.oauth_grants import Denied
from fediblog.errors import FediblogError, Forbidden, Gone, Invalid, Misuse, NotFound, Refused, TooOften, Unavailable
from fediblog.formdata import FormBroken, FormTooLarge
from fediblog.http_status import status_of
from fediblog.mastodon.calls import Unauthorized
from fediblog.web.forms import Unsent
from fediblog.web.sessions import SignInNeeded

STATUSES: list[tuple[FediblogError, tuple[int, int, int]]] = [
    (Refused("whatever"), (400, 422, 403)),
    (NotFound(), (404, 404, 403)),
    (Gone(), (410, 404, 403)),
    (Forbidden(), (403, 403, 403)),
    (Invalid("source", "post.text-too-hard"), (422, 422, 403)),
    (TooOften("error.too-often", 3), (429, 429, 403)),
    (Unavailable("unreachable"), (503, 503, 503)),
    (Misuse("say --origin"), (400, 422, 503)),
    (FediblogError(), (400, 422, 503)),
    (Unauthorized(), (400, 401, 403)),
    (Denied("invalid_grant", "oauth.foreign-token"), (400, 422, 403)),
    (FormTooLarge("error.form-large", 1), (413, 413, 413)),
    (FormBroken(), (400, 400, 403)),
    (SignInNeeded(), (400, 422, 403)),
    (Unsent("error.sign-in", None), (403, 403, 403)),
    *(
        (Refused(reason), wanted)
        for reason, wanted in (
            ("too-slow", (408, 422, 403)),
            ("blocked", (403, 422, 403)),
            ("bad-json", (400, 400, 403)),
            ("content-encoding", (400, 422, 415)),
            ("content-type", (400, 422, 415)),
            ("not-utf8", (400, 422, 400)),
            ("not-an-activity", (400, 422, 400)),
            ("signer-is-not-actor", (400, 422, 401)),
            ("host-not-ours", (401, 422, 401)),
            ("signature-bad", (401, 422, 401)),
            ("digest-mismatch", (401, 422, 401)),
            ("key-gone", (400, 422, 401)),
            ("json-invalid", (400, 422, 400)),
            ("jsonld-trick", (400, 422, 400)),
            ("host-blocked", (400, 422, 403)),
        )
    ),
]


@pytest.mark.parametrize(("error", "statuses"), STATUSES, ids=lambda value: getattr(value, "reason", ""))
def test_an_error_has_its_statuses(error: FediblogError, statuses: tuple[int, int, int]) -> None:
    """Of a page, of the API, of a delivery."""
    assert status_of(error) == statuses


def errors(kind: type[FediblogError] = FediblogError) -> Iterator[type[FediblogError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from errors(each)


def test_no_error_is_left_out() -> None:
    for found in pkgutil.walk_packages(fediblog.__path__, "fediblog."):
        if not found.name.endswith("__main__"):
            import_module(found.name)
    ours = {each for each in errors() if each.__module__.startswith("fediblog.")}
    assert ours == {type(error) for error, _ in STATUSES}
