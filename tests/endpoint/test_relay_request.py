"""`bridge.endpoint.relay_request`: what goes upstream, whose credential, and what stays here."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.relay_request import (
    Asked,
    Refused,
    RelayOptions,
    Wire,
    prepare,
    split_query,
    without_secrets,
)
from bridge.upstream.relay import RelayCall
from bridge.wire.endings import BAD_REQUEST, NOT_FOUND, UNAUTHORIZED

PLAIN = RelayOptions("/v2/echat", "http://backend/v2/echat")
TWIN = RelayOptions("/v2/echat", "http://backend/v2/echat", get=True)
HELD = RelayOptions(
    "/a", "http://backend/a", headers={"AUTHORIZATION": "Bearer ours", "X-Env": "p"}
)


def asked(wire: Wire = "post", query: bytes = b"", parameters: Any = None, **headers: str) -> Asked:
    raw = tuple((name.replace("_", "-").encode(), text.encode()) for name, text in headers.items())
    return Asked(wire, parameters or {}, query, raw)


def called(options: RelayOptions, request: Asked) -> RelayCall:
    call = prepare(options, request)
    assert isinstance(call, RelayCall)
    return call


def sent(options: RelayOptions, request: Asked) -> dict[str, str]:
    headers = called(options, request).headers
    assert len(dict(headers)) == len(headers)
    return dict(headers)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"path": "v2"}, "begin with a slash"),
        ({"path": "/a/{b"}, "one {field}"),
        ({"path": "/a/{b}/{b}"}, "{b} twice"),
        ({"path": "/a/{b:zz}"}, "converter 'zz'"),
        ({"url": "http://backend:99999/"}, "unusable host or port"),
        ({"url": "http://[::1/"}, "unusable host or port"),
        ({"url": "ftp://backend/"}, "begin it with http"),
        ({"url": "http:///v2"}, "begin it with http"),
        ({"url": "http://backend/#there"}, "fragment"),
        ({"path": "/{id}", "url": "http://{id}.backend/"}, "host"),
        ({"url": "http://backend/{id}"}, r"url uses \{id\}"),
        ({"headers": {"a b": "c"}}, "name that HTTP does not allow"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "X-A holds a line end"),
        (
            {"url": "http://me:hunter2@backend/", "headers": {"authorization": "Bearer x"}},
            "leave one of them out",
        ),
        ({"max_body": 0}, "max_body must be more than 0"),
        ({"connect_timeout": 0.0}, "connect_timeout"),
        ({"silence": -1.0}, "silence"),
        ({"queue": 0}, "queue"),
        ({"max_event_bytes": 0}, "max_event_bytes"),
        ({"token": "data"}, "token must not be data"),
    ],
)
def test_a_bad_setting_is_told_with_its_remedy(setting: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        RelayOptions(**({"path": "/a", "url": "http://backend/"} | setting))


def test_options_do_not_show_the_tokens_that_they_hold() -> None:
    assert "ours" not in repr(HELD)


def test_the_stream_is_asked_for_plain_and_the_clients_other_fields_pass() -> None:
    headers = sent(
        PLAIN,
        asked(
            host="bridge",
            accept="*/*",
            accept_encoding="gzip",
            content_type="application/json",
            content_length="3",
            connection="keep-alive, x-hop",
            x_hop="1",
            transfer_encoding="chunked",
            expect="100-continue",
            x_request_id="img_1",
            sec_fetch_mode="cors",
            user_agent="café",
        ),
    )
    assert headers == {
        "content-type": "application/json",
        "x-request-id": "img_1",
        "user-agent": "café",
        "accept": "text/event-stream",
        "accept-encoding": "identity",
    }


def test_the_clients_authorization_is_passed_through_where_the_server_holds_none() -> None:
    assert sent(PLAIN, asked(authorization="Bearer mine"))["authorization"] == "Bearer mine"


def test_a_user_in_the_url_keeps_the_clients_own_credential_from_the_backend() -> None:
    ours = RelayOptions("/a", "http://me:hunter2@backend/a")
    assert "authorization" not in sent(ours, asked(authorization="Bearer theirs"))
    assert "authorization" not in sent(ours, asked(query=b"auth=theirs"))


def test_a_token_that_the_server_holds_replaces_the_clients_own() -> None:
    headers = sent(HELD, asked(query=b"auth=mine", authorization="Bearer mine", x_env="q"))
    assert headers["authorization"] == "Bearer ours"
    assert headers["x-env"] == "p"


@pytest.mark.parametrize("options", [PLAIN, HELD])
def test_cookies_never_pass(options: RelayOptions) -> None:
    assert "cookie" not in sent(options, asked(cookie="session=1"))


@pytest.mark.parametrize("wire", ["get", "ws"])
def test_a_token_in_the_query_becomes_a_bearer_token_and_leaves_the_query(wire: Wire) -> None:
    request = asked(wire, b"a=1&auth=ey.J-_~+/0=&data=%7B%7D".replace(b"+", b"%2B"))
    call = called(TWIN, request)
    assert dict(call.headers)["authorization"] == "Bearer ey.J-_~+/0="
    assert dict(call.headers)["content-type"] == "application/json"
    assert "auth" not in call.url


def test_the_header_comes_before_the_query() -> None:
    headers = sent(PLAIN, asked("ws", b"auth=second", authorization="Bearer first"))
    assert headers["authorization"] == "Bearer first"


def test_a_token_may_come_with_its_scheme() -> None:
    assert sent(PLAIN, asked("ws", b"auth=Bearer%20t"))["authorization"] == "Bearer t"


@pytest.mark.parametrize("token", [b"a%0D%0AX-Admin:1", b"a%00", b"a%20b", b"%C3%A9", b"="])
def test_a_token_that_could_say_more_than_a_token_is_refused(token: bytes) -> None:
    refused = prepare(PLAIN, asked("ws", b"auth=" + token))
    assert refused == Refused(UNAUTHORIZED, "the query's auth is no bearer token")


def test_without_a_token_parameter_the_query_is_all_the_backends() -> None:
    options = RelayOptions("/a", "http://backend/a", token="")
    call = called(options, asked(query=b"auth=1&=2"))
    assert call.url == "http://backend/a?auth=1&=2"
    assert "authorization" not in dict(call.headers)


def test_the_body_of_a_get_is_its_data() -> None:
    body = '{"contents":[{"text":"a+b & é"}]}'
    call = called(TWIN, asked("get", f"x=1&data={quote(body)}&y=2".encode()))
    assert call.body == body.encode()
    assert call.url == "http://backend/v2/echat?x=1&y=2"


def test_a_get_without_data_is_refused() -> None:
    refused = prepare(TWIN, asked("get", b"auth=t"))
    assert isinstance(refused, Refused)
    assert refused.ending is BAD_REQUEST


def test_the_data_of_a_post_is_a_parameter_like_any() -> None:
    assert called(TWIN, asked(query=b"data=1")).url == "http://backend/v2/echat?data=1"


def test_the_query_joins_one_that_the_url_has() -> None:
    options = RelayOptions("/a", "http://backend/a?v=2")
    assert called(options, asked(query=b"b=%2F+%zz&c")).url == "http://backend/a?v=2&b=%2F+%zz&c"


def test_the_query_stays_here_where_it_is_not_wanted() -> None:
    options = RelayOptions("/a", "http://backend/a", query=False)
    assert called(options, asked(query=b"b=1")).url == "http://backend/a"


def test_what_a_url_cannot_hold_is_encoded() -> None:
    assert called(PLAIN, asked(query=b'a=\xff "')).url.endswith("?a=%FF%20%22")


def test_path_parameters_are_filled_in() -> None:
    options = RelayOptions("/jobs/{id:int}/{step}", "http://backend/{step}/{id}/{id}")
    call = called(options, asked(parameters={"id": 7, "step": "a@b"}))
    assert call.url == "http://backend/a%40b/7/7"


@pytest.mark.parametrize("value", ["..", "a/b", "a%2Fb", "a\r\nb", "a\0", "", "x" * 201, "{id}"])
def test_a_parameter_that_is_no_name_never_goes_upstream(value: str) -> None:
    options = RelayOptions("/{id}/{step}", "http://backend/{step}/{id}")
    refused = prepare(options, asked(parameters={"id": "1", "step": value}))
    assert isinstance(refused, Refused)
    assert refused.ending is NOT_FOUND


def test_a_log_may_show_what_is_left() -> None:
    assert without_secrets(TWIN, "get", b"auth=t&a=1&data=%7B%7D&%61uth=u") == b"a=1"
    assert without_secrets(TWIN, "ws", b"auth=t&data=1") == b"data=1"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text())))
def test_a_query_is_parted_without_loss(pairs: list[tuple[str, str]]) -> None:
    query = [f"{name}={quote(value)}".encode() for name, value in pairs]
    found, rest = split_query(b"&".join(query), frozenset({"a", "b"}))
    first = {name: value for name, value in reversed(pairs) if name != "c"}
    assert found == first
    assert rest == b"&".join(pair for pair in query if pair.startswith(b"c"))
