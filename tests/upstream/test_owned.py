"""A backend's options with a client's own credential in them."""

from bridge.upstream.owned import owned
from bridge.upstream.poll import PollOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.wire.credential import OwnCredential

OWN = OwnCredential("Bearer own")
BRIDGES = {"Authorization": "Bearer bridge"}
URL = "http://backend.example/{channel}"
STREAM = SseOptions(URL, send_url=URL, headers=BRIDGES)


def test_the_clients_credential_takes_the_place_of_the_bridges() -> None:
    mine = {"Authorization": "Bearer own"}
    assert owned(STREAM, OWN).headers == mine
    assert owned(WsOptions(URL, headers=BRIDGES), OWN).headers == mine
    assert owned(PollOptions(("*",), URL, headers=BRIDGES), OWN).headers == mine


def test_without_one_the_bridges_own_stays() -> None:
    assert owned(STREAM, None) is STREAM


def test_frames_go_up_by_the_same_one() -> None:
    made = owned(STREAM, OwnCredential("Bearer own", query="key"))
    assert made.url == made.send_url == f"{URL}?key=own"
