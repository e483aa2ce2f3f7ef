"""The short way from a path to its endpoint, for the routes that most connections take.

Decides by one look-up, where a route's path is plain text and then one whole segment: by the
text, whatever the segment is. It never decides otherwise than the table of routes would, so a path
that an earlier route could match as well is left to the table, and so is every other path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Scope

_LAST = re.compile(r"(/[^{}]*/)\{(\w+)\}")


class Shortcut:
    """The routes of a table that one look-up finds.

    Args:
        routes: the table, in its order.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._found: dict[tuple[str, str], tuple[str, ASGIApp]] = {}
        for at, route in enumerate(routes):
            kind = _KINDS.get(type(route))
            if not isinstance(route, Route | WebSocketRoute) or getattr(route, "methods", None):
                continue
            plain = _LAST.fullmatch(route.path)
            if kind and plain and not any(_may_match(each, route) for each in routes[:at]):
                self._found[kind, plain[1]] = plain[2], route.app

    def find(self, scope: Scope) -> ASGIApp | None:
        """The endpoint of a request, whose `path_params` are then set; None asks the table."""
        if scope["type"] == "lifespan" or scope.get("root_path"):
            return None
        prefix, slash, last = scope["path"].rpartition("/")
        found = self._found.get((scope["type"], prefix + slash))
        if found is None or not last:
            return None
        scope["path_params"] = {found[0]: last}
        return found[1]


_KINDS = {Route: "http", WebSocketRoute: "websocket"}


def _may_match(earlier: BaseRoute, route: Route | WebSocketRoute) -> bool:
    """Whether an earlier route could match what a route matches."""
    if not isinstance(earlier, Route | WebSocketRoute) or (
        "{" in earlier.path and ":" in earlier.path
    ):
        return True  # a mount, or a field that may cross slashes
    if isinstance(earlier, Route) is not isinstance(route, Route):
        return False
    ours, theirs = route.path.split("/"), earlier.path.split("/")
    return len(ours) == len(theirs) and all(
        one == other or "{" in one + other for one, other in zip(ours, theirs, strict=True)
    )
