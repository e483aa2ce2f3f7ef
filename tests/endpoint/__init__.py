"""Tests of `bridge.endpoint`, one module a source module."""
