"""Tests cannot leave the machine: not by address, not by name, not by a reference kept from before."""

from __future__ import annotations

import socket

import pytest

from tests.support.network import ClosedNetworkError

# RFC 5737 and RFC 3849: addresses for documentation, where nobody is.
DISTANT = [(socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9))]


@pytest.mark.parametrize(("family", "address"), DISTANT)
@pytest.mark.parametrize("call", ["connect", "connect_ex"])
def test_no_connection_leaves_the_machine(family: int, address: tuple[str, int], call: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as sock, pytest.raises(ClosedNetworkError):
        getattr(sock, call)(address)


@pytest.mark.parametrize(("family", "address"), DISTANT)
def test_no_datagram_leaves_the_machine(family: int, address: tuple[str, int]) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as sock, pytest.raises(ClosedNetworkError):
        sock.sendto(b"hello", address)


def test_no_name_is_looked_up() -> None:
    with pytest.raises(ClosedNetworkError, match="eu-central-1"):
        socket.getaddrinfo("kms.eu-central-1.amazonaws.com", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_open(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((host, port), timeout=5) as client:
            assert client.getpeername() == ("127.0.0.1", port)


def test_unix_sockets_are_open() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"hello")
        assert other.recv(5) == b"hello"
