"""A socket's standing: which of its wishes are granted."""

from collections.abc import Awaitable

from bridge.endpoint.auth import Guard
from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.credentials import NOTHING, Credential, bearer
from bridge.endpoint.forward_options import ForwardOptions
from bridge.endpoint.grant import NOT_YOURS, Channels, Grant, Refusal, Verdict
from bridge.endpoint.visit import Visit
from bridge.wire.names import ChannelName

ONE, TWO, THREE = map(ChannelName, ("a.1", "a.2", "a.3"))
OPTIONS = AuthOptions(mode="forward", forward=ForwardOptions("http://127.0.0.1/"), ways=("frame",))


class Judge:
    """Grants `a.1` until 10 and `a.2` until 20, at once or later."""

    def __init__(self, *, later: bool) -> None:
        self._later = later
        self.asked: list[str] = []

    def judge(
        self, credential: Credential, name: ChannelName | None, /, *, sends: bool = False
    ) -> Verdict | Awaitable[Verdict]:
        self.asked.append(credential.token)
        verdict = self._decide(name)
        return self._wait(verdict) if self._later else verdict

    def _decide(self, name: ChannelName | None) -> Verdict:
        ends = {ONE: 10.0, TWO: 20.0, None: None}
        if name not in ends:
            return NOT_YOURS
        return Grant(reads=Channels.of([name.text] if name else []), expires_at=ends[name])

    async def _wait(self, verdict: Verdict) -> Verdict:
        return verdict


def visit(judge: Judge) -> Visit:
    return Visit(Guard(OPTIONS, judge), bearer("first", "header"), None)


async def test_all_are_granted_or_none_is_whether_at_once_or_later() -> None:
    for later in (False, True):
        client = visit(Judge(later=later))
        asked = client.judge([ONE, THREE, TWO])
        verdict = asked if isinstance(asked, Grant | Refusal) else await asked
        assert verdict is NOT_YOURS
        assert client.waiting


def test_it_ends_with_the_first_of_its_grants() -> None:
    client = visit(Judge(later=False))
    client.judge([TWO])
    assert client.expires_at == 20
    client.judge([ONE])
    assert client.expires_at == 10
    assert client.grant_of(TWO).may(TWO)
    assert not client.grant_of(ONE).may(TWO)


def test_what_a_frame_shows_counts_from_then_on_and_in_place_of_what_was() -> None:
    judge = Judge(later=False)
    client = visit(judge)
    client.judge([ONE])
    client.show("second", [TWO])
    assert client.expires_at == 20
    client.judge([TWO])
    assert judge.asked == ["first", "second", "second"]


def test_a_frame_that_is_refused_changes_nothing() -> None:
    judge = Judge(later=False)
    client = visit(judge)
    client.judge([ONE])
    assert client.show("second", [THREE]) is NOT_YOURS
    assert isinstance(client.show("not sayable\r\n", [ONE]), Refusal)
    client.judge([ONE])
    assert judge.asked[-1] == "first"


def test_only_an_enabled_way_lets_a_frame_show_anything() -> None:
    assert visit(Judge(later=False)).by_frame
    assert not Visit(Guard(), NOTHING, None).by_frame
