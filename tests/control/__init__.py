"""Tests of `bridge.control`, one module a source module."""
