"""Tests of `bridge.history`, one module a source module."""
