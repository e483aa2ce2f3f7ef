"""Messages of the legacy protocol: the seven types that backends send, and what clients accept."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from bridge.parity.contract import legacy
from bridge.parity.strategies.schemas import from_schema
from bridge.parity.strategies.texts import of_format, text

Messages = st.SearchStrategy[dict[str, Any]]


def legacy_messages(*types: str) -> Messages:
    """Messages that are valid by the contract that ships.

    Args:
        types: which of the seven; all of them where none is named.

    Raises:
        ValueError: there is no such type.
    """
    schemas = legacy().schemas
    unknown = sorted(set(types) - set(schemas))
    if unknown:
        raise ValueError(f"no legacy type {unknown[0]!r}; there are {', '.join(schemas)}")
    return st.one_of([from_schema(schemas[kind]) for kind in types or schemas])


def client_messages() -> Messages:
    """What legacy clients accept beyond the seven types: states, results, errors, patches."""
    url, share = of_format("uri"), st.floats(0, 100)
    ids = {"projectId": text(1), "requestId": text(1).map("img_{}".format)}
    shapes: list[Messages] = [
        _of(["image"], url=url),
        _of(["image_ready", "image_completed"], imageUrl=url),
        _of(["image_ready", "image_completed"], data=_only(imageUrl=url)),
        _of(["status_update"], status=text(1), progress=share),
        _of(["progress"], progress=share),
        _of(["progress"], data=_only(progress=share)),
        _of(["error", "image_error"], error=text(1)),
        _of(["error", "image_error"], data=_only(error=text(1))),
        _of(["processing", "image_processing", "pending", "image_pending"]),
        _of(["task_status"], object=_only(status=st.just("COMPLETED"))),
        _of(["file_updated"], data=_only(id=text(1), url=url)),
        st.fixed_dictionaries({"type": text(1), "status": text(1)}),
    ]
    named = st.fixed_dictionaries({}, optional=ids)
    return st.builds(lambda message, more: {**message, **more}, st.one_of(shapes), named)


def texts(messages: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """Messages as payloads, in the ways that encoders write JSON."""
    ways: list[dict[str, Any]] = [
        {"separators": (",", ":"), "ensure_ascii": False},
        {"separators": (",", ":")},
        {},
    ]
    return st.builds(
        lambda message, way: json.dumps(message, **way), messages, st.sampled_from(ways)
    )


def _of(types: list[str], **members: st.SearchStrategy[Any]) -> Messages:
    return st.fixed_dictionaries({"type": st.sampled_from(types), **members})


def _only(**members: st.SearchStrategy[Any]) -> Messages:
    return st.fixed_dictionaries(members)
