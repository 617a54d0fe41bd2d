"""What our cookies are called, and how they are sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from fediblog.federation.site import Site


def name_of(site: Site, word: str, prefix: str = "") -> str:
    """The name of a cookie; over https with the prefix, by which browsers refuse one that somebody else has set.

    Browsers keep one for all ports of a host (RFC 6265 §8.5): it has the port in its name, unless that is the default,
    so that two servers on one host do not overwrite each other's.
    """
    port = urlsplit(site.urls.origin).port
    return f"{prefix if is_secure(site) else ''}{word}{f'-{port}' if port else ''}"


def is_secure(site: Site) -> bool:
    """Whether the site is reached by https."""
    return site.urls.origin.startswith("https://")
