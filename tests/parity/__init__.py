"""Tests of `bridge.parity`, one module a source module."""
