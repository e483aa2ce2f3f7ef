"""Whom a backend's TLS connection trusts, and what it proves of us.

Decides nothing but that: certificates and host names are always verified. The files are read when
the configuration is, so that a wrong one is told at the start and not by the first client.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How a backend is spoken to by TLS (`tls` in a backend's own table).

    Attributes:
        ca_file: PEM file of the authorities that are trusted, in place of the system's; empty for
            those.
        client_cert: PEM file of the certificate, with its chain, by which the bridge proves who it
            is; empty where the backend asks for none.
        client_key: PEM file of its private key, without a passphrase; empty where `client_cert`
            holds it too.
    """

    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""

    def __post_init__(self) -> None:
        if self.client_key and not self.client_cert:
            raise ValueError("client_key is given without client_cert; give both")
        if self.ca_file or self.client_cert:
            self.context()

    def context(self) -> ssl.SSLContext:
        """The TLS settings, made once for all connections with these options.

        Raises:
            ValueError: a file cannot be used; says which, why, and how to mend it.
        """
        return _context(self.ca_file, self.client_cert, self.client_key)


SYSTEM = TlsOptions()
"""The system's authorities and no certificate of our own."""


@lru_cache(64)
def _context(ca_file: str, client_cert: str, client_key: str) -> ssl.SSLContext:
    context = _trusting(ca_file)
    if client_cert:
        _prove(context, client_cert, client_key)
    return context


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except ssl.SSLError:
        raise ValueError(f"ca_file {ca_file} holds no certificate; give a PEM file") from None
    except OSError as fault:
        raise ValueError(_unreadable("ca_file", ca_file, fault)) from None


def _prove(context: ssl.SSLContext, client_cert: str, client_key: str) -> None:
    for name, path in (("client_cert", client_cert), ("client_key", client_key)):
        _check_readable(name, path)
    try:
        context.load_cert_chain(client_cert, client_key or None, password=_no_passphrase)
    except ssl.SSLError as fault:
        raise ValueError(_unusable(client_cert, client_key, fault)) from None


def _check_readable(name: str, path: str) -> None:
    try:
        if path:
            Path(path).read_bytes()
    except OSError as fault:
        raise ValueError(_unreadable(name, path, fault)) from None


def _no_passphrase() -> str:
    """Given in place of a prompt, at which a service would hang."""
    return ""


def _unreadable(name: str, path: str, fault: OSError) -> str:
    return f"{name} {path} cannot be read: {fault.strerror}; check its path and its permissions"


def _unusable(client_cert: str, client_key: str, fault: ssl.SSLError) -> str:
    if fault.reason == "KEY_VALUES_MISMATCH":
        return f"client_key does not belong to client_cert {client_cert}; give the key made with it"
    where = client_key or client_cert
    return (
        f"client_cert {client_cert} cannot be used with the key in {where}; give PEM files, the key"
        " without a passphrase"
    )
