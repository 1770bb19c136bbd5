"""Close the network for tests: loopback and Unix sockets stay open, any other host is an error that names it.

An audit hook (PEP 578), not a patched `socket`: it also sees code that kept its own reference, and nothing
under test can take it away. It does not see C libraries' own sockets (libpq) or child processes; those are
given loopback addresses and Unix sockets only.
"""

from __future__ import annotations

import ipaddress
import sys

_LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain"})


class ClosedNetworkError(RuntimeError):
    """A test tried to leave the machine."""


def close_network() -> None:
    """Refuse, for the rest of this process, to look up or reach any host but this one."""
    sys.addaudithook(_refuse_distant_hosts)


def _refuse_distant_hosts(event: str, arguments: tuple[object, ...]) -> None:
    host: object
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if not isinstance(address, tuple):  # a Unix socket's path, or sendmsg on a connected socket
            return
        host = address[0]
    else:
        return
    if not _is_local(host):
        raise ClosedNetworkError(f"tests reach nothing but this machine; {event} asked for {host!r}")


def _is_local(host: object) -> bool:
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name in _LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
