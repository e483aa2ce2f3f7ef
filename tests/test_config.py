"""From all sources to one configuration, and from all mistakes to their lines."""

from pathlib import Path

import pytest

from bridge.config import load
from bridge.errors import ConfigError

URL = "http://127.0.0.1:9000/api/v1/events/{channel}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, so that files have short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text: str) -> Path:
    path = Path("bridge.toml")
    path.write_text(text)
    return path


def mistakes(text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(text), {}, environ)
    return str(caught.value).splitlines()


def test_a_url_alone_is_a_configuration() -> None:
    config = load(None, {"upstream.sse.url": URL})
    assert config.source == "sse"
    assert config.upstream.sse
    assert config.upstream.sse.url == URL


def test_the_environment_alone_is_a_configuration() -> None:
    config = load(environ={"WS2SSE_WS_UPSTREAM": "ws://h/{channel}", "WS2SSE_PORT": "81"})
    assert (config.source, config.port) == ("legacy", 81)


def test_a_whole_file_is_read(folder: Path) -> None:
    path = written(
        f"""
        port = 81
        channels = ["project.*"]
        source = "sse"

        [upstream.sse]
        url = "{URL}"
        headers = {{ Authorization = "Bearer ${{TOKEN}}" }}

        [upstream.ws]
        url = "ws://127.0.0.1/{{id}}"

        [history]
        max_age = inf

        [[routes]]
        ws = "/ws/project/{{id:int}}"
        channel = "project.{{id}}"

        [dialect]
        subscribe = ["join"]
        close_codes = {{ unauthorized = 4001 }}

        [[relays]]
        path = "/v2/echat"
        url = "http://127.0.0.1/v2/echat"
        """
    )
    config = load(path, {"port": 82}, {"TOKEN": "s3cret-value"})
    assert config.port == 82
    assert config.upstream.sse
    assert config.upstream.sse.headers == {"Authorization": "Bearer s3cret-value"}
    assert config.history.max_age == float("inf")
    assert config.routes[0].ws == "/ws/project/{id:int}"
    assert config.dialect.close_codes == {"unauthorized": 4001}
    assert config.relays[0].path == "/v2/echat"
    assert config.mask("sent s3cret-value") == "sent ***"


def test_the_file_may_be_named_by_the_environment_and_a_flag_wins(folder: Path) -> None:
    written(f'port = 1\nupstream.sse.url = "{URL}"')
    Path("other.toml").write_text(f'port = 2\nupstream.sse.url = "{URL}"')
    environ = {"WS2SSE_CONFIG": "bridge.toml"}
    assert load(None, {}, environ).port == 1
    assert load(Path("other.toml"), {}, environ).port == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            'upstream.sse.url = "ftp://h/{channel}"',
            (
                "bridge.toml: upstream.sse.url: is not a full URL "
                "(begin it with http:// or https:// and a host)"
            ),
        ),
        (
            f'upstream.sse.uri = "{URL}"\nupstream.sse.url = "{URL}"',
            "bridge.toml: upstream.sse.uri: unknown key (did you mean upstream.sse.url?)",
        ),
        (
            f'heartbeat = 3\nupstream.sse.url = "{URL}"',
            "bridge.toml: heartbeat: unknown key (did you mean client.heartbeat?)",
        ),
        (
            f'upstream.sse.url = "{URL}"\nupstream.ws.url = "ws://h/{{id}}"',
            (
                "bridge.toml: source: is not chosen, though two upstreams are given "
                '(set it to "legacy" for the WebSocket backend or to "sse")'
            ),
        ),
        (
            'upstream.sse.url = "http://h/events"',
            (
                "bridge.toml: upstream.sse.url: names no channel (put {channel} or {id} into it, "
                "into the query if its path has no place for one)"
            ),
        ),
        (
            (
                f'upstream.sse.url = "{URL}"\n[[routes]]\nws = "/a"\nchannel = ""\n[[routes]]\n'
                'ws = "/a"\nchannel = ""'
            ),
            "bridge.toml: routes: serve the WebSocket path /a twice, relays counted (remove one)",
        ),
        (
            f'upstream.sse.url = "{URL}"\n[[routes]]\nsse = "/healthz"\nchannel = "a"',
            "bridge.toml: routes: serve /healthz, which is the bridge's own (use another)",
        ),
        (
            'upstream.sse.headers.A = "${NOPE}"\nupstream.sse.url = "http://h/{id}"',
            "bridge.toml: upstream.sse.headers.A: ${NOPE} is not set (set NOPE in the environment)",
        ),
        (f"a = {'[' * 5000}", "bridge.toml: is nested too deeply to be a configuration"),
        (
            f'upstream.sse.url = "{URL}"\nhistory.persist = "sqlite"\nhistory.path = "a\\u0000"',
            "bridge.toml: history.path: holds a NUL character, which no file's name may",
        ),
        (
            f'upstream.sse.url = "{URL}"\ndrain_timeout = inf',
            "bridge.toml: drain_timeout: must be a finite number",
        ),
        ("port 80", "bridge.toml:1:6: expected '=' after a key in a key/value pair"),
        (
            "port = 80",
            "bridge.toml: upstream: is not given (use --sse-upstream URL or --ws-upstream URL)",
        ),
    ],
)
def test_a_mistake_is_one_line(folder: Path, text: str, line: str) -> None:
    assert mistakes(text) == [line]


def test_all_mistakes_are_told_at_once_wherever_they_come_from(folder: Path) -> None:
    text = 'prot = 1\n[upstream.sse]\nurl = "${URL}"\n[client]\nheartbeat = 0'
    assert mistakes(text, WS2SSE_PORT="70000") == [
        "bridge.toml: upstream.sse.url: ${URL} is not set (set URL in the environment)",
        "WS2SSE_PORT: must be less than or equal to 65535",
        "bridge.toml: client.heartbeat: must be more than 0",
        "bridge.toml: prot: unknown key (did you mean port?)",
    ]


def test_a_flags_mistake_names_the_flag() -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {"upstream.sse.url": URL, "source": "both", "log_level": "loud"})
    assert str(caught.value).splitlines() == [
        "--source: must be 'legacy' or 'sse'",
        "--log-level: must be 'debug', 'info', 'warning', 'error' or 'critical'",
    ]


def test_an_unknown_variable_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {}, {"WS2SSE_SSE_UPSTREAM": URL, "WS2SSE_CLIENT__HARTBEAT": "3"})
    assert str(caught.value) == (
        "WS2SSE_CLIENT__HARTBEAT: unknown key (did you mean WS2SSE_CLIENT__HEARTBEAT?)"
    )


def test_secrets_do_not_show_in_errors(folder: Path) -> None:
    text = """
        [upstream.sse]
        url = "${SCHEME}://ada:pass-word@h/{channel}"
        headers = { "bad name" = "h3ader-value" }
        replay = "${SCHEME}"
        """
    said = "\n".join(mistakes(text, SCHEME="s3cret-value"))
    for hidden in ("s3cret-value", "pass-word", "h3ader-value"):
        assert hidden not in said
