"""HTTP Message Signatures, RFC 9421: the part of it that requests between servers use."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, quote, unquote_plus

from msgspec import Struct

from fediblog.protocol.cavage import BODILESS, encoded, split
from fediblog.protocol.digest import content_digest
from fediblog.protocol.keys import PrivateKey
from fediblog.protocol.structured import (
    Headers,
    InnerList,
    Item,
    Token,
    joined,
    read_dictionary,
    write_item,
    write_list,
)

LABEL = "sig1"
MAX_QUERY = 64  # query parameters looked through for one that is signed


class MessageSignature(Struct, frozen=True):
    """One of the signatures of a message."""

    label: str
    key_id: str
    signature: bytes
    algorithm: str | None
    created: int | None  # seconds
    expires: int | None  # seconds
    input: InnerList  # the covered components and the parameters, as they are signed

    @property
    def covered(self) -> frozenset[str]:
        """The names of the components that are signed whole. One with parameters is a part of something."""
        return frozenset(item.value for item in self.input.items if isinstance(item.value, str) and not item.params)


def read(signature_input: str | None, signature: str | None) -> list[MessageSignature] | None:
    """All signatures that name a key, in their order; None if the two headers do not fit together."""
    inputs, values = read_dictionary(signature_input), read_dictionary(signature)
    if not inputs or not values or inputs.keys() != values.keys():
        return None
    found = []
    for label, member in inputs.items():
        value = values[label]
        if not isinstance(member, InnerList) or not isinstance(value, Item) or not isinstance(value.value, bytes):
            return None
        one = _signature(label, member, value.value)
        if one:
            found.append(one)
    return found


def _signature(label: str, member: InnerList, signature: bytes) -> MessageSignature | None:
    params = member.params
    key_id, algorithm = params.get("keyid"), params.get("alg")
    created, expires = params.get("created"), params.get("expires")
    if not key_id or not isinstance(key_id, str) or isinstance(key_id, Token):
        return None
    if algorithm is not None and (not isinstance(algorithm, str) or isinstance(algorithm, Token)):
        return None
    if (created is not None and type(created) is not int) or (expires is not None and type(expires) is not int):
        return None  # a bool is an int too
    return MessageSignature(label, key_id, signature, algorithm, _int(created), _int(expires), member)


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None


def base(covered: InnerList, method: str, target: str, headers: Headers, origin: str) -> bytes | None:
    """The text that is signed (§2.5); None if a component is missing, comes twice, or is one we do not know.

    `origin` is where the server is reached (scheme://host[:port]), which behind a proxy no socket can tell.
    """
    fields = joined(headers)
    lines: list[str] = []
    seen: set[str] = set()
    try:
        for item in covered.items:
            value, name = _component(item, method, target, fields, origin), write_item(item)
            if value is None or name in seen:
                return None
            seen.add(name)
            lines.append(f"{name}: {value}")
        lines.append(f'"@signature-params": {write_list(covered)}')
    except ValueError:
        return None
    return encoded(lines)


def _component(item: Item, method: str, target: str, fields: Mapping[str, str], origin: str) -> str | None:
    name = item.value
    if not isinstance(name, str) or isinstance(name, Token):
        return None
    if name == "@query-param":
        return _query_parameter(target.partition("?")[2], item.params)
    if item.params or name != name.lower():
        return None  # `sf`, `key`, `bs`, `tr` and `req` (§2.1) are for messages that no server sends another
    if not name.startswith("@"):
        return fields.get(name)
    return _derived(name, method, target, origin)


def _derived(name: str, method: str, target: str, origin: str) -> str | None:
    path, _, query = target.partition("?")
    match name:
        case "@method":
            return method
        case "@target-uri":
            return origin + target
        case "@authority":
            return split(origin)[0]
        case "@scheme":
            return origin.partition("://")[0].lower()
        case "@request-target":
            return target
        case "@path":
            return path or "/"
        case "@query":
            return f"?{query}"
    return None


def _query_parameter(query: str, params: Mapping[str, object]) -> str | None:
    """The value of the one query parameter of that name, encoded anew (§2.2.8)."""
    name = params.get("name")
    if not isinstance(name, str) or len(params) != 1:
        return None
    fields = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_QUERY)
    values = [value for field, value in fields if field == unquote_plus(name)]
    # The set of the form encoding: unlike `quote` it escapes the tilde and leaves the asterisk.
    return quote(values[0], safe="*").replace("~", "%7E") if len(values) == 1 else None


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    key_id: str,
    key: PrivateKey,
    now: int,
    also: Sequence[str] = (),
) -> dict[str, str]:
    """The headers to add to a request so that it is signed; `now` is in seconds.

    Of the `headers` that it will have anyway, those named in `also` are signed.
    """
    authority, target = split(url)
    added = {"Host": authority}
    names = ["@method", "@target-uri"]
    if body or method.upper() not in BODILESS:
        added["Content-Digest"] = content_digest(body)
        names.append("content-digest")
    names += [name.lower() for name in also if name.lower() not in names]
    covered = InnerList(tuple(Item(name, {}) for name in names), {"created": now, "keyid": key_id})
    given = {name.lower(): value for name, value in (*headers.items(), *added.items())}
    text = base(covered, method, target, list(given.items()), f"{url.partition('://')[0].lower()}://{authority}")
    if text is None:
        raise ValueError("a header to be signed is missing, or something is not plain text")
    added["Signature-Input"] = f"{LABEL}={write_list(covered)}"
    added["Signature"] = f"{LABEL}=:{base64.b64encode(key.sign(text)).decode()}:"
    return added
