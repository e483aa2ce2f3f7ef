"""Tests of `bridge.upstream`, one module a source module."""
