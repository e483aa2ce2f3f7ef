"""The bridge between WebSocket and Server-Sent Events.

Here live the parts of the running bridge, one folder a layer; a folder imports only from the
layers above it (`docs/design.md` lists them, `tests/test_layers.py` enforces them). What clients
import to keep their old interface does not live here but in `compat`.
"""
