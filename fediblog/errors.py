"""The few kinds of failure, told apart by whose fault it is and whether trying again can help."""

from __future__ import annotations

from collections.abc import Mapping

from fediblog.messages import ENGLISH, known, text
from fediblog.messages.stored import pack, unpack

DAMAGED = "database-damaged"  # the reason of Unavailable where stored data cannot be read any more


class FediblogError(Exception):
    """Root of all errors that are not bugs. What people may read is the message `key` of the catalogues, with `values`.

    A value may be an error itself.
    """

    key: str
    values: Mapping[str, object]

    @property
    def message(self) -> str:
        """The sentence for other servers, programs and logs."""
        return self.sentence(ENGLISH)

    def sentence(self, language: str) -> str:
        """What is said to people, in that language."""
        values = {name: v.sentence(language) if isinstance(v, FediblogError) else v for name, v in self.values.items()}
        return text(language, self.key, **values)

    def packed(self) -> str:
        """The same as it is stored (`messages.stored`): values may be errors too."""
        given = {name: v.packed() if isinstance(v, FediblogError) else v for name, v in self.values.items()}
        return pack(self.key, **given)


class Refused(FediblogError):
    """Their fault, and trying again cannot help.

    `reason` is a stable kebab-case code that is counted and logged. What may be shown to the other side is the message
    `key` of the catalogues, `refusal.<reason>` if nothing else is said, with `values`, which may be refusals too.
    `detail` is only logged.
    """

    def __init__(self, reason: str, detail: str = "", *, key: str = "", **values: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.key = key or f"refusal.{reason}"
        self.values = values

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    def sentence(self, language: str) -> str:
        """What may be shown to the other side, in that language; the bare reason where no more is to be said."""
        return super().sentence(language) if known(self.key) else self.reason.replace("-", " ")

    def packed(self) -> str:
        """The same as it is stored."""
        return super().packed() if known(self.key) else self.reason.replace("-", " ")

    def again(self) -> Refused:
        """The same to be raised once more, without the trace of the first time."""
        return Refused(self.reason, self.detail, key=self.key, **self.values)


class NotFound(Refused):
    """There is nothing there that the asker may see. Private and missing are the same thing."""

    def __init__(self, key: str = "", detail: str = "", **values: object) -> None:
        super().__init__("not-found", detail, key=key, **values)


class Gone(Refused):
    """It was there and has been deleted."""

    def __init__(self, key: str = "", detail: str = "", **values: object) -> None:
        super().__init__("gone", detail, key=key, **values)


class Forbidden(Refused):
    """The asker is known, and may not do this."""

    def __init__(self, key: str = "", **values: object) -> None:
        super().__init__("forbidden", "", key=key, **values)


class Invalid(Refused):
    """The input of one of our own people: `field` names what to correct, the message of that key says how."""

    def __init__(self, field: str, key: str, **values: object) -> None:
        super().__init__("invalid", "", key=key, **values)
        self.field = field


class TooOften(Refused):
    """More than is allowed in that time; `wait` is the whole seconds after which it will be, `n` in the message."""

    def __init__(self, key: str, wait: int) -> None:
        super().__init__("rate-limited", "", key=key, n=wait)
        self.wait = wait


class Unavailable(FediblogError):
    """Not now. `delay` is in seconds: when trying again makes sense, or None if that is not known.

    What is said is the message `key`, `unavailable.<reason>` if nothing else is given, and `detail` behind it: a name,
    an address or what the system said, but no sentence of ours.
    """

    def __init__(self, reason: str, delay: float | None = None, detail: str = "", *, key: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.delay = delay
        self.detail = detail
        self.key = key or f"unavailable.{reason}"
        self.values = {}

    def sentence(self, language: str) -> str:
        """Why not, in that language; the bare reason where no message says more."""
        return unpack(language, self.packed())

    def packed(self) -> str:
        """The same as it is stored."""
        what = pack(self.key) if known(self.key) else self.reason.replace("-", " ")
        return pack("unavailable.detailed", what=what, detail=self.detail) if self.detail else what

    def again(self, delay: float | None) -> Unavailable:
        """The same to be raised once more, without the trace of the first time, and with as much of it as will do."""
        return Unavailable(self.reason, delay, self.detail[:500], key=self.key)


class Misuse(FediblogError):
    """The operator's settings or command line are wrong; the message `key` says which, and what is expected."""

    def __init__(self, key: str, /, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        return self.message


def damage(finding: str, database: object = "") -> Misuse:
    """What is to be done about a database of which `finding` is damaged; for the operator."""
    if not database:
        return Misuse("misuse.database-damaged", finding=finding)
    return Misuse("misuse.database-file-damaged", finding=finding, database=database)
