"""What the owner does to what waits for other servers, and to copies of their pictures."""

from __future__ import annotations

from fediblog.messages.stored import pack
from fediblog.store.people import hosts
from fediblog.store.queues import delivery_queue, job_kinds, job_queue
from fediblog.store.readers import moderation_log
from fediblog.store.tx import Tx


def retry_host(tx: Tx, by: int, host: str) -> None:
    """Try a server again at once that did not answer."""
    hosts.retry(tx, host)
    tx.notify(delivery_queue.CHANNEL)
    moderation_log.note(tx, by, "retry-host", host)


def drop_deliveries(tx: Tx, by: int, host: str) -> None:
    """Send a server nothing of what waits for it; what is written from now on is sent as ever."""
    delivery_queue.refuse_all(tx, host, pack("delivery.dropped"))
    moderation_log.note(tx, by, "drop-deliveries", host)


def clean_copies(tx: Tx, by: int) -> None:
    """Have the worker remove copies of pictures that are old or too many, and whatever else is swept hourly."""
    job_queue.add(tx, job_kinds.SWEEP, "hourly")
    moderation_log.note(tx, by, "clean-copies", "")
