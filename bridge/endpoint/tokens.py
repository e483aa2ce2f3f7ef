"""JSON Web Tokens (RFC 7519): whether one holds, and what it grants.

Decides by keys that are at hand; never fetches one. PyJWT verifies; around it stand the rules of
RFC 8725: the algorithm is one of ours and of the key's own kind, nothing that a header points to
is followed, and no reason tells a forger more than that it failed. What was verified is remembered
by its digest until it expires, since the same token comes again with every stream of a page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import jwt

from bridge.endpoint.claims import Claims, allowed, text_at
from bridge.endpoint.grant import INVALID, TOO_LATE, Grant, Refusal, Verdict
from bridge.endpoint.jwt_options import JwtOptions
from bridge.endpoint.keys import Key, fitting

REMEMBERED = 4096
"""Tokens whose grants are kept."""

MAX_TOKEN_BYTES = 16 * 1024

_HEADERS = 64
"""Headers whose meaning is kept: an issuer writes the same one into all its tokens."""

_FAR = float(1 << 53)
"""No token outlives this, in seconds; whatever it says."""

SIGNATURE = "signature"
"""The label of a refusal by a key that fits and did not sign."""

_LABELS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.ImmatureSignatureError, "early"),
    (jwt.InvalidAudienceError, "audience"),
    (jwt.InvalidIssuerError, "issuer"),
    (jwt.MissingRequiredClaimError, "claim"),
    (jwt.InvalidSignatureError, SIGNATURE),
    (jwt.InvalidAlgorithmError, "algorithm"),
)
_BAD = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What hostile text makes a parser raise."""

UNKNOWN_KEY = replace(INVALID, label="key")
"""The token names a key that is not known; another set of keys may know it."""


class Tokens:
    """Verifies tokens.

    Args:
        options: what is asked of a token.
        named: makes a principal's short name of what a claim says.
        clock: the wheel's, in seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        options: JwtOptions,
        named: Callable[[str], str],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._options, self._named, self._clock, self._wall = options, named, clock, wall
        self._keys: Sequence[Key] = ()
        self._grants: OrderedDict[bytes, Grant] = OrderedDict()
        self._headers: dict[str, dict[str, Any]] = {}

    def use(self, keys: Sequence[Key]) -> None:
        """Verify by these from now on; what others verified no longer counts."""
        self._keys = tuple(keys)
        self._grants.clear()

    def verify(self, token: str) -> Verdict:
        """What a token grants, or why it grants nothing; `UNKNOWN_KEY` where no key fits."""
        if len(token) > MAX_TOKEN_BYTES:
            return replace(INVALID, label="size")
        digest = blake2b(token.encode(), digest_size=16).digest()
        known = self._grants.get(digest)
        if known is not None:
            return self._again(digest, known)
        verdict = self._decide(token)
        if isinstance(verdict, Grant):
            self._grants[digest] = verdict
            if len(self._grants) > REMEMBERED:
                self._grants.popitem(last=False)
        return verdict

    def _again(self, digest: bytes, grant: Grant) -> Verdict:
        if grant.expires_at is not None and grant.expires_at <= self._clock():
            del self._grants[digest]
            return TOO_LATE
        self._grants.move_to_end(digest)
        return grant

    def _decide(self, token: str) -> Verdict:
        try:
            header = self._header(token)
        except _BAD:
            return replace(INVALID, label="malformed")
        algorithm = header.get("alg")
        if algorithm not in self._options.algorithms:
            return replace(INVALID, label="algorithm")
        if "crit" in header:  # RFC 7515, 4.1.11: an extension that is not understood
            return replace(INVALID, label="malformed")
        keys = fitting(self._keys, str(algorithm), header.get("kid"))
        verdict: Verdict = UNKNOWN_KEY
        for key in keys:
            verdict = self._try(token, key, str(algorithm))
            if isinstance(verdict, Grant) or verdict.label != SIGNATURE:
                return verdict
        return verdict

    def _header(self, token: str) -> dict[str, Any]:
        """What a token says of itself; the rest of it is looked at when it is verified."""
        written = token.partition(".")[0]
        header = self._headers.get(written)
        if header is None:
            header = jwt.get_unverified_header(token)
            if len(self._headers) >= _HEADERS:
                self._headers.clear()
            self._headers[written] = header
        return header

    def _try(self, token: str, key: Key, algorithm: str) -> Verdict:
        options = self._options
        try:
            claims = jwt.decode(
                token,
                key.material,
                algorithms=[algorithm],
                audience=options.audience or None,
                issuer=options.issuer or None,
                leeway=options.leeway,
                options={"require": list(options.required)},
            )
            return self._grant(claims)
        except _BAD as error:
            return _refused(error)

    def _grant(self, claims: Claims) -> Grant:
        options = self._options
        return Grant(
            principal=self._named(text_at(claims, options.principal)),
            reads=allowed(claims, options.channels, options.channels_claim),
            sends=allowed(claims, options.sends, options.sends_claim),
            expires_at=self._end(claims.get("exp")),
        )

    def _end(self, exp: Any) -> float | None:  # noqa: ANN401 - a claim
        if exp is None:
            return None
        end = min(float(int(exp)), _FAR) + self._options.leeway
        return self._clock() + end - self._wall()


def _refused(error: Exception) -> Refusal:
    label = next((label for kind, label in _LABELS if isinstance(error, kind)), "malformed")
    return TOO_LATE if label == "expired" else replace(INVALID, label=label)
