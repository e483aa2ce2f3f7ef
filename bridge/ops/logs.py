"""The log: one format for the bridge's own entries and its libraries', without secrets.

Decides how an entry looks and where it goes (stderr); never what is worth one.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

from bridge.ops.secrets import Mask

Format = Literal["console", "json"]

_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


class _Output(logging.StreamHandler[TextIO]):
    """Ours, so that configuring twice replaces it and leaves foreign handlers alone."""


def configure(
    level: str = "info",
    form: Format = "console",
    *,
    mask: Mask | None = None,
    stream: TextIO | None = None,
) -> None:
    """Set up structlog and the standard library's logging alike; may be called again.

    uvicorn's loggers are routed here too, provided that it is started with `log_config=None`.

    Args:
        level: the least severe level shown: `debug`, `info`, `warning`, `error` or `critical`.
        form: lines for people, or one JSON object a line.
        mask: hides the configured secrets in every field.
        stream: where entries go, stderr if None.
    """
    output = _Output(stream or sys.stderr)
    output.setFormatter(_formatter(form, mask or Mask(), output.stream))
    _route(output, level)
    structlog.configure(
        processors=[*_preparation(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _route(output: _Output, level: str) -> None:
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _Output)]
    root.addHandler(output)
    root.setLevel(level.upper())
    for name in _UVICORN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


def _preparation() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(form: Format, mask: Mask, stream: TextIO) -> structlog.stdlib.ProcessorFormatter:
    def hide(_: object, __: str, entry: MutableMapping[str, Any]) -> dict[str, object]:
        return {key: mask.deep(value, key) for key, value in entry.items()}

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_preparation(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            hide,
            _renderer(form, stream),
        ],
    )


def _renderer(form: Format, stream: TextIO) -> structlog.typing.Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(),
        # tracebacks arrive as masked text; the pretty formatter would print locals, secrets too
        exception_formatter=structlog.dev.plain_traceback,
    )
