"""Keeps an interpreter on whose path it is off the network: tools/offline.py, where the system has no better way."""

import sys
from typing import Any

LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Addresses that are tuples name other machines or ports of this one; local sockets have paths."""
    if event in LOOK_UPS or (event in SENDING and isinstance(arguments[1], tuple)):
        raise PermissionError(f"{event}: there is no network here")


sys.addaudithook(_refuse)
