"""Tests of `bridge.hub`, one module a source module."""
