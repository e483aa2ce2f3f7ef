"""Which pages may talk to the bridge: the same rules for WebSocket handshakes and for HTTP.

Decides by Origin, Host and the browser's own `Sec-Fetch-Site`; never answers. CORS (WHATWG Fetch,
3.2) keeps a page from reading an answer, not from asking, and it does not hold for WebSockets at
all (RFC 6455, 10.2). So a foreign page is refused before anything happens on its behalf.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

SELF = "self"
"""Stands for pages of the bridge's own host in a list of origins."""

ANY = "*"

_ORIGIN = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)
_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class BrowserOptions:
    """Which pages may use the bridge (`[browsers]`). Clients that send no Origin are no pages.

    Attributes:
        origins: such as `https://app.example.com`; `self` means pages of the bridge's own host,
            by the Host header. `*` alone lets all pages in, and goes with no cookies.
        max_age: seconds for which a browser may remember a preflight's answer.

    Raises:
        ValueError: what stands there is no origin.
    """

    origins: tuple[str, ...] = (SELF,)
    max_age: int = 600

    def __post_init__(self) -> None:
        for each in self.origins:
            if each not in (SELF, ANY) and not _ORIGIN.fullmatch(each):
                raise ValueError(
                    "origins holds what is no origin; write scheme and host in lower case and no "
                    'path, as https://app.example.com, or "self"'
                )
        if ANY in self.origins and len(self.origins) > 1:
            raise ValueError('origins holds "*" beside others; leave one or the others out')
        if self.max_age < 0:
            raise ValueError("max_age must be 0 or more seconds")

    @property
    def lets_all_in(self) -> bool:
        """Whether pages of any origin are let in."""
        return ANY in self.origins


@dataclass(frozen=True, slots=True)
class Page:
    """Where a request comes from, as its browser says.

    Attributes:
        origin: the Origin header, None where there is none.
        host: the Host header.
        site: `Sec-Fetch-Site`, empty where there is none.
        secure: whether the connection is encrypted as far as the bridge knows.
    """

    origin: str | None
    host: str = ""
    site: str = ""
    secure: bool = False


class Origins:
    """The pages that are let in.

    Args:
        allowed: origins, `self` and `*`.
    """

    __slots__ = ("_allowed", "_any", "_own")

    def __init__(self, allowed: Sequence[str] = (SELF,)) -> None:
        self._any, self._own = ANY in allowed, SELF in allowed
        self._allowed = frozenset(map(_plain, set(allowed) - {ANY, SELF}))

    def admit(self, page: Page) -> bool:
        """Whether this page may ask at all. What is no page may."""
        if page.origin is None or self._any:
            return True
        origin = _plain(page.origin)
        return origin in self._allowed or (self._own and _is_own(origin, page))

    def admit_cookies(self, page: Page) -> bool:
        """Whether its cookies may count as a credential: only where the page is known.

        Without an Origin a browser's request is one of its own pages only if the browser says
        `same-origin`; `none` is a user who typed the address. A program that sets the cookie
        itself says neither.
        """
        if page.origin is not None:
            return not self._any and self.admit(page)
        return page.site in ("", "none", "same-origin")


def _plain(origin: str) -> str:
    """An origin in lower case and without its scheme's own port."""
    origin = origin.lower()
    scheme, _, _ = origin.partition(":")
    return origin.removesuffix(_PORTS.get(scheme, "\0"))


def _is_own(origin: str, page: Page) -> bool:
    """Whether the page was served from the host that is asked.

    A proxy that ends TLS hides the scheme, so only an encrypted connection proves one.
    """
    scheme, _, host = origin.partition("://")
    if not _ORIGIN.fullmatch(origin) or (page.secure and scheme != "https"):
        return False
    return bool(page.host) and host == _plain(f"{scheme}://{page.host}").partition("://")[2]
