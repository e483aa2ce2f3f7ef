"""Tokens, good and forged. Sources of the forgeries: RFC 8725 and the attacks that it answers."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint import tokens
from bridge.endpoint.grant import Grant, Refusal
from bridge.endpoint.jwt_options import JwtOptions
from bridge.endpoint.keys import from_jwks, from_pem, shared
from bridge.endpoint.tokens import UNKNOWN_KEY, Tokens
from bridge.wire.names import ChannelName
from tests.support.issuers import SECRET, claims, jwk, options, private_key, public_pem, token


class World:
    """A verifier whose clock the test moves."""

    def __init__(self, asked: JwtOptions | None = None) -> None:
        self.now = 0.0
        self.verifier = Tokens(
            asked or options(), lambda text: f"<{text}>", lambda: self.now, time.time
        )
        self.verifier.use([shared(SECRET)])

    def label(self, text: str) -> str:
        verdict = self.verifier.verify(text)
        assert isinstance(verdict, Refusal)
        return verdict.label


def raw(header: object, body: object, signature: bytes = b"") -> str:
    """A token whatever it holds."""
    parts = [json.dumps(header).encode(), json.dumps(body).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_token_of_a_public_key_grants_what_its_claims_say(algorithm: str) -> None:
    world = World(options(algorithms=(algorithm,), key_files=("x",)))
    world.verifier.use([from_pem(public_pem(algorithm))])
    grant = world.verifier.verify(token(algorithm))
    assert isinstance(grant, Grant)
    assert grant.principal == "<7>"
    assert grant.may(ChannelName("user.7"))
    assert grant.may(ChannelName("project.1"))
    assert not grant.may(ChannelName("project.2"))


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"exp": int(time.time()) - 1}, "expired"),
        ({"exp": None}, "claim"),
        ({"exp": "soon"}, "malformed"),
        ({"nbf": int(time.time()) + 100_000}, "early"),
        ({"iss": "https://other.example"}, "issuer"),
        ({"iss": None}, "claim"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "claim"),
    ],
)
def test_a_claim_that_does_not_hold_is_refused(changes: dict[str, Any], label: str) -> None:
    assert World().label(token(**changes)) == label


@pytest.mark.parametrize("exp", [float("inf"), float("nan"), 10**400, True, [], {}])
def test_an_odd_expiry_opens_nothing_for_ever(exp: Any) -> None:
    verdict = World().verifier.verify(token(exp=exp))
    assert isinstance(verdict, Refusal) or verdict.expires_at is not None


def test_a_token_for_somebody_is_refused_where_nobody_is_named() -> None:
    assert World(options(audience=())).label(token()) == "audience"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None, 7, ["HS256"]])
def test_a_token_without_a_signature_is_none(alg: Any) -> None:
    assert World().label(raw({"alg": alg, "typ": "JWT"}, claims())) in {"algorithm", "malformed"}


def test_a_public_key_is_never_taken_for_a_shared_secret() -> None:
    world = World(options(algorithms=("RS256",), key_files=("x",)))
    world.verifier.use([from_pem(public_pem("RS256"))])
    unsigned = raw({"alg": "HS256", "typ": "JWT"}, claims()).removesuffix(".")
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        unsigned.encode(), public_pem("RS256")
    )
    forged = f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    assert world.label(forged) == "algorithm"


def test_an_algorithm_that_is_not_ours_is_refused_though_the_key_would_serve_it() -> None:
    world = World(options(algorithms=("RS256",), key_files=("x",)))
    world.verifier.use([from_pem(public_pem("RS256"))])
    assert world.label(jwt.encode(claims(), private_key("RS256"), "RS512")) == "algorithm"


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": jwk("RS256", "evil")},
    ],
)
def test_a_key_that_a_token_brings_itself_is_not_used(header: dict[str, Any]) -> None:
    world = World(options(algorithms=("RS256",), key_files=("x",)))
    world.verifier.use(from_jwks({"keys": [jwk("RS256", "ours")]}))
    evil = jwt.encode(claims(), private_key("RS256", "evil"), "RS256", headers=header)
    assert world.label(evil) == "signature"


@pytest.mark.parametrize("kid", ["../../dev/null", "' OR 1=1 --", "x" * 4000, "", "http://evil/"])
def test_a_key_is_looked_up_by_its_name_and_nowhere_else(kid: str) -> None:
    world = World(options(algorithms=("RS256",), key_files=("x",)))
    world.verifier.use(from_jwks({"keys": [jwk("RS256", "ours")]}))
    forged = jwt.encode(claims(), private_key("RS256", "evil"), "RS256", headers={"kid": kid})
    assert world.verifier.verify(forged) is UNKNOWN_KEY


def test_an_extension_that_is_not_understood_is_refused() -> None:
    text = jwt.encode(claims(), SECRET, "HS256", headers={"crit": ["exp"]})
    assert World().label(text) == "malformed"


def test_a_forged_signature_is_refused() -> None:
    head, body, signature = token().split(".")
    assert World().label(f"{head}.{body}.{signature[::-1]}") in {"signature", "malformed"}
    other = raw({"alg": "HS256", "typ": "JWT"}, claims(channels=["*"])).split(".")[1]
    assert World().label(f"{head}.{other}.{signature}") == "signature"


def test_an_oversized_token_is_refused_unread() -> None:
    assert World().label("x" * (tokens.MAX_TOKEN_BYTES + 1)) == "size"


def test_deep_nesting_is_refused() -> None:
    body = base64.urlsafe_b64encode(b"[" * 3000).decode()
    assert World().label(f"{body}.{body}.{body}") == "malformed"


@given(st.text(max_size=200) | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
def test_hostile_text_is_refused_and_raises_nothing(text: str) -> None:
    assert isinstance(World().verifier.verify(text), Refusal)


def test_a_remembered_token_expires_all_the_same() -> None:
    world = World()
    text = token(exp=int(time.time()) + 100)
    assert isinstance(world.verifier.verify(text), Grant)
    world.now = 99
    assert isinstance(world.verifier.verify(text), Grant)
    world.now = 101
    assert world.label(text) == "expired"


def test_a_remembered_token_does_not_outlive_its_key() -> None:
    world = World()
    text = token()
    assert isinstance(world.verifier.verify(text), Grant)
    world.verifier.use([shared("another secret of more than thirty-two bytes")])
    assert world.label(text) == "signature"


def test_a_bounded_number_of_tokens_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED", 2)
    world = World()
    for number in range(5):
        assert isinstance(world.verifier.verify(token(jti=str(number))), Grant)
    assert len(world.verifier._grants) == 2
