"""One format for all loggers, on one stream, without secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from uvicorn.config import LOGGING_CONFIG

from bridge.ops import logs
from bridge.ops.secrets import Mask


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def configured(**options: Any) -> io.StringIO:
    stream = io.StringIO()
    logs.configure(stream=stream, **options)
    return stream


def test_an_entry_has_its_event_level_time_and_fields() -> None:
    stream = configured(form="json")
    structlog.get_logger("bridge.test").info("opened", channel="project.1", clients=2)
    (entry,) = entries(stream)
    assert entry["event"] == "opened"
    assert entry["level"] == "info"
    assert entry["logger"] == "bridge.test"
    assert entry["timestamp"].endswith("Z")
    assert (entry["channel"], entry["clients"]) == ("project.1", 2)


@pytest.mark.parametrize("name", ["uvicorn.error", "uvicorn.access", "websockets.server"])
def test_libraries_write_the_same_format_and_to_one_place_only(name: str) -> None:
    logging.config.dictConfig(LOGGING_CONFIG)
    stream = configured(form="json")
    logging.getLogger(name).warning("%s is %s", "port", "taken")
    (entry,) = entries(stream)
    assert entry["event"] == "port is taken"
    assert entry["logger"] == name
    assert entry["level"] == "warning"


def test_less_severe_entries_are_left_out_of_both_kinds() -> None:
    stream = configured(form="json", level="warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("uvicorn.error").info("quiet")
    structlog.get_logger().warning("loud")
    assert [entry["event"] for entry in entries(stream)] == ["loud"]


def test_configuring_again_replaces_the_first_time() -> None:
    first = configured(form="json")
    second = configured(form="json")
    structlog.get_logger().info("once")
    assert first.getvalue() == ""
    assert len(entries(second)) == 1


@pytest.mark.parametrize("form", ["console", "json"])
def test_secrets_are_hidden_in_every_field_and_in_tracebacks(form: logs.Format) -> None:
    stream = configured(form=form, mask=Mask(["s3cret-value"]))
    try:
        raise ValueError("refused s3cret-value")
    except ValueError:
        structlog.get_logger().exception("failed with s3cret-value", nested={"k": ["s3cret-value"]})
        logging.getLogger("uvicorn.error").exception("s3cret-value")
    structlog.get_logger().info("auth", token="unknown-until-now")
    text = stream.getvalue()
    assert "s3cret-value" not in text
    assert "unknown-until-now" not in text
    assert text.count("ValueError: refused ***") == 2


def test_a_client_s_token_in_a_requests_url_is_hidden() -> None:
    stream = configured(form="json")
    logging.getLogger("uvicorn.access").info('"GET %s"', "/api/v1/ws/project.1?token=abcdef")
    assert entries(stream)[0]["event"] == '"GET /api/v1/ws/project.1?token=***"'


def test_the_console_format_has_no_colours_where_nobody_sees_them() -> None:
    stream = configured(form="console")
    structlog.get_logger().info("opened", channel="project.1")
    assert "\x1b" not in stream.getvalue()
    assert "channel=project.1" in stream.getvalue()


def test_entries_go_to_stderr_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form="json")
    structlog.get_logger().info("here")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "here"
