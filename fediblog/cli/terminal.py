"""What the command line says, in the language of the environment's locale; what programs read is no sentence."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from fediblog.errors import FediblogError
from fediblog.log import printable
from fediblog.messages import text
from fediblog.messages.locale_language import spoken


def language() -> str:
    """That of who called us."""
    return spoken(os.environ)


def translated(key: str, /, **values: object) -> str:
    """The message of that key for who called us."""
    spoken_here = language()
    worded = {name: v.sentence(spoken_here) if isinstance(v, FediblogError) else v for name, v in values.items()}
    return text(spoken_here, key, **worded)


def decimal(number: float) -> str:
    """With one digit behind the point, or the comma."""
    return f"{number:.1f}".replace(".", translated("number.point"))


def utc(moment: int) -> str:
    """A time (ms) as the command line writes it."""
    return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def tell(key: str, /, **values: object) -> None:
    """Print a message for people to read, at once."""
    say(translated(key, **values))


def say(line: str = "") -> None:
    """Print what is no sentence: an address, a token, a row of a table."""
    print(printable(line), flush=True)


def warn(key: str, /, **values: object) -> None:
    """Print a message that is not the result."""
    print(f"!! {printable(translated(key, **values))}", file=sys.stderr, flush=True)
