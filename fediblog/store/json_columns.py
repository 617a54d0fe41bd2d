"""Short lists that are kept as JSON in one column. Few texts are stored very often, so what they say is remembered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

from fediblog.domain.documents import Emoji, Happening, InteractionPolicy, Option, Poll, Rule


@lru_cache(maxsize=2048)
def strings(text: str) -> tuple[str, ...]:
    """A list of strings."""
    return tuple(json.loads(text))


@lru_cache(maxsize=512)
def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """A list of pairs of strings."""
    return tuple((first, second) for first, second in json.loads(text))


@lru_cache(maxsize=2048)
def text_of(texts: tuple[str, ...]) -> str:
    """A list of strings as it is stored."""
    return json.dumps(texts)


def emoji_from(text: str) -> tuple[Emoji, ...]:
    """Custom emoji as they are stored."""
    return tuple(Emoji(name=name, url=url) for name, url in pairs(text))


def emoji_text(emoji: Sequence[Emoji]) -> str:
    """Custom emoji as they are stored."""
    return json.dumps([[each.name, each.url] for each in emoji])


def policy_text(policy: InteractionPolicy) -> str:
    """A policy as it is stored: of each of its parts who may unasked, and who after approval."""
    rules = (policy.like, policy.reply, policy.announce, policy.quote)
    return json.dumps([each and [each.automatic, each.manual] for each in rules])


@lru_cache(maxsize=2048)
def policy_from(text: str) -> InteractionPolicy | None:
    """A policy as it is stored."""
    if not text:
        return None
    rules = [each and Rule(automatic=tuple(each[0]), manual=tuple(each[1])) for each in json.loads(text)]
    return InteractionPolicy(like=rules[0], reply=rules[1], announce=rules[2], quote=rules[3])


def poll_text(poll: Poll) -> str:
    """A poll as it is stored."""
    options = [[option.name, option.votes] for option in poll.options]
    return json.dumps([options, poll.multiple, poll.ends, poll.closed, poll.voters])


def poll_from(text: str | None) -> Poll | None:
    """A poll as it is stored."""
    if text is None:
        return None
    options, multiple, ends, closed, voters = json.loads(text)
    choices = tuple(Option(name=name, votes=votes) for name, votes in options)
    return Poll(options=choices, multiple=multiple, ends=ends, closed=closed, voters=voters)


def happening_text(happening: Happening) -> str:
    """When and where an event is, as it is stored."""
    return json.dumps([happening.starts, happening.ends, happening.place])


def happening_from(text: str) -> Happening:
    """When and where an event is, as it is stored."""
    starts, ends, place = json.loads(text)
    return Happening(starts=starts, ends=ends, place=place)
