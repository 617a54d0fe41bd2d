"""The one door to the outside: the address guard, the connection engine, and signed requests."""

from fediblog.net.access_policy import AccessPolicy
from fediblog.net.client import MAX_DOCUMENT, MAX_RECEIPT, Client, Signer
from fediblog.net.dns import Resolver
from fediblog.net.guard import Target, check_url, is_public
from fediblog.net.host_memory import Scheme, Schemes, other
from fediblog.net.http_engine import Engine, Headers, SocketEngine
from fediblog.net.response import Response

__all__ = [
    "MAX_DOCUMENT",
    "MAX_RECEIPT",
    "AccessPolicy",
    "Client",
    "Engine",
    "Headers",
    "Resolver",
    "Response",
    "Scheme",
    "Schemes",
    "Signer",
    "SocketEngine",
    "Target",
    "check_url",
    "is_public",
    "other",
]
