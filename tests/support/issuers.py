"""Issuers of tokens for tests: real keys, real tokens, and a server that publishes the keys."""

import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.jwt_options import JwtOptions

SECRET = "a shared secret of more than 64 bytes, which every HS algorithm may be used with"
ISSUER, AUDIENCE = "https://issuer.example", "bridge"

_MAKERS: Mapping[str, Any] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
_WRITERS: Mapping[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


@cache
def private_key(algorithm: str, kid: str = "one") -> Any:
    """The key that signs under this name."""
    return SECRET if algorithm.startswith("HS") else _MAKERS[algorithm]()


def public_pem(algorithm: str, kid: str = "one") -> bytes:
    """Its other half."""
    key = private_key(algorithm, kid).public_key()
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def jwk(algorithm: str, kid: str = "one") -> dict[str, Any]:
    """Its other half as an issuer publishes it."""
    public = private_key(algorithm, kid).public_key()
    written: dict[str, Any] = _WRITERS[algorithm].to_jwk(public, as_dict=True)
    return {**written, "kid": kid, "use": "sig"}


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token says; None leaves a claim out."""
    usual = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "7",
        "exp": int(time.time()) + 86_400,
        "channels": ["project.1"],
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def token(algorithm: str = "HS256", kid: str | None = "one", **changes: Any) -> str:
    """A signed token."""
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(
        claims(**changes), private_key(algorithm, kid or "one"), algorithm, headers=headers
    )


def bearer(text: str) -> dict[str, str]:
    """The header that brings a token."""
    return {"Authorization": f"Bearer {text}"}


def options(**changes: Any) -> JwtOptions:
    """What the bridge asks of such tokens."""
    usual: dict[str, Any] = {
        "algorithms": ("HS256",),
        "issuer": ISSUER,
        "audience": (AUDIENCE,),
        "leeway": 0,
        "channels": ("user.{sub}",),
    }
    if not {"key_files", "jwks_url"} & changes.keys():
        usual["secret"] = SECRET
    return JwtOptions(**(usual | changes))


def by_token(jwt_options: JwtOptions | None = None, **changes: Any) -> AuthOptions:
    """The mode `jwt`."""
    return AuthOptions(mode="jwt", jwt=jwt_options or options(), **changes)


@dataclass(slots=True)
class Issuer:
    """A server that publishes keys.

    Attributes:
        keys: those that it publishes.
        status: what it answers with.
        asked: how often it was asked.
    """

    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    asked: int = 0
    url: str = ""

    async def _publish(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"keys": self.keys}, status=self.status)


@asynccontextmanager
async def publishing(
    *keys: dict[str, Any], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Issuer]:
    """Serve an issuer on loopback for the length of the block."""
    issuer = Issuer(list(keys))
    app = web.Application()
    app.router.add_get("/jwks", issuer._publish)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    host, port = runner.addresses[0][:2]
    issuer.url = f"http{'s' if tls else ''}://{host}:{port}/jwks"
    try:
        yield issuer
    finally:
        await runner.cleanup()
