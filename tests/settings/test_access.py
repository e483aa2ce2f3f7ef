"""Who is let in, across tables."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.config import Config, explain
from tests.settings.test_model import config
from tests.support.issuers import SECRET

JWT: dict[str, Any] = {"algorithms": ["HS256"], "secret": SECRET}
TOKENS: dict[str, Any] = {"mode": "jwt", "jwt": JWT}
KEYS: dict[str, Any] = {"algorithms": ["RS256"], "jwks_url": "http://issuer.example/jwks"}
FORWARD: dict[str, Any] = {"mode": "forward", "forward": {"url": "http://127.0.0.1/{id}"}}
RELAY: dict[str, Any] = {"path": "/v2/echat", "url": "http://127.0.0.1/"}
USER: dict[str, Any] = {"sse": {"url": "http://u:p@127.0.0.1/{id}"}}


def refusal(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        config(**settings)
    return str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bridge.example"])
def test_nobody_is_let_in_unasked_where_others_reach_the_bridge(host: str) -> None:
    assert 'auth.mode is "none"' in refusal(host=host)
    auths = [{"name": "public"}]
    routes = [{"sse": "/x/{channel}", "auth": "public"}]
    assert "auths.public.mode" in refusal(host=host, auth=TOKENS, auths=auths, routes=routes)
    assert config(host=host, auth={"allow_anonymous": True}).host == host
    assert config(host=host, auth=TOKENS).auth.mode == "jwt"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_it_needs_no_word(host: str) -> None:
    assert config(host=host).auth.mode == "none"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"auth": {"name": "x"}}, "is for [[auths]]"),
        ({"auths": [{}]}, "has no name"),
        ({"auths": [{"name": "a"}, {"name": "a"}]}, "name a twice"),
        ({"routes": [{"sse": "/x/{channel}", "auth": "a"}]}, "which auths does not hold"),
        ({"relays": [{**RELAY, "auth": "a"}]}, "which auths does not hold"),
        ({"auth": FORWARD, "relays": [{**RELAY, "auth": "default"}]}, "let its backend decide"),
        ({"auth": {**TOKENS, "ways": ["frame"]}}, "dialect.auth has no word"),
        ({"auth": {**TOKENS, "ways": ["cookie"]}, "browsers": {"origins": ["*"]}}, "list the orig"),
        ({"auth": {"mode": "passthrough"}, "upstream": USER}, "credential of its own"),
    ],
)
def test_what_does_not_go_together_is_refused(settings: dict[str, Any], why: str) -> None:
    assert why in refusal(**settings)


OWN: dict[str, Any] = {"headers": {"Authorization": "Bearer own"}}


@pytest.mark.parametrize(
    "own",
    [
        OWN,
        {"headers": {"x-api-key": "own"}},
        {"headers": {"Ocp-Subscription-Key": "own"}},
        {"url": "http://user:own@127.0.0.1/"},
        {"url": "http://127.0.0.1/?api_key=own"},
    ],
)
def test_a_relay_lends_no_credential_to_whoever_comes_from_elsewhere(own: dict[str, Any]) -> None:
    relays = [{**RELAY, **own}]
    public: dict[str, Any] = {"host": "192.0.2.1", "auth": TOKENS}
    said = refusal(relays=relays, **public)
    assert "the relay /v2/echat sends a credential" in said
    assert "bearer own" not in said.lower()
    config(relays=relays)
    config(relays=[{**relays[0], "auth": "default"}], **public)
    config(relays=relays, host="192.0.2.1", auth={**TOKENS, "allow_anonymous": True})


def test_a_relay_whose_backend_judges_needs_no_auth_wherever_it_listens() -> None:
    relays = [{**RELAY, "url": "http://127.0.0.1/?lang=en", "headers": {"X-Client": "bridge"}}]
    assert config(host="192.0.2.1", auth=TOKENS, relays=relays).relays


def lines(**settings: Any) -> str:
    return "\n".join(explain(config(**settings)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "anyone may read and send on every channel"),
        ({"auth": TOKENS}, "tokens (HS256) by header, subprotocol, ticket"),
        ({"auth": {"mode": "passthrough"}}, "each client's own credential goes to the backend"),
        ({"browsers": {"origins": ["https://a.example"]}}, "of https://a.example"),
        ({"browsers": {"origins": []}}, "of no origin"),
        ({"browsers": {"origins": ["*"]}}, "of any origin"),
        ({"auth": {**TOKENS, "ways": ["query"]}}, "tokens in URLs end up in the logs"),
        ({"auth": {"mode": "jwt", "jwt": KEYS}}, "can forge tokens"),
        ({"auth": {"mode": "jwt", "jwt": {**JWT, "required": []}}}, "streams for ever"),
        ({"auth": TOKENS}, "no issuer or no audience"),
        (
            {"auth": {"mode": "forward", "forward": {"url": "http://auth.example/{id}"}}},
            "credentials unencrypted",
        ),
    ],
)
def test_check_says_who_is_let_in_and_what_deserves_a_look(
    settings: dict[str, Any], said: str
) -> None:
    assert said in lines(**settings)


def test_no_secret_is_shown() -> None:
    made: Config = config(auth=TOKENS)
    assert SECRET not in repr(made) + str(made) + lines(auth=TOKENS)
