"""Merging a file, the environment and flags, and remembering what came from where."""

from pathlib import Path

import pytest

from bridge.config import Config
from bridge.errors import ConfigError
from bridge.settings.sources import Sources, read


def file(folder: Path, text: str | bytes) -> Path:
    path = folder / "bridge.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def from_environment(**variables: str) -> Sources:
    return read(Config, None, {}, variables)


def test_nothing_given_is_an_empty_tree() -> None:
    assert read(Config, None, {"port": None}, {"PATH": "/bin"}).tree == {}


def test_flags_win_over_variables_and_these_over_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, 'host = "a"\nport = 1\nlog_level = "info"')
    sources = read(Config, path, {"host": "c"}, {"WS2SSE_HOST": "b", "WS2SSE_PORT": "2"})
    assert sources.tree == {"host": "c", "port": "2", "log_level": "info"}
    assert sources.where(("host",)) == "--host"
    assert sources.where(("port",)) == "WS2SSE_PORT"
    assert sources.where(("log_level",)) == f"{path}: log_level"


def test_a_variable_reaches_into_tables_beside_what_the_file_has(tmp_path: Path) -> None:
    path = file(tmp_path, '[upstream.sse]\nurl = "http://a/{channel}"\nsilence = 5')
    sources = read(Config, path, {}, {"WS2SSE_UPSTREAM__SSE__SILENCE": "7"})
    assert sources.tree["upstream"]["sse"] == {"url": "http://a/{channel}", "silence": "7"}


def test_a_variable_replaces_what_is_no_table(tmp_path: Path) -> None:
    path = file(tmp_path, "upstream = 3")
    sources = read(Config, path, {}, {"WS2SSE_UPSTREAM__SSE__URL": "http://a/{id}"})
    assert sources.tree == {"upstream": {"sse": {"url": "http://a/{id}"}}}


def test_the_upstreams_have_short_names_which_the_full_ones_outdo() -> None:
    sources = from_environment(
        WS2SSE_SSE_UPSTREAM="http://short/{id}",
        WS2SSE_UPSTREAM__SSE__URL="http://full/{id}",
        WS2SSE_WS_UPSTREAM="ws://short/{id}",
    )
    assert sources.tree["upstream"] == {
        "sse": {"url": "http://full/{id}"},
        "ws": {"url": "ws://short/{id}"},
    }


def test_lists_and_tables_are_json_and_lists_of_words_may_have_commas() -> None:
    sources = from_environment(
        WS2SSE_CHANNELS="project.*, test",
        WS2SSE_ROUTES='[{"ws": "/ws/{channel}"}]',
        WS2SSE_DIALECT__SUBSCRIBE='["join"]',
    )
    assert sources.tree["channels"] == ["project.*", "test"]
    assert sources.tree["routes"] == [{"ws": "/ws/{channel}"}]
    assert sources.tree["dialect"] == {"subscribe": ["join"]}
    assert sources.problems == []


def test_a_table_that_is_not_json_is_told() -> None:
    sources = from_environment(WS2SSE_ROUTES="/ws")
    assert [str(problem) for _, problem in sources.problems] == [
        "WS2SSE_ROUTES: must be JSON (or put it into the file)"
    ]


def test_a_header_has_hyphens_for_underscores_and_keeps_the_files_spelling(tmp_path: Path) -> None:
    path = file(tmp_path, '[upstream.sse.headers]\nAuthorization = "old"')
    variables = {
        "WS2SSE_UPSTREAM__SSE__HEADERS__AUTHORIZATION": "new",
        "WS2SSE_UPSTREAM__SSE__HEADERS__X_API_KEY": "k",
    }
    sources = read(Config, path, {}, variables)
    assert sources.tree["upstream"]["sse"]["headers"] == {"Authorization": "new", "x-api-key": "k"}


def test_an_empty_variable_counts_as_unset() -> None:
    assert from_environment(WS2SSE_HOST="", WS2SSE_SSE_UPSTREAM="").tree == {}


def test_what_kubernetes_says_of_a_service_called_ws2sse_is_not_a_setting() -> None:
    sources = from_environment(
        WS2SSE_SERVICE_HOST="10.0.0.1",
        WS2SSE_SERVICE_PORT="8080",
        WS2SSE_SERVICE_PORT_HTTP="8080",
        WS2SSE_PORT="tcp://10.0.0.1:8080",
        WS2SSE_PORT_8080_TCP="tcp://10.0.0.1:8080",
        WS2SSE_PORT_8080_TCP_ADDR="10.0.0.1",
    )
    assert sources.tree == {}


def test_the_variable_that_names_the_file_is_not_a_setting() -> None:
    assert from_environment(WS2SSE_CONFIG="bridge.toml").tree == {}


def test_references_are_followed_at_any_depth_but_not_in_flags(tmp_path: Path) -> None:
    path = file(tmp_path, 'channels = ["${A}.*"]\nport = 1\n[upstream.sse]\nurl = "http://${A}/"')
    flags = {"source": "${A}"}
    sources = read(Config, path, flags, {"A": "x", "WS2SSE_HOST": "${A}.local"})
    assert sources.tree["channels"] == ["x.*"]
    assert sources.tree["upstream"]["sse"]["url"] == "http://x/"
    assert sources.tree["host"] == "x.local"
    assert sources.tree["source"] == "${A}"
    assert sources.secrets == {"x"}


def test_a_missing_reference_names_itself_and_its_key(tmp_path: Path) -> None:
    path = file(tmp_path, '[upstream.sse.headers]\nAuthorization = "Bearer ${TOKEN}"')
    sources = read(Config, path, {}, {})
    assert [str(problem) for _, problem in sources.problems] == [
        (
            f"{path}: upstream.sse.headers.Authorization: ${{TOKEN}} is not set "
            "(set TOKEN in the environment)"
        )
    ]


def test_a_reference_that_a_stronger_source_overrides_is_not_missed(tmp_path: Path) -> None:
    path = file(tmp_path, 'host = "${HOST}"')
    assert read(Config, path, {"host": "localhost"}, {}).problems == []


def test_a_table_is_placed_by_the_source_of_something_in_it() -> None:
    sources = from_environment(WS2SSE_UPSTREAM__SSE__SILENCE="1")
    assert sources.where(("upstream", "sse")) == "WS2SSE_UPSTREAM__SSE__SILENCE"
    assert sources.where(("routes", 1, "ws")) == "routes[1].ws"
    assert sources.where(()) == ""


def test_a_problem_without_any_place_is_the_configurations() -> None:
    sources = Sources(Config)
    sources.blame((), "is odd")
    assert str(sources.problems[0][1]) == "configuration: is odd"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = \n", ":1:8: invalid value"),
        ('host = "a"\nhost = "b"\n', ":2:11: cannot overwrite a value"),
        ("x = [1,\n2", ":2:2: unclosed array"),
        (b'host = "\xff"', ": is not UTF-8 text (byte 8)"),
    ],
)
def test_a_file_that_is_not_toml_is_told_with_line_and_column(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    path = file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read(Config, path, {}, {})
    assert str(caught.value) == f"{path}{said}"


def test_a_byte_order_mark_is_no_syntax_error(tmp_path: Path) -> None:
    assert read(Config, file(tmp_path, b"\xef\xbb\xbfport = 1"), {}, {}).tree == {"port": 1}


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is a directory \(name the file in it\)$"):
        read(Config, tmp_path, {}, {})
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file$"):
        read(Config, tmp_path / "nowhere.toml", {}, {})
    with pytest.raises(ConfigError, match=r"cannot be read: File name too long$"):
        read(Config, tmp_path / ("x" * 300), {}, {})
