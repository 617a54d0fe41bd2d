"""docs/client-api.md, written from the table: `python -m fediblog.mastodon.api_manual > docs/client-api.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from fediblog.mastodon.endpoint_table import Endpoint
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.mastodon.schemas import definitions
from fediblog.mastodon.streaming.streams import STREAMS

TIERS: dict[int, tuple[str, str]] = {
    0: ("To log in", "Every app needs these before it shows anything."),
    1: ("To read", "With these Phanpy, Elk, toot and tut are usable for reading."),
    2: ("To write and to look after things", "What Tusky, Ice Cubes, Ivory, Mona and all others need day by day."),
    3: ("For comfort", "Push, streams, groups of notifications and what else makes an app pleasant."),
}

# What apps may ask for and do not get, and what happens then.
MISSING: dict[str, str] = {
    "`POST /api/v1/accounts` (sign up in the app)": "404; `registrations.enabled` is false, so apps do not offer it. "
    "Logins are made by the owner.",
    "`POST /oauth/token` with `grant_type=password`": "`unsupported_grant_type`: no app should ever see a password.",
    "`POST /api/v1/statuses/:id/translate`": "404; `translation.enabled` is false.",
    "Video and audio uploads": "422 with a clear text; `supported_mime_types` lists pictures only.",
    "Previews of links (`card`)": "Always `null`: no page is fetched on the word of a post.",
    "Admin endpoints for IP, e-mail, trends and statistics": "404.",
    "Marking all media of an account as sensitive (`sensitive`) in the admin API": "422.",
    "Annual reports, collections and `profile` as in Mastodon 4.6": "404, or an empty list where apps ask for one.",
    "`GET /api/v1/instance/languages`": "404: a post may be in any language of BCP 47; apps have their own lists.",
    "`GET /api/v1/instance/terms_of_service/:date`": "404: only the terms as they are now.",
    "`GET /api/v1/search`, `POST /api/v1/follows`, `GET /api/v1/reports`": "404, as in Mastodon since 3.0.",
    "`GET /api/v1/async_refreshes/:id`": "404: what an answer holds is complete when it comes.",
    "`params.application_id` of a scheduled status": "`null`; the app's name is shown once the post appears.",
    "Announcement reactions": "404.",
}

_HEAD = """# The API for apps

fediblog speaks Mastodon's client API, so that the apps people already have work with it: sign in with the address of
the blog. One token stands for one account; who has several chooses one on the consent page.

- *Where*: `https://your.blog/api/…`, `/oauth/…`; `/.well-known/oauth-authorization-server` (RFC 8414) names the rest.
- *Tokens*: OAuth 2 with PKCE (S256), or `fediblog token ACCOUNT --scopes "read write"` on the server, for scripts:
  `curl -H "Authorization: Bearer $TOKEN" https://your.blog/api/v1/accounts/verify_credentials`
- *Bodies*: JSON, form or multipart, with Rails' names (`media_ids[]=1`, `poll[options][]=a`); a slash at the end of a
  path is nothing.
- *Pages* of lists: `limit`, `max_id`, `since_id`, `min_id`, and the `Link` header with `rel="next"` and `rel="prev"`.
- *Errors*: `{"error": "…"}` with 400 (the body is not JSON), 401 (no good token), 403 (the scope is missing), 404 (not
  there, or not for you), 422 (say it differently), 429 (with `X-RateLimit-*` and `Retry-After`).
- *Entities*: Mastodon's; each has a JSON schema in `fediblog/mastodon/schemas/`, which the tests hold every answer against.

## Blogging through it

A status with `content_type=text/markdown` is read as Markdown; `text/plain`, which is what apps send, is shown as it was
typed. With `text/markdown` and a first line `# Title` it becomes an article with that title and an address of its own.
Programs that know fediblog send an object `fediblog` instead, and get one with every status:

| member | what |
| --- | --- |
| `type` | `Article`, `Note`, `Question` …; only in answers |
| `title` | makes an article |
| `slug` | the last part of the article's address; made of the title if it is missing. In an edit another one: the earlier address leads on |
| `summary` | the abstract, plain text |
| `tags` | hashtags that need not stand in the text |
| `categories` | names or slugs of the categories under which it is filed, which must be there |
| `approval` | only in answers, and only to the author of a reply: `pending`, `accepted` or `rejected`, if the author of the post replied to decides which replies stand below it |

Apps that do not know it show an article as its title, its abstract and a link.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_calls(), *_streams(), *_missing(), *_entities()])


def _calls() -> Iterator[str]:
    for tier, (title, about) in TIERS.items():
        yield f"## {title}\n\n{about}\n"
        yield "| call | scope | gives | what |"
        yield "| --- | --- | --- | --- |"
        for row in sorted((row for row in ENDPOINTS if row.tier == tier), key=lambda row: (row.path, row.method)):
            yield _line(row)
        yield ""


def _line(row: Endpoint) -> str:
    scope = " or ".join(f"`{each}`" for each in row.scope.split("|")) if row.scope else ""
    if row.who == "anybody":
        scope = f"none, or {scope}" if scope else "none"
    about = f"{row.about} {row.note}".strip()
    return f"| `{row.method} {row.path}` | {scope or 'a token'} | {row.gives or '{}'} | {about} |"


def _streams() -> Iterator[str]:
    yield "## Streams\n"
    yield (
        "`wss://your.blog/api/v1/streaming` with the token in `Authorization`, in `?access_token=` or in"
        " `Sec-WebSocket-Protocol`. A stream may be named in the query; others come and go on the same connection with"
        ' `{"type": "subscribe", "stream": "…"}` and `unsubscribe`. The same as server-sent events:'
        " `GET /api/v1/streaming/user` (colons in the name are slashes). Who takes nothing for long is cut off, and so is"
        " a token that is revoked or narrowed.\n"
    )
    yield "| stream | scope | what |"
    yield "| --- | --- | --- |"
    for name, (scope, about) in STREAMS.items():
        yield f"| `{name}` | `{scope}` | {about} |"
    yield ""


def _missing() -> Iterator[str]:
    yield "## What is not there\n"
    yield "| what an app may ask for | what it gets |"
    yield "| --- | --- |"
    for what, happens in MISSING.items():
        yield f"| {what} | {happens} |"
    yield ""


def _entities() -> Iterator[str]:
    yield "## Entities\n"
    yield "Described by JSON schemas: " + ", ".join(f"`{name}`" for name in sorted(definitions())) + ".\n"
    yield "What differs in them from what Mastodon 4.5 to 4.7 sends, or from what some app looks for:\n"
    yield "| member | how and why |"
    yield "| --- | --- |"
    for name, schema in sorted(definitions().items()):
        for member, inner in schema.get("properties", {}).items():
            if "description" in inner:
                yield f"| `{name}.{member}` | {inner['description']} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page())
