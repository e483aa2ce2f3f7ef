"""Tests of `bridge.demo`, one module a source module."""
