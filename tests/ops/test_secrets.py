"""What is hidden, where it may stand, and what is left readable."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ops.secrets import HIDDEN, Mask, is_secret_name, secrets_in

secrets = st.text(min_size=4).filter(lambda text: text not in HIDDEN)


@pytest.mark.parametrize(
    "name", ["token", "accessToken", "client_secret", "PASSWORD", "api_key", "api-key", "jwt"]
)
def test_a_name_that_ends_in_a_word_for_secrets_is_one(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["token_query", "url", "tokens", "key", ""])
def test_other_names_are_none(name: str) -> None:
    assert not is_secret_name(name)


def test_every_header_value_is_a_secret_and_so_is_a_credential_without_its_scheme() -> None:
    tree = {"upstream": {"sse": {"headers": {"Authorization": "Bearer abcd", "X-Env": "green"}}}}
    assert set(secrets_in(tree)) == {"Bearer abcd", "abcd", "green"}


def test_whatever_lies_below_a_secret_name_is_secret() -> None:
    assert set(secrets_in({"credentials": {"user": "ada"}, "token": ["one-token", 2]})) == {
        "ada",
        "one-token",
    }


def test_a_parameters_name_is_no_secret_though_its_setting_is_called_token() -> None:
    assert set(secrets_in({"relays": [{"token": "auth"}], "dialect": {"token": "token"}})) == set()


def test_a_header_is_a_secret_even_if_it_reads_like_a_parameters_name() -> None:
    assert set(secrets_in({"headers": {"X-Auth": "token"}})) == {"token"}


def test_urls_hold_secrets_in_their_userinfo_and_their_query() -> None:
    assert set(secrets_in("https://ada:p%40ss@host/x?apiKey=k-123&page=2")) == {
        "p%40ss",
        "p@ss",
        "k-123",
    }
    assert set(secrets_in(["https://only-user@host/"])) == {"only-user"}


def test_what_is_no_url_holds_none() -> None:
    assert set(secrets_in({"url": "http://[", "host": "localhost", "port": 1})) == set()


@given(secret=secrets, before=st.text(), after=st.text())
def test_a_known_secret_never_survives_however_it_is_quoted(
    secret: str, before: str, after: str
) -> None:
    mask = Mask([secret])
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert form not in mask(form).replace(HIDDEN, "")
        assert HIDDEN in mask(f"{before} {form} {after}")


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    assert Mask(["abcd", "abcd-efgh"])("abcd-efgh abcd") == "*** ***"


def test_a_short_secret_is_hidden_as_a_word_only() -> None:
    assert Mask(["42"])("channel 42 has 142 events") == "channel *** has 142 events"


def test_no_secrets_and_empty_ones_leave_text_alone() -> None:
    assert Mask([""])("nothing to hide") == "nothing to hide"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://ada:pw@host/a", "https://***@host/a"),
        ("GET /x?token=abc&page=2 HTTP/1.1", "GET /x?token=***&page=2 HTTP/1.1"),
        ("/ws?a=1&access_token=abc", "/ws?a=1&access_token=***"),
        ("/v2/echat?data=1&auth=eyJ.x.y", "/v2/echat?data=1&auth=***"),
        ("Authorization: Bearer eyJ.x-y_z==", "Authorization: Bearer ***"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_without_being_known(text: str, hidden: str) -> None:
    assert Mask()(text) == hidden


def test_values_of_log_entries_are_entered() -> None:
    mask = Mask(["s3cret"])
    entry = {"a": ["s3cret", 1, None], "b": {"password": "x", "n": True}, "c": ValueError("s3cret")}
    assert mask.deep(entry) == {
        "a": ["***", 1, None],
        "b": {"password": "***", "n": True},
        "c": "***",
    }


def test_a_field_with_a_secret_name_is_hidden_unless_it_is_none() -> None:
    assert Mask().deep(5, "token") == HIDDEN
    assert Mask().deep(None, "token") is None


def test_a_table_about_tokens_is_no_token() -> None:
    tree = {"auth": {"jwt": {"secret": "s3cret", "algorithms": ["HS256"], "channels": ["*"]}}}
    assert set(secrets_in(tree)) == {"s3cret"}
    assert set(secrets_in({"jwt": "eyJ"})) == {"eyJ"}
