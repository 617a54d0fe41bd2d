"""The few kinds of failure, told apart by whose fault it is and whether trying again can help."""

from __future__ import annotations

DAMAGED = "database-damaged"  # the reason of Unavailable where stored data cannot be read any more


class FediblogError(Exception):
    """Root of all errors that are not bugs."""


class Refused(FediblogError):
    """Their fault, and trying again cannot help.

    `reason` is a stable kebab-case code that is counted and logged; `message` may be shown to the other side;
    `detail` is only logged.
    """

    def __init__(self, reason: str, message: str = "", detail: str = "") -> None:
        super().__init__(reason if not message else f"{reason}: {message}")
        self.reason = reason
        self.message = message or reason.replace("-", " ")
        self.detail = detail


class NotFound(Refused):
    """There is nothing there that the asker may see. Private and missing are the same thing."""

    def __init__(self, message: str = "There is nothing here.", detail: str = "") -> None:
        super().__init__("not-found", message, detail)


class Gone(Refused):
    """It was there and has been deleted."""

    def __init__(self, message: str = "This has been deleted.", detail: str = "") -> None:
        super().__init__("gone", message, detail)


class Forbidden(Refused):
    """The asker is known, and may not do this."""

    def __init__(self, message: str = "You may not do this.", detail: str = "") -> None:
        super().__init__("forbidden", message, detail)


class Invalid(Refused):
    """The input of one of our own people: `field` names what to correct, `message` says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__("invalid", message)
        self.field = field


class TooOften(Refused):
    """More than is allowed in that time; `wait` is the whole seconds after which it will be."""

    def __init__(self, message: str, wait: int) -> None:
        super().__init__("rate-limited", message)
        self.wait = wait


class Unavailable(FediblogError):
    """Not now. `delay` is in seconds: when trying again makes sense, or None if that is not known."""

    def __init__(self, reason: str, delay: float | None = None, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.delay = delay
        self.detail = detail


class Misuse(FediblogError):
    """The operator's settings or command line are wrong; the text says which, and what is expected."""


def damage(finding: str, database: object = "") -> str:
    """What is to be done about a database of which `finding` is damaged; for the operator."""
    what = f"The database {database}" if database else "The database"
    return (
        f"{what} is damaged ({finding}). Stop the server, move the database away together with the files beside it that"
        " end in -wal and -shm, and restore a backup."
    )
