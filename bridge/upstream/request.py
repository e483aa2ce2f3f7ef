"""The bytes of a GET to a backend, and where its redirects may lead.

Decides that a redirect stays with the configured origin: elsewhere the configured headers,
credentials among them, are nobody's business. Never sends anything.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from multidict import CIMultiDict
from yarl import URL

_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_WEB = {"http": "http", "https": "https"}
_SOCKET = {"http": "ws", "https": "wss"}
_SCHEMES = {"http": _WEB, "https": _WEB, "ws": _SOCKET, "wss": _SOCKET}


@dataclass(frozen=True, slots=True)
class Moved:
    """A response redirects to another place of the same origin."""

    url: URL


def moved(status: int, headers: Mapping[str, str], url: URL) -> Moved | None:
    """Where a redirect leads; None where it is none, or leads elsewhere or nowhere usable."""
    location = headers.get("Location", "")
    if status not in _REDIRECTING or not _VISIBLE.fullmatch(location):
        return None
    try:
        target = url.join(URL(location, encoded=True))
        target = target.with_scheme(_SCHEMES[url.scheme].get(target.scheme, target.scheme))
        same = _origin(target) == _origin(url)
    except ValueError:
        return None
    return Moved(target) if same else None


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, (url.raw_host or "").lower(), url.port


def credentials(url: URL) -> dict[str, str]:
    """The `Authorization` that a user in a URL stands for (RFC 7617)."""
    if url.user is None:
        return {}
    told = f"{url.user}:{url.password or ''}".encode()
    return {"Authorization": f"Basic {b64encode(told).decode()}"}


def get_request(url: URL, headers: CIMultiDict[str]) -> bytes:
    """The bytes of a GET (RFC 9112, 3)."""
    fields = CIMultiDict({"Host": url.host_port_subcomponent or "", "User-Agent": "ws2sse"})
    fields.update(headers)
    lines = [
        f"GET {url.raw_path_qs} HTTP/1.1",
        *(f"{name}: {value}" for name, value in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()
