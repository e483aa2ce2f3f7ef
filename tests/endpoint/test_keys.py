"""Which key may verify what."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwt.algorithms import RSAAlgorithm

from bridge.endpoint.keys import SHARED, fitting, from_jwks, from_pem, shared
from tests.support.issuers import jwk, private_key, public_pem


def pem(key: Any) -> bytes:
    made: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_serves_the_algorithms_of_its_kind_and_no_shared_secret(
    algorithm: str,
) -> None:
    key = from_pem(public_pem(algorithm))
    assert algorithm in key.serves
    assert not key.serves & SHARED


def test_a_secret_serves_no_public_algorithm() -> None:
    assert shared("x").serves == SHARED
    assert "x'" not in repr(shared("x"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (pem(ec.generate_private_key(ec.SECP256K1())), "verifies no tokens"),
        (pem(dsa.generate_private_key(2048)), "verifies no tokens"),
        (b"nonsense", "no public key in PEM"),
        (
            private_key("ES256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "is a private key",
        ),
    ],
    ids=["short", "curve", "dsa", "nonsense", "private"],
)
def test_another_key_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        from_pem(text)


def test_a_set_keeps_what_can_verify_and_leaves_out_the_rest() -> None:
    weak = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)
    good = jwk("RS256", "good")
    others: list[Any] = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {**jwk("ES256"), "use": "enc"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
        {"kty": "RSA"},
        {**weak, "kid": "weak"},
        "nonsense",
        None,
    ]
    assert [key.kid for key in from_jwks({"keys": [*others, good]})] == ["good"]


def test_a_published_private_key_is_used_for_its_public_half() -> None:
    written = RSAAlgorithm.to_jwk(private_key("RS256"), as_dict=True)
    (key,) = from_jwks({"keys": [written]})
    assert isinstance(key.material, rsa.RSAPublicKey)


def test_a_key_that_is_meant_for_one_algorithm_serves_that_alone() -> None:
    (key,) = from_jwks({"keys": [{**jwk("RS256"), "alg": "RS512"}]})
    assert key.serves == {"RS512"}
    (none,) = from_jwks({"keys": [{**jwk("RS256"), "alg": "HS256"}]})
    assert not none.serves


@pytest.mark.parametrize("document", [None, [], {}, {"keys": "x"}])
def test_anything_else_is_no_set(document: object) -> None:
    with pytest.raises(ValueError, match="no JSON Web Key Set"):
        from_jwks(document)


def test_a_token_that_names_its_key_gets_no_other() -> None:
    keys = from_jwks({"keys": [jwk("RS256", "a"), jwk("RS256", "b")]})
    assert [key.kid for key in fitting(keys, "RS256", "b")] == ["b"]
    assert len(fitting(keys, "RS256", None)) == 2
    assert fitting(keys, "RS256", "../../dev/null") == []
    assert fitting(keys, "ES256", "a") == []
