"""How JSON Web Tokens are verified and what they allow (`[auth.jwt]`).

Decides which settings are possible; `bridge.endpoint.tokens` decides by them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.endpoint.claims import check_template
from bridge.endpoint.keys import ALGORITHMS, SHARED
from bridge.upstream.target import check_address
from bridge.upstream.tls import SYSTEM, TlsOptions

_HASH_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The shortest secret for each algorithm (RFC 7518, 3.2)."""


@dataclass(frozen=True, slots=True)
class JwtOptions:
    """How JSON Web Tokens are verified and what they allow.

    Keys come from exactly one of `secret`, `key_files` and `jwks_url`.

    Attributes:
        algorithms: those that are accepted, whatever a token says: HS256, HS384, HS512, RS256,
            RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA. Secrets and public
            keys are never accepted side by side.
        secret: the shared secret of the HS algorithms; never shown.
        key_files: files with a public key or a certificate each, in PEM.
        jwks_url: where the issuer publishes its keys.
        jwks_refresh: seconds after which the keys are fetched again.
        jwks_interval: seconds between two fetches at the least, however many tokens name keys
            that are not known, or were signed by others.
        jwks_stale: seconds for which known keys serve while they cannot be fetched again; after
            that nobody is let in.
        tls: whom `https` trusts where keys are fetched, and what it proves of the bridge.
        issuer: what `iss` has to be; empty asks for none.
        audience: what `aud` has to hold one of. Where none is given, tokens made for somebody
            (`aud`) are refused.
        leeway: seconds by which clocks may differ.
        required: claims without which a token is refused.
        principal: the claim that says who it is, for limits; a dotted path.
        channels: the channels that a token may read, with its claims as fields, such as
            `user.{sub}`.
        channels_claim: the claim that lists more of them, as patterns; empty for none.
        sends: of these, the channels that it may send to, as in `channels`.
        sends_claim: the claim that lists more of those; empty for none.

    Raises:
        ValueError: a setting cannot be used.
    """

    algorithms: tuple[str, ...]
    secret: str = field(default="", repr=False)
    key_files: tuple[str, ...] = ()
    jwks_url: str = ""
    jwks_refresh: float = 300.0
    jwks_interval: float = 10.0
    jwks_stale: float = 3600.0
    tls: TlsOptions = SYSTEM
    issuer: str = ""
    audience: tuple[str, ...] = ()
    leeway: float = 30.0
    required: tuple[str, ...] = ("exp",)
    principal: str = "sub"
    channels: tuple[str, ...] = ()
    channels_claim: str = "channels"
    sends: tuple[str, ...] = ("*",)
    sends_claim: str = ""

    def __post_init__(self) -> None:
        unknown = [each for each in self.algorithms if each not in ALGORITHMS]
        if unknown or not self.algorithms:
            raise ValueError(
                "algorithms names none that is known; write those of your issuer, such as RS256"
            )
        self._check_keys()
        for setting in ("channels", "sends"):
            for template in getattr(self, setting):
                check_template(setting, template)
        if not self.channels and not self.channels_claim:
            raise ValueError("channels and channels_claim are empty; no token could read anything")
        for name in ("jwks_refresh", "jwks_interval", "jwks_stale"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a number of seconds above 0")
        if not 0 <= self.leeway <= 600:
            raise ValueError("leeway must be from 0 to 600 seconds; mend the clocks")

    def _check_keys(self) -> None:
        given = [bool(each) for each in (self.secret, self.key_files, self.jwks_url)]
        if sum(given) != 1:
            raise ValueError("keys come from exactly one of secret, key_files and jwks_url")
        shares = {each in SHARED for each in self.algorithms}
        if shares != {bool(self.secret)}:
            raise ValueError(
                "algorithms do not go with the keys: a secret verifies HS256, HS384 and HS512, "
                "and a public key all others"
            )
        if self.secret:
            least = max(_HASH_BYTES[each] for each in self.algorithms)
            if len(self.secret.encode()) < least:
                raise ValueError(f"secret has fewer than {least} bytes (RFC 7518, 3.2); use more")
        if self.jwks_url:
            check_address("jwks_url", self.jwks_url, ("http", "https"))
        elif self.tls != SYSTEM:
            raise ValueError(
                "tls is for jwks_url, which is not set; leave one out or set the other"
            )
