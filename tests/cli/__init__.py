"""Tests of `bridge.cli`, one module a source module."""
