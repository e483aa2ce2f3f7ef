"""Where a request's credential is found, and in which order."""

from typing import Any

import pytest

from bridge.endpoint.credentials import (
    NOTHING,
    WAYS,
    Names,
    bearer,
    first_of,
    head_of,
    without,
)

ALL = Names(frozenset(WAYS), "token", "access_token")


def scope(query: bytes = b"", offered: tuple[str, ...] = (), **headers: str) -> dict[str, Any]:
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"headers": named, "query_string": query, "subprotocols": offered}


def read(names: Names = ALL, **request: Any) -> tuple[str | None, str]:
    made = scope(**request)
    found = names.read(made, head_of(made))
    return found.way, found.token


def test_the_first_way_that_is_there_counts() -> None:
    request: dict[str, Any] = {
        "authorization": "Bearer h",
        "offered": ("x", "bearer", "s"),
        "query": b"a=b&access_token=q",
        "cookie": "token=c",
    }
    assert read(**request) == ("header", "h")
    del request["authorization"]
    assert read(**request) == ("subprotocol", "s")
    del request["offered"]
    assert read(**request) == ("query", "q")
    del request["query"]
    assert read(**request) == ("cookie", "c")


def test_what_is_not_enabled_is_not_read() -> None:
    none = Names(frozenset({"frame"}), "token", "access_token")
    made = scope(b"access_token=q", ("bearer", "s"), authorization="Bearer h", cookie="token=c")
    assert none.read(made, head_of(made)) == NOTHING


def test_another_scheme_is_a_credential_without_a_token() -> None:
    made = scope(authorization="Basic dTpw")
    found = ALL.read(made, head_of(made))
    assert (found.authorization, found.token) == ("Basic dTpw", "")


@pytest.mark.parametrize("text", ["a b", "a\r\nX: y", "ü", "", "\0"])
def test_what_cannot_stand_in_a_header_is_no_token(text: str) -> None:
    assert bearer(text, "frame") is NOTHING


def test_of_several_fields_the_first_counts() -> None:
    made = {"headers": [(b"origin", b"a"), (b"origin", b"b"), (b"accept", b"c")]}
    assert head_of(made) == {"origin": "a"}


def test_a_subprotocol_without_a_token_is_none() -> None:
    assert read(offered=("bearer",)) == (None, "")


def test_a_query_is_cleaned_of_credentials_and_kept_otherwise() -> None:
    made = scope(b"x=%2f&access%5ftoken=a&ticket=b&access_token=c&y")
    ALL.clean(made)
    assert made["query_string"] == b"x=%2f&y"


def test_queries_are_read_as_forms_are() -> None:
    assert first_of(b"a=1&b=%31+2&b=3", "b") == "1 2"
    assert first_of(b"", "b") == ""
    assert without(b"b=1", {"b"}) == b""


def test_no_credential_is_shown() -> None:
    assert "secret" not in repr(bearer("secret", "query"))
