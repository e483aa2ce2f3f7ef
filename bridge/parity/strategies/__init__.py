"""Hypothesis strategies: legacy messages, messages of any JSON Schema, disordered streams."""

try:
    import hypothesis as _  # noqa: F401 - only whether it is there
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "bridge.parity.strategies needs Hypothesis; install it by: pip install 'ws2sse[testing]'"
    ) from None

from bridge.parity.strategies.legacy import client_messages, legacy_messages, texts
from bridge.parity.strategies.schemas import from_schema, json_values
from bridge.parity.strategies.streams import Disorder, Injected, Scenario, scenarios

__all__ = [
    "Disorder",
    "Injected",
    "Scenario",
    "client_messages",
    "from_schema",
    "json_values",
    "legacy_messages",
    "scenarios",
    "texts",
]
