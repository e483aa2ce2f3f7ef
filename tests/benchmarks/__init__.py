"""Tests of `benchmarks`: of what decides there, and that what runs there delivers."""
