"""The one append-only log that every channel is, and the stores that keep logs.

`log` and `cursor` are pure. Who reads a log, and who writes it, is decided in `hub`.
"""
