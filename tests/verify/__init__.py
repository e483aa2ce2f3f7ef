"""Tests of `bridge.verify`, one module a source module."""
