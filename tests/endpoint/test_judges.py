"""The modes that need nobody else."""

from collections.abc import Awaitable

from bridge.endpoint.auth_options import PassthroughOptions
from bridge.endpoint.credentials import NOTHING, Credential, bearer
from bridge.endpoint.grant import ANYONE, MISSING, UNKNOWABLE, Grant, Refusal
from bridge.endpoint.judges import Anyone, ByCredential, ByToken
from bridge.endpoint.keys import shared
from bridge.endpoint.tokens import SIGNATURE, UNKNOWN_KEY, Tokens
from bridge.wire.names import ChannelName
from tests.support.issuers import options, token

ONE = ChannelName("project.1")


class Keys:
    """Published keys of which the test says how they are."""

    def __init__(self, *, usable: bool = True, certain: bool = True) -> None:
        self.usable, self.certain = usable, certain

    def ask(self) -> Awaitable[None] | None:
        return None


def signed_by_another(keys: Keys) -> ByToken:
    tokens = Tokens(options(), str, lambda: 0.0, lambda: 0.0)
    tokens.use([shared("another secret than the one that signs the tokens")])
    return ByToken(tokens, keys)


def by_token(keys: Keys) -> ByToken:
    return ByToken(Tokens(options(), str, lambda: 0.0, lambda: 0.0), keys)


def test_anyone_may_do_everything() -> None:
    assert Anyone().judge(NOTHING, ONE) is ANYONE


def test_an_unknown_key_is_final_only_where_the_set_is_certain() -> None:
    shown = bearer(token(), "header")
    assert by_token(Keys()).judge(shown, ONE) is UNKNOWN_KEY
    assert by_token(Keys(certain=False)).judge(shown, ONE) is UNKNOWABLE
    assert by_token(Keys(usable=False)).judge(shown, ONE) is UNKNOWABLE


def test_a_signature_by_no_known_key_is_final_only_where_the_set_is_certain() -> None:
    shown = bearer(token(), "header")
    verdict = signed_by_another(Keys()).judge(shown, ONE)
    assert isinstance(verdict, Refusal)
    assert verdict.label == SIGNATURE
    assert signed_by_another(Keys(certain=False)).judge(shown, ONE) is UNKNOWABLE


def test_a_client_without_a_token_is_not_asked_for_keys() -> None:
    assert by_token(Keys(usable=False)).judge(NOTHING, ONE) is MISSING


def scope(credential: Credential, places: PassthroughOptions) -> str:
    grant = ByCredential(lambda text: f"<{hash(text)}>", places).judge(credential, ONE)
    assert isinstance(grant, Grant)
    assert grant.credential is not None
    return grant.scope


def test_scopes_are_equal_for_equal_credentials_alone() -> None:
    usual, other = PassthroughOptions(), PassthroughOptions(header="X-Key")
    one = scope(bearer("one", "header"), usual)
    assert one == scope(bearer("one", "query"), usual)
    assert one != scope(bearer("two", "header"), usual)
    assert one != scope(bearer("one", "header"), other)
    assert ByCredential(str, usual).judge(NOTHING, ONE) is MISSING
