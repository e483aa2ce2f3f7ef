"""Who is let in, across the tables of the configuration: what cannot be, and what deserves a look.

Decides that nobody is let in unasked on an address that others reach, and that no list of origins
is a wildcard where cookies count; never reads a key or a token.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from bridge.endpoint.auth_options import DEFAULT, AuthOptions
from bridge.endpoint.origin import BrowserOptions
from bridge.endpoint.relay_request import RelayOptions
from bridge.ops.secrets import is_secret_name
from bridge.upstream.target import has_user

_SECRET = re.compile(r"(?:auth|cookie|key|session|signature)\Z", re.IGNORECASE)
"""How fields and parameters end that bring a credential, besides those that are always masked."""


def check_auths(
    auths: Sequence[AuthOptions],
    routes: Sequence[str],
    relays: Sequence[RelayOptions],
    *,
    host: str,
    browsers: BrowserOptions,
    words: Sequence[str],
    urls: Sequence[str],
) -> None:
    """Refuse what would let clients in that nobody meant to.

    Args:
        auths: `[auth]`, then `[[auths]]`.
        routes: the auth that each route names.
        relays: each names an auth, or none.
        host: where the bridge listens.
        browsers: the origins.
        words: the dialect's words for frames that authenticate.
        urls: of the backends.

    Raises:
        ValueError: with what is wrong and how to mend it.
    """
    named = [relay.auth for relay in relays if relay.auth]
    _check_names(auths, [*routes, *(name for name in named if name != DEFAULT)])
    asking = {auth.name for auth in auths if auth.mode == "forward"}
    if asking & {"" if name == DEFAULT else name for name in named}:
        raise ValueError(
            'a relay names an auth whose mode is "forward", which asks about channels; a relay has '
            "none, so let its backend decide"
        )
    if not auths[0].allow_anonymous and not is_loopback(host):
        _check_lent(relays, host)
    for auth in auths:
        where = _where(auth)
        if auth.mode == "none":
            if not auth.allow_anonymous and not is_loopback(host):
                raise ValueError(
                    f'{where}.mode is "none" and {host} can be reached from other machines; set '
                    f"{where}.mode, or {where}.allow_anonymous = true if something in front decides"
                )
            continue
        if "cookie" in auth.ways and browsers.lets_all_in:
            raise ValueError(
                f'browsers.origins is "*" and {where}.ways holds "cookie": any page could act for '
                "its visitors; list the origins"
            )
        if "frame" in auth.ways and not words:
            raise ValueError(
                f'{where}.ways holds "frame", but dialect.auth has no word for such a frame; '
                'set it, as ["auth"]'
            )
        if auth.mode == "passthrough" and any(map(has_user, urls)):
            raise ValueError(
                f'{where}.mode is "passthrough", and an upstream\'s URL brings a credential of its '
                "own; leave one of them out"
            )


def _check_lent(relays: Sequence[RelayOptions], host: str) -> None:
    """Refuse to lend the bridge's own credential to whoever comes."""
    lent = next((relay.path for relay in relays if not relay.auth and sends_own(relay)), None)
    if lent:
        raise ValueError(
            f"the relay {lent} sends a credential of the bridge's own for whoever asks, and {host} "
            "can be reached from other machines; name the relay's auth, or set "
            "auth.allow_anonymous = true if something in front decides"
        )


def sends_own(relay: RelayOptions) -> bool:
    """Whether a relay's backend knows the bridge by a credential, whoever the client is."""
    parameters = parse_qsl(urlsplit(relay.url).query)
    names = [*relay.headers, *(name for name, value in parameters if value)]
    return (
        has_user(relay.url)
        or bool(relay.tls.client_cert)
        or any(is_secret_name(name) or _SECRET.search(name) for name in names)
    )


def _check_names(auths: Sequence[AuthOptions], routes: Sequence[str]) -> None:
    default, *others = auths
    if default.name:
        raise ValueError("auth.name is for [[auths]]; [auth] serves all routes that name none")
    counts = Counter(each.name for each in others)
    if "" in counts:
        raise ValueError("one of auths has no name; routes call it by that")
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice:
        raise ValueError(f"auths holds the name {twice} twice; rename one")
    missing = next((name for name in routes if name and name not in counts), None)
    if missing:
        raise ValueError(f"a route or relay names the auth {missing}, which auths does not hold")


def facts(auths: Sequence[AuthOptions], browsers: BrowserOptions) -> Iterator[tuple[str, str]]:
    """Who is let in, a line for each point, with what it is about."""
    for auth in auths:
        yield f"auth {auth.name}".strip(), _meaning(auth)
    yield "pages", _pages(browsers)


def warnings(auths: Sequence[AuthOptions], host: str) -> Iterator[str]:
    """What deserves a look."""
    for auth in auths:
        where = _where(auth)
        if auth.mode == "none":
            if not is_loopback(host):
                yield (
                    f"{host} can be reached from other machines, and {where} lets anyone in: put "
                    "the bridge behind something that authenticates"
                )
            continue
        if "query" in auth.ways:
            yield (
                f'{where}.ways holds "query": tokens in URLs end up in the logs of proxies; let '
                "pages use tickets"
            )
        if auth.jwt and auth.jwt.jwks_url and _is_open(auth.jwt.jwks_url):
            yield f"{where}.jwt.jwks_url is not encrypted: whoever can change it can forge tokens"
        if auth.jwt and "exp" not in auth.jwt.required:
            yield f"{where}.jwt.required lacks exp: a token without an end opens streams for ever"
        if auth.jwt and not (auth.jwt.issuer and auth.jwt.audience):
            yield (
                f"{where}.jwt asks for no issuer or no audience: tokens that were made for other "
                "services of the same issuer may pass"
            )
        if auth.forward and _is_open(auth.forward.url):
            yield f"{where}.forward.url takes clients' credentials unencrypted; use https://"


def _where(auth: AuthOptions) -> str:
    return f"auths.{auth.name}" if auth.name else "auth"


def _meaning(auth: AuthOptions) -> str:
    if auth.mode == "none":
        return "anyone may read and send on every channel"
    by = f"by {', '.join(auth.ways)}"
    if auth.jwt:
        rights = [*auth.jwt.channels]
        rights += (
            [f"those of the claim {auth.jwt.channels_claim}"] if auth.jwt.channels_claim else []
        )
        return f"tokens ({', '.join(auth.jwt.algorithms)}) {by}; channels: {', '.join(rights)}"
    if auth.forward:
        return f"{auth.forward.url} is asked for each channel, with the credential that comes {by}"
    return f"each client's own credential goes to the backend, which judges it; it comes {by}"


def _pages(browsers: BrowserOptions) -> str:
    if browsers.lets_all_in:
        return "of any origin"
    names = ["the bridge's own host" if each == "self" else each for each in browsers.origins]
    return f"of {', '.join(names)}" if names else "of no origin"


def _is_open(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
