"""Posting to an address that a user gave, which must not lead into this machine or its keeper's.

The name is looked up once, and the connection goes to the very address that was checked: a name
that means something else a moment later leads nowhere new. Redirects are not followed.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from urllib.parse import SplitResult, urlsplit

PATIENCE = 10.0  # seconds, for all of one call
LONGEST = 2000
# Addresses where clouds answer to machines with those machines' secrets, and ways to write others.
REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
    )
)


class ForbiddenAddress(Exception):
    """An address that is not to be called from here."""


def check_url(url: str, allowed: Collection[str]) -> None:
    """Raise ForbiddenAddress where a URL can't be one to be called, without looking its name up."""
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise ForbiddenAddress(f"a URL has at most {LONGEST} printable ASCII characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ForbiddenAddress("the URL can't be read") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise ForbiddenAddress("the URL must be http or https, with a host and without a password")
    if not _trusted(host, allowed):
        if host == "localhost" or host.endswith(".localhost"):
            raise _forbidden(host)
        with contextlib.suppress(ValueError):
            _check(ipaddress.ip_address(host), host)


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Collection[str]) -> int:
    """Return the status that a call was answered with; raises OSError or ForbiddenAddress."""
    check_url(url, allowed)
    parts = urlsplit(url)
    connection = Connection(parts, _address(parts, allowed))
    limit = threading.Timer(PATIENCE, connection.abort)
    limit.daemon = True
    limit.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"no answer in HTTP: {type(error).__name__}") from error
    finally:
        limit.cancel()
        connection.close()


def _address(parts: SplitResult, allowed: Collection[str]) -> tuple[str, int]:
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not _trusted(host, allowed):
        for each in addresses:
            _check(ipaddress.ip_address(each), host)
    return addresses[0], port


def _trusted(host: str, allowed: Collection[str]) -> bool:
    return host in {each.casefold() for each in allowed}


def _check(address: ipaddress.IPv4Address | ipaddress.IPv6Address, host: str) -> None:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or any(address in network for network in REFUSED)
        or _is_own(address)
    ):
        raise _forbidden(host)


def _is_own(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether an address is one of this machine's: only to those can a socket be bound."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def _forbidden(host: str) -> ForbiddenAddress:
    return ForbiddenAddress(f"{host} is no address that this hub calls")


class Connection(http.client.HTTPConnection):
    """A connection to an address that was checked, under the name that was asked for."""

    def __init__(self, parts: SplitResult, address: tuple[str, int]) -> None:
        super().__init__(str(parts.hostname), address[1], timeout=PATIENCE)
        self._address = address
        self._secure = parts.scheme == "https"
        self._late = False
        self.default_port = 443 if self._secure else 80

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.create_connection(self._address, PATIENCE)
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()
        if self._late:
            raise TimeoutError("it took too long to connect")

    def abort(self) -> None:
        """End the call, whatever it waits for."""
        self._late = True
        if self.sock:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
