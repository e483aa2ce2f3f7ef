"""The keys that tokens are verified by, and which of them suits a token.

Decides that a key serves only the algorithms of its own kind, so that no public key is ever taken
for a shared secret (RFC 8725, 2.1 and 3.1), and that weak ones serve none. Never fetches anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

SHARED = frozenset({"HS256", "HS384", "HS512"})
"""The algorithms whose key verifies and signs."""

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}

ALGORITHMS = SHARED | _RSA | {*_CURVES.values(), "EdDSA"}
"""All that can be configured; `none` is not among them."""

MIN_RSA_BITS = 2048
"""RFC 7518, 3.3."""

MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        material: as PyJWT takes it; never shown.
        serves: the algorithms that it may verify.
        kid: its name, empty where it has none.
    """

    material: Any = field(repr=False)
    serves: frozenset[str]
    kid: str = ""


def shared(secret: str) -> Key:
    """A secret that signs and verifies."""
    return Key(secret.encode(), SHARED)


def from_pem(text: bytes) -> Key:
    """A public key, or the one of a certificate, in PEM.

    Raises:
        ValueError: what it is instead.
    """
    if b"PRIVATE KEY" in text:
        raise ValueError("is a private key; the bridge needs the public one")
    try:
        if b"BEGIN CERTIFICATE" in text:
            return _public(load_pem_x509_certificate(text).public_key())
        return _public(load_pem_public_key(text))
    except (ValueError, UnsupportedAlgorithm) as error:
        said = str(error) if isinstance(error, _UnfitError) else "is no public key in PEM"
        raise ValueError(said) from None


def from_jwks(document: object) -> list[Key]:
    """The keys of a JSON Web Key Set (RFC 7517, 5) that can verify; the others are left out.

    Secrets are left out too: a set that anybody may fetch has no business with them.

    Raises:
        ValueError: it is no such set.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("keys"), list):
        raise ValueError("is no JSON Web Key Set")
    return list(_usable(document["keys"][:MOST_KEYS]))


def fitting(keys: Iterable[Key], algorithm: str, kid: str | None) -> list[Key]:
    """The keys that may verify a token of this header; one that names its key gets no other."""
    return [
        key
        for key in keys
        if algorithm in key.serves and (kid is None or not key.kid or key.kid == kid)
    ]


class _UnfitError(ValueError):
    """A key of a kind or size that nothing should rely on."""


def _public(key: object, kid: str = "", only: object = None) -> Key:
    """A key with the algorithms of its kind, or with the one that its owner means it for."""
    serves = _served(key)
    if only is not None:
        serves &= {str(only)}
    return Key(key, serves, kid)


def _served(key: object) -> frozenset[str]:
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise _UnfitError(f"has {key.key_size} bits; use an RSA key of {MIN_RSA_BITS} or more")
        return _RSA
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return frozenset({_CURVES[key.curve.name]})
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return frozenset({"EdDSA"})
    raise _UnfitError("verifies no tokens; use RSA, P-256, P-384, P-521 or Ed25519")


_READERS: Mapping[str, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}


def _usable(keys: list[Any]) -> Iterator[Key]:
    for each in keys:
        reader = _READERS.get(str(each.get("kty"))) if isinstance(each, Mapping) else None
        if reader is None or each.get("use", "sig") != "sig":
            continue
        parts = {name: value for name, value in each.items() if name != "d"}
        try:
            yield _public(reader.from_jwk(parts), str(each.get("kid", "")), each.get("alg"))
        except (InvalidKeyError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
            continue  # one key that cannot be used takes no other with it
