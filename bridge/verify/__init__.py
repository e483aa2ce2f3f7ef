"""Proving parity of running backends: taps, recordings on disk, replay, and the pytest plugin.

What judges lives in `bridge.parity`; commands live in `bridge.cli`.
"""
