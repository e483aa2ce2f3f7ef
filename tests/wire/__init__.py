"""Tests of `bridge.wire`, one module a source module."""
