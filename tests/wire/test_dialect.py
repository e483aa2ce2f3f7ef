"""What the frames of real legacy clients mean, and what the bridge says to them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.dialect import (
    Authenticate,
    Command,
    Dialect,
    DialectOptions,
    Ignore,
    Meaning,
    Refuse,
    Reply,
    Subscribe,
    Unsubscribe,
)
from bridge.wire.endings import (
    ABNORMAL,
    BAD_REQUEST,
    FORBIDDEN,
    NOT_FOUND,
    RESTART,
    TABLE,
    UNAUTHORIZED,
)
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName

OWN = ChannelName("project.42")
PONG = Reply('{"type":"pong"}')
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def dialect(**settings: Any) -> Dialect:
    return Dialect(DialectOptions(**settings))


def read(value: object, own: ChannelName | None = OWN, **settings: Any) -> Meaning:
    raw = value if isinstance(value, str | bytes) else json.dumps(value)
    return dialect(**settings).read(Frame(raw), own)


def subscribed(value: object, own: ChannelName | None = OWN, **settings: Any) -> list[str]:
    meaning = read(value, own, **settings)
    assert isinstance(meaning, Subscribe)
    return [name.text for name in meaning.names]


# Subscribing.


def test_the_one_frame_that_real_clients_send_is_acknowledged() -> None:
    meaning = read('{"type":"subscribe","projectId":"project.42"}')
    assert meaning == Subscribe((OWN,), '{"type":"subscribe","projectId":"project.42"}', None)


@pytest.mark.parametrize(
    ("frame", "channel"),
    [
        ({"type": "subscribe"}, "project.42"),
        ({"type": "subscribe", "channel": "files"}, "files"),
        ({"type": "subscribe", "fileId": "f1", "projectId": "p1"}, "file.f1"),
        ({"type": "subscribe", "imageGenerationId": "g1"}, "project.42"),
        ({"type": "subscribe", "projectId": 7}, "project.7"),
        ({"action": "subscribe", "channel": "user.7"}, "user.7"),
        ({"type": "subscribe", "data": {"projectId": "p1"}}, "project.p1"),
        ({"type": "subscribe", "payload": {"channel": "x"}, "channel": "y"}, "y"),
        ({"type": None, "action": "subscribe", "channel": "a"}, "a"),
        ({"subscribe": "test"}, "test"),
        ({"subscribe": {"channel": "test"}}, "test"),
        ({"subscribe": {}}, "project.42"),
        ({"subscribe": True}, "project.42"),
        ({"subscribe": None}, "project.42"),
    ],
)
def test_a_subscribe_frame_names_its_channel_in_many_ways(frame: object, channel: str) -> None:
    assert subscribed(frame) == [channel]


def test_a_keyed_frame_may_name_its_channel_by_several_members() -> None:
    frame = {"subscribe": {"kind": "pods", "namespace": "n"}, "last_event_id": "e-1"}
    meaning = read(frame, channels=("{kind}.{namespace}",), subscribed="")
    assert meaning == Subscribe((ChannelName("pods.n"),), None, "e-1")


def test_one_frame_may_name_several_channels_and_gets_one_acknowledgement() -> None:
    meaning = read({"type": "subscribe", "channel": ["a", "b.c", "a"]})
    assert isinstance(meaning, Subscribe)
    assert [name.text for name in meaning.names] == ["a", "b.c"]
    assert meaning.reply == '{"type":"subscribe","projectId":"a,b.c"}'


@pytest.mark.parametrize(
    ("place", "resume"),
    [
        ("e-7", "e-7"),
        (1700000000, "1700000000"),
        (1.5, "1.5"),
        ("", None),
        (True, None),
        ({}, None),
    ],
)
def test_a_subscribe_frame_may_say_where_to_resume(place: object, resume: str | None) -> None:
    meaning = read({"type": "subscribe", "since": place}, resume_field="since")
    assert isinstance(meaning, Subscribe)
    assert meaning.resume == resume


def test_words_are_configurable() -> None:
    assert subscribed({"cmd": "join", "channel": "a"}, discriminators=("cmd",), subscribe=("join",))
    assert read({"type": "subscribe"}, subscribe=()) == Command(Frame('{"type": "subscribe"}'))


def test_the_first_discriminator_decides() -> None:
    frame = json.dumps({"type": "execute", "action": "subscribe"})
    assert read(frame) == Command(Frame(frame))


def test_keyed_frames_can_be_turned_off() -> None:
    frame = '{"subscribe":"test"}'
    assert read(frame, by_key=False) == Command(Frame(frame))


@pytest.mark.parametrize("word", ["subscribe", "unsubscribe"])
@pytest.mark.parametrize("hostile", ["../admin", "a/b", "a\r\nb", "a\x00", "a%2Fb", "x" * 300, {}])
def test_a_malformed_name_is_not_found_and_not_repeated(word: str, hostile: object) -> None:
    meaning = read({"type": word, "channel": hostile})
    assert isinstance(meaning, Refuse)
    assert meaning.ending is NOT_FOUND
    assert str(hostile) not in meaning.reason


def test_a_keyed_value_that_can_be_no_name_is_refused() -> None:
    assert isinstance(read({"subscribe": 1.5}), Refuse)


@pytest.mark.parametrize("word", ["subscribe", "unsubscribe"])
def test_a_bare_socket_has_to_name_a_channel(word: str) -> None:
    meaning = read({"type": word}, None)
    assert isinstance(meaning, Refuse)
    assert meaning.ending is BAD_REQUEST


def test_a_bare_socket_that_names_a_channel_is_served() -> None:
    assert subscribed({"type": "subscribe", "channel": "a"}, None) == ["a"]


@pytest.mark.parametrize(
    "frame",
    [{"type": "unsubscribe", "projectId": "7"}, {"unsubscribe": {"projectId": "project.7"}}],
)
def test_an_unsubscribe_frame_is_silent_unless_asked(frame: object) -> None:
    names = (ChannelName("project.7"),)
    assert read(frame) == Unsubscribe(names)
    told = '{"type":"left","kind":"{kind}","id":"{id}"}'
    reply = '{"type":"left","kind":"project","id":"7"}'
    assert read(frame, unsubscribed=told) == Unsubscribe(names, reply)


def test_unsubscribing_from_nothing_in_particular_means_the_sockets_own() -> None:
    assert read({"type": "unsubscribe"}) == Unsubscribe((OWN,))


# Pings.


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"ping"}',
        '{"type":"ping","ts":1}',
        '{"action":"ping"}',
        "ping",
        "heartbeat",
        "ping\n",
    ],
)
def test_both_application_pings_are_answered(frame: str) -> None:
    assert read(frame) == PONG


def test_each_ping_has_an_answer_of_its_own() -> None:
    settings: dict[str, Any] = {"json_pong": '{"type":"PONG"}', "text_pong": "pong"}
    assert read('{"type":"ping"}', **settings) == Reply('{"type":"PONG"}')
    assert read("ping", **settings) == Reply("pong")


def test_a_ping_may_go_without_an_answer() -> None:
    assert read('{"type":"ping"}', json_pong="") == read("ping", text_pong="") == Ignore("ping")


def test_each_style_of_ping_can_be_turned_off() -> None:
    assert read('{"type":"ping"}', json_ping=()) == Command(Frame('{"type":"ping"}'))
    assert read('{"type":"ping"}', text_ping=()) == PONG
    assert read("ping", text_ping=()) == Command(Frame("ping"))
    assert read("ping", json_ping=()) == PONG


@pytest.mark.parametrize("frame", ['{"type":"pong"}', "pong", '{"action":"pong","ts":1}'])
def test_pongs_are_ignored(frame: str) -> None:
    assert read(frame) == Ignore("pong")
    assert read(frame, pong=()) == Command(Frame(frame))


def test_the_bridge_pings_only_where_asked() -> None:
    assert dialect().server_ping is None
    assert dialect(server_ping='{"type":"ping"}').server_ping == '{"type":"ping"}'


# Showing who one is.


def test_by_default_an_auth_frame_is_the_backends_business() -> None:
    frame = '{"type":"auth","token":"t"}'
    assert read(frame) == Command(Frame(frame))


def test_an_auth_frame_holds_a_token() -> None:
    auth: dict[str, Any] = {"auth": ("auth",)}
    reply = '{"type":"auth_ok"}'
    assert read({"type": "auth", "token": "t"}, **auth) == Authenticate("t", reply)
    assert read({"type": "auth", "data": {"token": "t"}}, **auth) == Authenticate("t", reply)
    assert read({"type": "auth", "jwt": "t"}, auth_token="jwt", auth_ok="", **auth) == (
        Authenticate("t", None)
    )


@pytest.mark.parametrize("token", [None, "", 7, {}])
def test_an_auth_frame_without_a_token_is_refused(token: object) -> None:
    meaning = read({"type": "auth", "token": token}, auth=("auth",))
    assert isinstance(meaning, Refuse)
    assert meaning.ending is UNAUTHORIZED


# Everything else.


@pytest.mark.parametrize(
    "raw",
    [
        '{"type":"execute","data":{"a":1.10}}',
        '{"get_state":true}',
        "[1]",
        "null",
        '"ping"',
        "hello",
        "",
        "x" * 1000,
        "{",
        b'{"type":"subscribe"}',
        b"ping",
        b"\xff",
    ],
)
def test_other_frames_go_to_the_backend_unchanged_or_nowhere(raw: str | bytes) -> None:
    frame = Frame(raw)
    meaning = dialect().read(frame, OWN)
    assert isinstance(meaning, Command)
    assert meaning.frame is frame
    assert read(raw, unknown="ignore") == Ignore("unknown")


@given(
    st.text()
    | st.binary()
    | JSON.map(json.dumps)
    | st.dictionaries(
        st.sampled_from(
            [
                "type",
                "action",
                "subscribe",
                "channel",
                "projectId",
                "data",
                "last_event_id",
                "token",
            ]
        ),
        JSON | st.sampled_from(["subscribe", "unsubscribe", "auth", "ping"]),
    ).map(json.dumps),
    st.sampled_from([OWN, None]),
)
def test_no_frame_is_without_a_meaning(raw: str | bytes, own: ChannelName | None) -> None:
    meaning = dialect(auth=("auth",)).read(Frame(raw), own)
    assert isinstance(meaning, Meaning)
    if isinstance(meaning, Subscribe | Unsubscribe):
        assert meaning.names
        assert all(ChannelName.parse(name.text) == name for name in meaning.names)


# What the bridge says.


def test_by_default_the_bridge_says_nothing_of_its_own() -> None:
    quiet = dialect()
    assert quiet.welcome(OWN) is None
    assert quiet.gap(old="e-1", new="e-9", lost=8, reason="trimmed") is None
    assert quiet.error(FORBIDDEN, "no") is None


def test_a_subscription_is_acknowledged_by_its_name() -> None:
    assert dialect().acknowledge(OWN) == '{"type":"subscribe","projectId":"project.42"}'
    assert dialect(subscribed="").acknowledge(OWN) is None


def test_a_welcome_names_the_channel_where_there_is_one() -> None:
    greeting = dialect(welcome='{"type":"connected","project_id":"{id}"}')
    assert greeting.welcome(OWN) == '{"type":"connected","project_id":"42"}'
    assert greeting.welcome(None) == '{"type":"connected","project_id":""}'


def test_a_gap_is_told_where_a_text_is_set() -> None:
    teller = dialect(
        gap='{"type":"gap","old":"{old}","new":"{new}","lost":{lost},"why":"{reason}"}'
    )
    told = teller.gap(old="e-1", new="e-9", lost=8, reason='"quoted"')
    assert json.loads(told or "") == {
        "type": "gap",
        "old": "e-1",
        "new": "e-9",
        "lost": 8,
        "why": '"quoted"',
    }
    told = teller.gap(old=None, new="e-9", lost=None, reason="")
    assert json.loads(told or "")["lost"] is None


@given(st.text(), st.sampled_from(TABLE))
def test_an_error_frame_is_json_whatever_the_reason(reason: str, ending: Any) -> None:
    teller = dialect(uplink_refused="frame")
    told = json.loads(teller.error(ending, reason) or "")
    assert told == {"type": "error", "error": reason, "code": teller.close_code(ending)}


def test_an_error_frame_may_name_the_ending() -> None:
    teller = dialect(uplink_refused="frame", error="{name} {code}")
    assert teller.error(FORBIDDEN, "") == "forbidden 4403"


def test_close_codes_can_be_replaced() -> None:
    replaced = dialect(close_codes={"unauthorized": 4001, "abnormal": 4900})
    assert replaced.close_code(UNAUTHORIZED) == 4001
    assert replaced.close_code(ABNORMAL) == 4900
    assert replaced.close_code(FORBIDDEN) == 4403
    assert replaced.close_code(RESTART.after(5)) == 1012
    assert dialect().close_code(ABNORMAL) == 1011


@pytest.mark.parametrize(
    ("offered", "echoed"),
    [
        (["bearer", "secret-token"], "bearer"),
        (["secret-token", "bearer"], "bearer"),
        (["graphql-ws"], None),
        ([], None),
    ],
)
def test_a_known_subprotocol_is_echoed_and_a_token_never(
    offered: list[str], echoed: str | None
) -> None:
    assert dialect().subprotocol(offered) == echoed
