"""Tests of `bridge.ops`, one module a source module."""
