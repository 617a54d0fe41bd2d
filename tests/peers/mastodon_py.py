"""Mastodon.py with its types taken at their word: it forgives what an answer lacks, or has of another type."""

from __future__ import annotations

import ast
import inspect
import re
import typing
from datetime import datetime
from functools import cache, wraps
from types import UnionType
from typing import Any, Union, get_args, get_origin

import mastodon.return_types
from mastodon import Mastodon
from mastodon.types_base import AttribAccessDict, MaybeSnowflakeIdType

from tests.peers.api_server import OOB, PEOPLE, WIDE, ApiServer

VERSION = (4, 5, 0)  # of Mastodon's API, which we speak
_ADDED = re.compile(r"\* (\d+)\.(\d+)\.(\d+): added")
# What Mastodon.py's types want and Mastodon's own documentation does not: each with the reason why it may be missing.
LENIENT: dict[str, str] = {
    "NotificationPolicy.for_bots": "new in Mastodon 4.6, which Mastodon.py does not say",
    "ScheduledStatusParams.application_id": "a post keeps its app's name, not its number; no app reads that",
    "FilterResult.filter": "Mastodon.py takes a filter of the second kind for one of the first",
    **dict.fromkeys(
        tuple(
            f"AdminReport.{name}"
            for name in ("account", "target_account", "assigned_account", "action_taken_by_account")
        ),
        "these are accounts as owners see them, in Mastodon too",
    ),
    "Report.rules_ids": "Mastodon.py's slip: it is rule_ids",
    **dict.fromkeys(
        tuple(f"Application.{name}" for name in ("id", "redirect_uri", "redirect_uris", "scopes", "vapid_key")),
        "a status tells only the name and the website of its app, in Mastodon too",
    ),
}
# What a method really gives, where its annotation says something else.
ANNOTATED: dict[str, Any] = {
    "admin_accounts": Any,
    "admin_accounts_v1": Any,
    "push_subscription_generate_keys": Any,
    "get_approx_server_time": Any,
    "make_poll": Any,
    "status_post": mastodon.return_types.Status | mastodon.return_types.ScheduledStatus,
    "featured_tag_suggestions": Any,
    "filter_v2": Any,
    "filters_v2": Any,
    "pagination_iterator": Any,
    "pagination_page_iterator": Any,
    "status_card": None,
}


@cache
def _newer() -> frozenset[str]:
    """`Class.field` of what came to Mastodon after our version, by what Mastodon.py says of each field."""
    found: set[str] = set()
    for node in ast.parse(inspect.getsource(mastodon.return_types)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, text in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                added = _ADDED.search(str(text.value.value))
                if added and tuple(map(int, added.groups())) > VERSION:
                    found.add(f"{node.name}.{ast.unparse(field.target)}")
    return frozenset(found)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind, vars(mastodon.return_types))


def wrong(value: Any, hint: Any, where: str) -> list[str]:
    """What is not as Mastodon.py's types say."""
    origin = get_origin(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return []
    if hint is None or hint is type(None):
        return [] if value is None else [f"{where}: {value!r:.60} where nothing was expected"]
    if origin in (Union, UnionType):
        return _wrong_of_any(value, get_args(hint), where)
    if value is None:
        return [f"{where}: missing, or null"]
    if origin in (list, tuple) or (isinstance(origin, type) and issubclass(origin, list)):
        if not isinstance(value, list):
            return [f"{where}: {type(value).__name__} is no list"]
        return [
            each for place, item in enumerate(value) for each in wrong(item, get_args(hint)[0], f"{where}[{place}]")
        ]
    if isinstance(origin, type) and issubclass(origin, dict):
        return [] if isinstance(value, dict) else [f"{where}: no object"]
    return _wrong_of_class(value, hint, where)


def _wrong_of_any(value: Any, hints: tuple[Any, ...], where: str) -> list[str]:
    each = [wrong(value, hint, where) for hint in hints if value is None or hint is not type(None)]
    return min(each, key=len) if all(each) else []


def _wrong_of_class(value: Any, kind: Any, where: str) -> list[str]:
    if kind is MaybeSnowflakeIdType:
        good = isinstance(value, MaybeSnowflakeIdType) and str(value).isdigit()
        return [] if good else [f"{where}: {value!r:.60} is no id"]
    if kind is bool or kind is datetime or kind is int:
        return [] if type(value) is kind or isinstance(value, datetime) else [f"{where}: {value!r:.60} is no {kind}"]
    if not isinstance(value, kind):
        return [f"{where}: {type(value).__name__} is no {kind.__name__}"]
    if not issubclass(kind, AttribAccessDict):
        return []
    found: list[str] = []
    fields: dict[str, Any] = dict(value)
    for name, hint in _hints(kind).items():
        if name.startswith("_") or f"{kind.__name__}.{name}" in _newer() | LENIENT.keys():
            continue
        found += wrong(fields.get(name), hint, f"{where}.{name}")
    return found


class Strict:
    """`client.method(…)` as with Mastodon.py, whose answer must be what the method's annotations say."""

    def __init__(self, client: Mastodon) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if not callable(found):
            return found
        hint = ANNOTATED.get(name, found.__annotations__.get("return", Any))

        @wraps(found)
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = found(*args, **kwargs)
            problems = wrong(answer, hint, name) if not isinstance(hint, str) else []
            assert not problems, "\n".join(problems)
            return answer

        return call


def log_in(server: ApiServer, handle: str) -> Strict:
    """The client of an account: an app made known, a person who presses Allow, and a code swapped for a token."""
    client_id, secret = Mastodon.create_app("Mastodon.py", scopes=list(WIDE), api_base_url=server.origin)
    client = Mastodon(
        client_id,
        secret,
        api_base_url=server.origin,
        version_check_mode="created",
        ratelimit_method="throw",
        request_timeout=20,
        user_agent="tests",
    )
    url = client.auth_request_url(redirect_uris=OOB, scopes=list(WIDE), allow_http=True)
    code = server.browser(PEOPLE[handle]).allow(url, handle)
    client.log_in(code=code, redirect_uri=OOB, scopes=list(WIDE), allow_http=True)
    return Strict(client)


def public_methods() -> set[str]:
    """Everything that Mastodon.py can be asked for."""
    return {name for name, _ in inspect.getmembers(Mastodon, callable) if not name.startswith("_")}


def called_in(source: str, clients: set[str]) -> set[str]:
    """The methods that a test's text calls on any of these names."""
    return {
        node.func.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in clients
    }
